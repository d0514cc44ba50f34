"""The atlas: what new data are judged by, as one folder that can be copied anywhere.

``manifest.json`` says where it comes from, what its limits promise, and the SHA-256 of every other
part (`morphology.manifest`). An atlas with a part missing or altered is refused.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.errors import CalibrationError, StorageError, TableError
from gwmorph.morphology.manifest import (
    CLUSTERS,
    MANIFEST,
    NEW_ONE,
    OVERALL,
    OWN_HASH,
    About,
    manifest_of,
    read_manifest,
)
from gwmorph.morphology.thresholds import ANY, Limit
from gwmorph.seals import require_seal
from gwmorph.storage import sha256_of_file, write_json
from gwmorph.tables.calibration import THRESHOLDS
from gwmorph.tables.parquet import read_metadata, read_table
from gwmorph.tables.scores import QUIET
from gwmorph.tables.validation import REFERENCE

CONFIG = "config.yaml"


@dataclass(frozen=True)
class Atlas:
    """An atlas whose parts are whole: its folder, its manifest, and the SHA-256 of each part."""

    folder: Path
    about: About
    parts: Mapping[str, str]

    @property
    def identity(self) -> str:
        """What tells it from any other atlas: the SHA-256 in its manifest."""
        return str(manifest_of(self.about, self.parts)[OWN_HASH])

    def reference(self, view: str) -> pa.Table:
        """Return the labelled rows of a view (schema REFERENCE); errors as `limits`."""
        return read_table(self._part(view, "reference.parquet"), REFERENCE)

    def limits(self, view: str) -> list[Limit]:
        """Return the limits of a view.

        Raises
        ------
        CalibrationError
            The atlas has no such view.
        TableError
            Its table is of another version.
        """
        return limits_in(read_table(self._part(view, "thresholds.parquet"), THRESHOLDS))

    def quiet(self, detector: str) -> pa.Table | None:
        """Return the quiet windows (schema QUIET) that a detector's windows are scored by.

        None where the atlas has none, since its run has no scores.

        Raises
        ------
        CalibrationError
            The atlas is not of this detector.
        TableError
            Its table is of another version.
        """
        if detector not in self.about.detectors:
            raise CalibrationError(
                f"{self.folder}: expected an atlas of {detector}, got one of "
                f"{', '.join(self.about.detectors)}. Name an atlas of this detector."
            )
        name = _quiet_part(detector)
        return read_table(self.folder / name, QUIET) if name in self.parts else None

    def _part(self, view: str, name: str) -> Path:
        if view not in self.about.views:
            raise CalibrationError(
                f"{self.folder}: expected views of {view}s, got an atlas of "
                f"{' and '.join(f'{name}s' for name in self.about.views)}. "
                "Name an atlas of this view, or cluster another."
            )
        return self.folder / view / name


def _quiet_part(detector: str) -> str:
    return f"quiet/{detector}.parquet"


def limit_rows(limits: Sequence[Limit], classes: Sequence[str], rate: float) -> pa.Table:
    """Return the THRESHOLDS table of limits, and of the classes [n] that have none."""
    held = {one.label for one in limits}
    rows: list[dict[str, Any]] = [
        {
            "label": one.label,
            "members": one.members,
            "rate": one.rate,
            "granted": one.granted,
            "limit": one.limit,
            "percentile": one.percentile,
        }
        for one in limits
    ]
    names, counts = np.unique(np.array(classes, dtype=str), return_counts=True)
    rows += [
        {"label": name, "members": count, "rate": rate}
        for name, count in zip(names.tolist(), counts.tolist(), strict=True)
        if name not in held
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["label"]), schema=THRESHOLDS)


def limits_in(table: pa.Table) -> list[Limit]:
    """Return the limits that a THRESHOLDS table holds."""
    return [Limit(**row) for row in table.filter(pc.is_valid(table["limit"])).to_pylist()]


def write_atlas(
    folder: Path,
    about: About,
    tables: Mapping[str, Mapping[str, Path]],
    quiet: Mapping[str, Path],
    config: str,
) -> None:
    """Write an atlas; it appears whole or not at all.

    Parameters
    ----------
    folder
        To be made; what is there is replaced.
    tables
        For each view the files of its ``reference`` and ``thresholds``.
    quiet
        For each detector the file of its quiet windows; none where the run has no scores.
    config
        The run's resolved configuration, YAML: how strain becomes vectors.

    Raises
    ------
    StorageError
        It cannot be written.
    TableError
        A table says that it was made in another way than ``about`` says.
    """
    parts = {
        f"{view}/{name}.parquet": path
        for view, files in tables.items()
        for name, path in files.items()
    }
    parts |= {_quiet_part(detector): path for detector, path in quiet.items()}
    for path in parts.values():
        _require_made_alike(path, about)
    partial = folder.with_name(f".{folder.name}.part")
    try:
        if partial.exists():  # of a process that was killed
            shutil.rmtree(partial)
        for name, path in parts.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, partial / name)
        (partial / CONFIG).write_text(config, encoding="utf-8")
        written = sorted(path for path in partial.rglob("*") if path.is_file())
        hashes = {path.relative_to(partial).as_posix(): sha256_of_file(path) for path in written}
        write_json(partial / MANIFEST, manifest_of(about, hashes))
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written ({error}).") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _require_made_alike(path: Path, about: About) -> None:
    require_seal(path)
    found = read_metadata(path)
    for name in ("render_id", "encoder_id"):
        got, expected = found.get(f"gwmorph.{name}"), getattr(about, name)
        if got != expected:
            raise TableError(
                f"{path}: expected {name} {expected!r} as all parts of this atlas, got {got!r}. "
                "Remove the older tables and run again."
            )


def read_atlas(folder: Path | str) -> Atlas:
    """Read an atlas's manifest, and check every part.

    Raises
    ------
    CalibrationError
        The manifest, as `manifest.read_manifest` says, or a part is missing or altered; the error
        names it.
    """
    folder = Path(folder)
    about, parts = read_manifest(folder)
    needed = [
        f"{view}/{name}.parquet" for view in about.views for name in ("reference", "thresholds")
    ]
    for name in [*parts, *needed, CONFIG]:
        _check_part(folder, name, parts.get(name))
    return Atlas(folder, about, parts)


def _check_part(folder: Path, name: str, expected: str | None) -> None:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise CalibrationError(f"{folder / MANIFEST}: names {name!r}, outside of the atlas.")
    path = folder / name
    if expected is None:
        raise CalibrationError(f"{folder / MANIFEST}: says nothing of {name}. {NEW_ONE}")
    if not path.is_file():
        raise CalibrationError(f"{path}: this part of the atlas is missing. {NEW_ONE}")
    got = sha256_of_file(path)
    if got != expected:
        raise CalibrationError(
            f"{path}: this part of the atlas was altered: expected SHA-256 {expected}, got {got}. "
            f"{NEW_ONE}"
        )


def require_usable(
    atlas: Atlas,
    render_id: str,
    encoder_id: str | None,
    detectors: Sequence[str],
    span: tuple[int, int],
    *,
    elsewhere: bool,
) -> None:
    """Check that an atlas may judge a run.

    Parameters
    ----------
    render_id, encoder_id
        How the run's pictures are drawn and encoded; None where the latter is not known yet.
    detectors, span
        The run's, and its GPS start and end, s.
    elsewhere
        Whether other detectors and times than the atlas's own are allowed.

    Raises
    ------
    CalibrationError
        Vectors were made in another way; or detectors or times are not the atlas's, and that is
        not allowed.
    """
    about = atlas.about
    for name, got in (("render_id", render_id), ("encoder_id", encoder_id)):
        if got is not None and got != getattr(about, name):
            raise CalibrationError(
                f"{atlas.folder}: {name}: expected {got!r}, that of this run, got "
                f"{getattr(about, name)!r}: its vectors were made in another way and say nothing "
                "of these. Name an atlas that was made with this run's configuration."
            )
    others = sorted(set(detectors) - set(about.detectors))
    outside = span[0] < about.gps_start or span[1] > about.gps_end
    if (others or outside) and not elsewhere:
        raise CalibrationError(
            f"{atlas.folder}: is of {', '.join(about.detectors)}, GPS {about.gps_start} to "
            f"{about.gps_end}, this run of {', '.join(detectors)}, GPS {span[0]} to {span[1]}. "
            "Its limits hold where they were made. For others set calibration.elsewhere: allowed, "
            "and look at the drift."
        )


def describe(atlas: Atlas) -> str:
    """Return what an atlas holds, as lines of text."""
    about = atlas.about
    whom = "all rows together" if about.promise == OVERALL else "the rows of each class"
    kind = "rows of clusters" if about.classes == CLUSTERS else "labelled rows"
    lines = [
        f"{atlas.folder}: whole, all {len(atlas.parts)} parts are as they were written",
        f"run {about.run}: {', '.join(about.detectors)}, GPS {about.gps_start} to {about.gps_end}",
        f"render id {about.render_id}",
        f"encoder id {about.encoder_id}",
        f"configuration {about.config_hash}",
        f"NOVEL: at most {about.rate:g} of {whom}; KNOWN: {about.agreeing:g} of {about.neighbors} "
        "neighbours agree",
    ]
    if about.classes == CLUSTERS:
        lines.append("classes are the run's own clusters: nobody has said what they are")
    quiet = {name: atlas.quiet(name) for name in about.detectors}
    held = [f"{name} {len(rows)}" for name, rows in quiet.items() if rows is not None]
    lines.append(f"quiet windows that scores are measured by: {', '.join(held) or 'none'}")
    for view in about.views:
        lines += [f"{view}s: {len(atlas.reference(view))} {kind}", *_limit_lines(atlas, view)]
    return "\n".join(lines)


def _limit_lines(atlas: Atlas, view: str) -> list[str]:
    held = {one.label: one for one in atlas.limits(view)}
    overall = atlas.about.promise == OVERALL
    said = ["a row is NOVEL below the limit of all as one; below its class's it is not KNOWN"]
    if not overall:
        said = ["a row is NOVEL below the limit of every class; below its class's it is not KNOWN"]
    if not held:
        said = ["no class has two rows: there is no limit"]
    said += [
        f"{one.label or 'all as one'}: {one.members} rows, limit at a cosine of {one.limit:.4f}"
        + _granted(one)
        for one in held.values()
        if overall or one.label != ANY
    ]
    alone = sorted(set(atlas.reference(view)["label"].to_pylist()) - held.keys())
    return [f"  {line}" for line in [*said, *(f"{label}: one row, no limit" for label in alone)]]


def _granted(limit: Limit) -> str:
    if limit.granted <= limit.rate:
        return ""
    return f" (of {limit.granted:.2g}: too few for {limit.rate:g})"
