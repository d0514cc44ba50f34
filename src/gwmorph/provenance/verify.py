"""Whether a run is still what its record says: inputs and outputs hashed once more."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from gwmorph.errors import GwmorphError
from gwmorph.provenance.hashes import read_hashes
from gwmorph.provenance.names import FACTS, INPUTS, OUTPUTS, OWN
from gwmorph.storage import read_json, sha256_of_file

Kind = Literal["differs", "missing", "new"]
# What a run leaves that is no result: times and messages of its jobs, and reports made of it.
_NO_RESULTS = ("logs", "benchmarks")
# Written after the lists, and the mark of a folder of results.
_APART = {OWN, "provenance/config.yaml", "schema.json"}
_STAMP = ".snakemake_timestamp"


class RecordError(GwmorphError):
    """A folder has no record of how it was made, or one that cannot be read."""


@dataclass(frozen=True)
class Difference:
    """A file that is not as the record says; ``path`` from the run's folder, or of an input."""

    kind: Kind
    path: str
    is_input: bool


@dataclass(frozen=True)
class Checked:
    """What came of a check: how many files were hashed, their bytes, and what differs."""

    files: int
    size: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Recorded:
    """A file that is to be hashed: where it lies now, and what the record says of it."""

    place: Path
    name: str
    sha256: str
    is_input: bool


def recorded_files(folder: Path, base: Path, cache: Path | None = None) -> list[Recorded]:
    """Return every file that the record of a run speaks of.

    ``folder`` is the run's. Inputs' paths start at ``base``, where snakemake was run; those in
    the run's cache at ``cache``, if it lies elsewhere now.

    Raises
    ------
    RecordError
        There is no record, or it calls a file outside of the run's folder an output.
    StorageError
        A list is damaged.
    """
    if not (folder / OWN).is_file():
        raise RecordError(
            f"{folder}: holds no record of how it was made ({OWN} is missing). `snakemake "
            "provenance` makes one, with the run's configuration."
        )
    found = [
        Recorded(_inside(folder, one, name), name, sha256, False)
        for one in (OUTPUTS, OWN)
        for name, sha256 in read_hashes(folder / one).items()
    ]
    old = Path(read_json(folder / FACTS)["configuration"]["source"]["cache"])
    for name, sha256 in read_hashes(folder / INPUTS).items():
        place = base / name
        if cache is not None and Path(name).is_relative_to(old):
            place = cache / Path(name).relative_to(old)
        found.append(Recorded(place, name, sha256, True))
    return found


def _inside(folder: Path, listed: str, name: str) -> Path:
    """Return where an output lies; a record may come from somebody else."""
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise RecordError(
            f"{folder / listed}: names {name!r}, outside of the run's folder. The record is "
            "damaged: `snakemake provenance` makes it anew."
        )
    return folder / name


def check(
    recorded: list[Recorded], folder: Path, told: Callable[[int], object] = lambda size: None
) -> Checked:
    """Hash what the record speaks of, and look for what it does not know.

    ``told`` gets the bytes of each file that was hashed.

    Raises
    ------
    StorageError
        A file is there and cannot be read.
    """
    differences, total, hashed = [], 0, 0
    for one in recorded:
        if not one.place.is_file():
            differences.append(Difference("missing", one.name, one.is_input))
            continue
        size = one.place.stat().st_size
        if sha256_of_file(one.place) != one.sha256:
            differences.append(Difference("differs", one.name, one.is_input))
        told(size)
        total, hashed = total + size, hashed + 1
    known = {one.name for one in recorded if not one.is_input}
    differences += [Difference("new", name, False) for name in sorted(_results(folder) - known)]
    return Checked(hashed, total, tuple(differences))


def size_of(recorded: list[Recorded]) -> int:
    """Return the bytes that a check has to read."""
    return sum(one.place.stat().st_size for one in recorded if one.place.is_file())


def _results(folder: Path) -> set[str]:
    """Return all files of a run's folder that may be results, by their path in it."""
    found = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != _STAMP
    }
    return {
        name
        for name in found - _APART
        if name.partition("/")[0] not in _NO_RESULTS
        and not ("/" not in name and name.endswith(".zip"))
    }


def describe(checked: Checked, listed: int = 20) -> list[str]:
    """Return lines that say what a check found, at most ``listed`` files of each kind."""
    lines = []
    meanings = {
        "differs": "not the recorded content",
        "missing": "in the record, and not there",
        "new": "there, and not in the record",
    }
    for kind, meaning in meanings.items():
        of_kind = [one for one in checked.differences if one.kind == kind]
        if of_kind:
            lines.append(f"{kind}: {len(of_kind):,} ({meaning})")
            lines += [
                f"  {'input ' if one.is_input else ''}{one.path}" for one in of_kind[:listed]
            ]
            if len(of_kind) > listed:
                lines.append(f"  and {len(of_kind) - listed:,} more")
    if not lines:
        return [f"same: {checked.files:,} files, {checked.size / 1e6:,.1f} MB"]
    return [*lines, f"hashed: {checked.files:,} files, {checked.size / 1e6:,.1f} MB"]
