"""From the file patterns of the configuration to files: the one place that expands them."""

import errno
from collections.abc import Callable, Iterable
from glob import glob
from pathlib import Path

from gwmorph.errors import StrainError
from gwmorph.strain.reader import detector_of_file

# What strain files are called, where a pattern names only their folder.
SUFFIXES = (".gwf", ".h5", ".hdf", ".hdf5")


def matching_files(key: str, detector: str, patterns: Iterable[str]) -> list[str]:
    """Return the files that patterns name, each once, sorted.

    A pattern that is the name of a file is that file, whatever brackets the name holds. The name
    of a folder stands for the strain files in it, by their suffix, but for those whose names tell
    another detector. All else is a glob, ``**`` for any number of folders; folders that it matches
    are passed over.

    Parameters
    ----------
    key : the configuration's name of the patterns of all detectors, for errors.
    detector : prefix, as H1.
    patterns : relative ones start at the working directory.

    Raises
    ------
    StrainError
        A pattern names no file, or a link that leads nowhere.
    """
    return sorted({path for pattern in patterns for path in _matches(key, detector, pattern)})


def _matches(key: str, detector: str, pattern: str) -> list[str]:
    folder = path_is(Path.is_dir, pattern)
    found = _in_folder(detector, pattern) if folder else _named_by(pattern)
    for path in found:
        if not Path(path).exists():
            raise StrainError(
                f"{key}.{detector}: {path} is a link to {Path(path).readlink()}, which is not "
                "there. Put the file back, or remove the link."
            )
    files = [path for path in found if not Path(path).is_dir()]
    if not files:
        suffixes = f" (a folder without {', '.join(SUFFIXES)} of {detector})"
        inside = suffixes if folder else ""
        raise StrainError(
            f"{key}.{detector}: no file matches {pattern!r}{inside} (from {Path.cwd()}). Correct "
            "the pattern."
        )
    return files


def path_is(what: Callable[[Path], bool], name: str) -> bool:
    """Return ``what`` of a path, as that it is a file; no path has a name that is too long."""
    try:
        return what(Path(name))
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


def _in_folder(detector: str, folder: str) -> list[str]:
    strain = [path for path in Path(folder).iterdir() if path.suffix in SUFFIXES]
    return [str(path) for path in strain if detector_of_file(path) in (None, detector)]


def _named_by(pattern: str) -> list[str]:
    if path_is(Path.is_file, pattern):
        return [pattern]
    return glob(pattern, recursive=True)  # noqa: PTH207 (Path.glob refuses absolute patterns)
