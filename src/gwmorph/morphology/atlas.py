"""The atlas: what new data are judged by, as one folder that can be copied anywhere.

``manifest.json`` says where it comes from, what its limits promise, and the SHA-256 of every other
part. An atlas with a part missing or altered is refused.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from secrets import token_hex
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.errors import CalibrationError, StorageError, TableError
from gwmorph.morphology.thresholds import Limit
from gwmorph.storage import read_json, sha256_of_file, write_json
from gwmorph.tables.calibration import THRESHOLDS
from gwmorph.tables.parquet import read_metadata, read_table
from gwmorph.tables.validation import REFERENCE

MANIFEST = "manifest.json"
CONFIG = "config.yaml"
FORMAT = 1
_NEW_ONE = "Copy the atlas again, whole, or make it anew with `snakemake calibrate`."
# What a manifest says, and of which type.
_KEYS: Mapping[str, type] = {
    "format": int,
    "run": str,
    "detectors": list,
    "gps_start": int,
    "gps_end": int,
    "render_id": str,
    "encoder_id": str,
    "config_hash": str,
    "promise": str,
    "rate": float,
    "agreeing": float,
    "neighbors": int,
    "views": list,
    "parts": dict,
}


@dataclass(frozen=True)
class About:
    """Where an atlas comes from and what its limits promise.

    ``gps_start`` and ``gps_end`` bound the run, s; ``rate``, ``promise``, ``agreeing`` and
    ``neighbors`` are keys of its configuration, whose hash is ``config_hash``.
    """

    run: str
    detectors: tuple[str, ...]
    gps_start: int
    gps_end: int
    render_id: str
    encoder_id: str
    config_hash: str
    promise: str
    rate: float
    agreeing: float
    neighbors: int
    views: tuple[str, ...]


@dataclass(frozen=True)
class Atlas:
    """An atlas whose parts are whole: its folder, its manifest, and the SHA-256 of each part."""

    folder: Path
    about: About
    parts: Mapping[str, str]

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

    def _part(self, view: str, name: str) -> Path:
        if view not in self.about.views:
            raise CalibrationError(
                f"{self.folder}: expected views of {view}s, got an atlas of "
                f"{', '.join(self.about.views)}. Name an atlas of this view, or cluster another."
            )
        return self.folder / view / name


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


def rate_of(thresholds: pa.Table, asked: float) -> float:
    """Return the rate of limits, rows of THRESHOLDS, or, without any, what is asked for.

    Those of another atlas keep theirs, whatever this run asks for.
    """
    return pc.max(thresholds["rate"]).as_py() if len(thresholds) else asked


def write_atlas(
    folder: Path, about: About, tables: Mapping[str, Mapping[str, Path]], config: str
) -> None:
    """Write an atlas; it appears whole or not at all.

    Parameters
    ----------
    folder
        To be made; what is there is replaced.
    tables
        For each view the files of its ``reference`` and ``thresholds``.
    config
        The run's resolved configuration, YAML: how strain becomes vectors.

    Raises
    ------
    StorageError
        It cannot be written.
    TableError
        A table says that it was made in another way than ``about`` says.
    """
    for files in tables.values():
        for path in files.values():
            _require_made_alike(path, about)
    partial = folder.with_name(f".{folder.name}.{token_hex(8)}.part")
    try:
        for view, files in tables.items():
            (partial / view).mkdir(parents=True)
            for name, path in files.items():
                shutil.copyfile(path, partial / view / f"{name}.parquet")
        (partial / CONFIG).write_text(config, encoding="utf-8")
        parts = sorted(path for path in partial.rglob("*") if path.is_file())
        hashes = {path.relative_to(partial).as_posix(): sha256_of_file(path) for path in parts}
        write_json(partial / MANIFEST, _manifest(about, hashes))
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written ({error}).") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _require_made_alike(path: Path, about: About) -> None:
    found = read_metadata(path)
    for name in ("render_id", "encoder_id"):
        got, expected = found.get(f"gwmorph.{name}"), getattr(about, name)
        if got != expected:
            raise TableError(
                f"{path}: expected {name} {expected!r} as all parts of this atlas, got {got!r}. "
                "Remove the older tables and run again."
            )


def _manifest(about: About, hashes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        **vars(about),
        "detectors": list(about.detectors),
        "views": list(about.views),
        "parts": dict(hashes),
    }


def read_atlas(folder: Path | str) -> Atlas:
    """Read an atlas's manifest, and check every part.

    Raises
    ------
    CalibrationError
        There is no manifest, it is damaged or of another format, or a part is missing or altered;
        the error names it.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder / MANIFEST)
    parts: dict[str, str] = manifest["parts"]
    needed = [
        f"{view}/{name}.parquet"
        for view in manifest["views"]
        for name in ("reference", "thresholds")
    ]
    for name in [*parts, *needed, CONFIG]:
        _check_part(folder, name, parts.get(name))
    own = {key: manifest[key] for key in _KEYS if key not in ("format", "parts")}
    about = About(**{**own, "detectors": tuple(own["detectors"]), "views": tuple(own["views"])})
    return Atlas(folder, about, parts)


def _read_manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CalibrationError(
            f"{path}: no such file, so {path.parent} is no atlas. Name the folder "
            "results/NAME/calibration/atlas of a run whose `snakemake calibrate` is finished."
        )
    try:
        found = read_json(path)
    except StorageError as error:
        raise CalibrationError(f"{path}: damaged ({error}). {_NEW_ONE}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        got = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise CalibrationError(
            f"{path}: expected a manifest of format {FORMAT}, got {got!r}. {_NEW_ONE}"
        )
    for key, kind in _KEYS.items():
        wanted = (int, float) if kind is float else kind
        if not isinstance(found.get(key), wanted):
            raise CalibrationError(
                f"{path}: {key}: expected {kind.__name__}, got {found.get(key)!r}. {_NEW_ONE}"
            )
    return found


def _check_part(folder: Path, name: str, expected: str | None) -> None:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise CalibrationError(f"{folder / MANIFEST}: names {name!r}, outside of the atlas.")
    path = folder / name
    if expected is None:
        raise CalibrationError(f"{folder / MANIFEST}: says nothing of {name}. {_NEW_ONE}")
    if not path.is_file():
        raise CalibrationError(f"{path}: this part of the atlas is missing. {_NEW_ONE}")
    got = sha256_of_file(path)
    if got != expected:
        raise CalibrationError(
            f"{path}: this part of the atlas was altered: expected SHA-256 {expected}, got {got}. "
            f"{_NEW_ONE}"
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
    whom = {"each_class": "of each class", "overall": "of all classes together"}
    lines = [
        f"{atlas.folder}: whole, all {len(atlas.parts)} parts are as they were written",
        f"run {about.run}: {', '.join(about.detectors)}, GPS {about.gps_start} to {about.gps_end}",
        f"render id {about.render_id}",
        f"encoder id {about.encoder_id}",
        f"configuration {about.config_hash}",
        f"NOVEL: at most {about.rate:g} {whom.get(about.promise, about.promise)}; KNOWN: "
        f"{about.agreeing:g} of {about.neighbors} neighbours agree",
    ]
    for view in about.views:
        lines.append(f"{view}s: {len(atlas.reference(view))} labelled rows")
        held = {one.label: one for one in atlas.limits(view)}
        lines += [
            f"  {one.label or 'all as one'}: {one.members} rows, NOVEL below a cosine of "
            f"{one.limit:.4f}" + _granted(one)
            for one in held.values()
        ]
        alone = sorted(set(atlas.reference(view)["label"].to_pylist()) - held.keys())
        lines += [f"  {label}: one row, no limit" for label in alone]
    return "\n".join(lines)


def _granted(limit: Limit) -> str:
    if limit.granted <= limit.rate:
        return ""
    return f" (of {limit.granted:.2g}: too few for {limit.rate:g})"
