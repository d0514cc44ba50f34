"""From the file patterns of the configuration to files: the one place that expands them."""

from collections.abc import Iterable
from glob import glob
from pathlib import Path

from gwmorph.errors import StrainError

# What strain files are called, where a pattern names only their folder.
SUFFIXES = (".gwf", ".h5", ".hdf", ".hdf5")


def matching_files(key: str, patterns: Iterable[str]) -> list[str]:
    """Return the files that patterns name, each once, sorted.

    A pattern that is the name of a file is that file, whatever brackets the name holds. The name
    of a folder stands for the strain files in it, by their suffix. All else is a glob, ``**`` for
    any number of folders; folders that it matches are passed over.

    Parameters
    ----------
    key : the configuration's name of the patterns, for errors.
    patterns : relative ones start at the working directory.

    Raises
    ------
    StrainError
        A pattern names no file, or a link that leads nowhere.
    """
    return sorted({path for pattern in patterns for path in _matches(key, pattern)})


def _matches(key: str, pattern: str) -> list[str]:
    found = _named_by(pattern)
    for path in found:
        if not Path(path).exists():
            raise StrainError(
                f"{key}: {path} is a link to {Path(path).readlink()}, which is not there. Put the "
                "file back, or remove the link."
            )
    files = [path for path in found if not Path(path).is_dir()]
    if not files:
        inside = f" (a folder without {', '.join(SUFFIXES)})" if Path(pattern).is_dir() else ""
        raise StrainError(
            f"{key}: no file matches {pattern!r}{inside} (from {Path.cwd()}). Correct the pattern."
        )
    return files


def _named_by(pattern: str) -> list[str]:
    path = Path(pattern)
    if path.is_file():
        return [pattern]
    if path.is_dir():
        return [str(entry) for entry in path.iterdir() if entry.suffix in SUFFIXES]
    return glob(pattern, recursive=True)  # noqa: PTH207 (Path.glob refuses absolute patterns)
