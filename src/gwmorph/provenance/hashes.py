"""Lists of files with their SHA-256, as ``sha256sum --check`` reads them."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gwmorph.errors import StorageError
from gwmorph.storage import sha256_of_file, write_bytes

_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64}) [ *](?P<path>.+)")
# What Snakemake leaves in a folder that is an output.
_STAMP = ".snakemake_timestamp"


@dataclass(frozen=True)
class HashedFile:
    """A file by its ``path``, the ``sha256`` of its content, and its ``size`` in bytes."""

    path: str
    sha256: str
    size: int


def files_below(root: Path, names: Iterable[str]) -> list[str]:
    """Return all files that some names in the folder ``root`` stand for, sorted, from ``root`` on.

    A folder's name stands for all files in it, but for Snakemake's own mark.

    Raises
    ------
    StorageError
        There is nothing of such a name, or a name has a line break in it.
    """
    found: set[str] = set()
    for name in names:
        path = root / name
        if path.is_dir():
            found.update(_files_of_folder(root, path))
        elif path.is_file():
            found.add(name)
        else:
            raise StorageError(f"{path}: no such file. Run snakemake again, which makes it anew.")
    broken = [name for name in found if "\n" in name]
    if broken:
        raise StorageError(f"{root}: {broken[0]!r} has a line break in its name. Give it another.")
    return sorted(found)


def _files_of_folder(root: Path, folder: Path) -> Iterable[str]:
    for place, _, names in os.walk(folder):
        for name in names:
            if name != _STAMP:
                yield (Path(place) / name).relative_to(root).as_posix()


def hash_files(
    root: Path, names: Iterable[str], told: Callable[[int], object] = lambda size: None
) -> list[HashedFile]:
    """Hash some files of the folder ``root``; ``told`` gets the bytes of each that is done.

    Raises
    ------
    StorageError
        A file cannot be read.
    """
    hashed = []
    for name in names:
        file = HashedFile(name, sha256_of_file(root / name), (root / name).stat().st_size)
        told(file.size)
        hashed.append(file)
    return hashed


def lines_hash(files: Iterable[HashedFile]) -> str:
    """Return the SHA-256 of some files' lines in such a list, by which a folder is known."""
    return hashlib.sha256("".join(map(_line, files)).encode()).hexdigest()


def _line(file: HashedFile) -> str:
    return f"{file.sha256}  {file.path}\n"


def write_hashes(path: Path, files: Iterable[HashedFile]) -> None:
    """Write a list of files and hashes, sorted by path.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    ordered = sorted(files, key=lambda file: file.path)
    write_bytes(path, "".join(map(_line, ordered)).encode())


def read_hashes(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a list, by path.

    Raises
    ------
    StorageError
        There is no such list, or it is damaged; the error names the line.
    """
    try:
        # Names may hold whatever else ends a line of text.
        lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"{path}: cannot be read ({error}). `snakemake provenance` makes it anew."
        ) from error
    hashes = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise StorageError(
                f"{path}:{number}: expected a SHA-256 and a path, got {line[:80]!r}. The list is "
                "damaged: `snakemake provenance` makes it anew."
            )
        hashes[match["path"]] = match["sha256"]
    return hashes
