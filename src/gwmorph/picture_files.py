"""Where a block's pictures are kept: PNGs in a folder, or the same PNGs in one ZIP archive.

A picture has a path either way: its folder's or its archive's, and then its own name.
"""

import io
import shutil
import struct
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from gwmorph.errors import StorageError, TableError
from gwmorph.storage import write_bytes

ARCHIVE = ".zip"
# Of members, so that the same pictures are the same bytes: the first that the format can say.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX, _FILE_MODE = 3, 0o100644 << 16
_ENCRYPTED = 1
# Archives that stay open: rows of a sample come from a few blocks at a time.
_OPEN = 8
# What the standard library raises on bytes that were altered.
_DAMAGED = (
    BadZipFile, OSError, ValueError, LookupError, EOFError, RuntimeError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip
_ADVICE = "Remove it and run the workflow again, which draws its block anew."


def is_archive(path: Path | str) -> bool:
    """Tell by its name whether pictures are, or will be, in an archive."""
    return Path(path).suffix == ARCHIVE


def is_packed(picture: Path | str) -> bool:
    """Tell whether the path of a picture leads into an archive."""
    return is_archive(Path(picture).parent) and not Path(picture).parent.is_dir()


def write_archive(path: Path | str, pictures: Mapping[str, bytes]) -> None:
    """Write PNGs by name into an archive, sorted and uncompressed: equal pictures, equal bytes.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    """
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_STORED) as archive:
        for name in sorted(pictures):
            member = ZipInfo(name, _NO_TIME)
            member.create_system, member.external_attr = _UNIX, _FILE_MODE
            archive.writestr(member, pictures[name])
    write_bytes(path, content.getvalue())


def picture_names(container: Path | str) -> list[str]:
    """Return the names of all pictures of a folder or an archive, sorted.

    Raises
    ------
    TableError
        An archive is missing or damaged.
    OSError
        A folder cannot be read.
    """
    container = Path(container)
    if is_archive(container) and not container.is_dir():
        return sorted(_archive(container).members)
    return sorted(path.name for path in container.iterdir() if not path.name.startswith("."))


def picture_exists(picture: Path | str) -> bool:
    """Tell whether there is a picture of this path.

    Raises
    ------
    TableError
        Its archive is damaged.
    """
    picture = Path(picture)
    if not is_packed(picture):
        return picture.is_file()
    return picture.parent.is_file() and picture.name in _archive(picture.parent).members


def picture_source(picture: Path | str) -> Path | io.BytesIO:
    """Return what a picture is read from: its file, or its bytes out of an archive.

    Raises
    ------
    TableError
        The archive is missing, has no such picture, or is damaged. Nothing is said of a file.
    """
    picture = Path(picture)
    return io.BytesIO(picture_bytes(picture)) if is_packed(picture) else picture


def picture_bytes(picture: Path | str) -> bytes:
    """Return the bytes of a picture's PNG; those of an archive fit its checksums.

    Raises
    ------
    TableError
        The archive is missing, has no such picture, or is damaged.
    OSError
        The file cannot be read.
    """
    picture = Path(picture)
    if not is_packed(picture):
        return picture.read_bytes()
    return _archive(picture.parent).read(picture.name)


def containers_in(folder: Path | str) -> list[Path]:
    """Return the folders and archives of pictures in a run's folder, sorted.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    return sorted(path for path in Path(folder).iterdir() if not path.name.startswith("."))


def container(folder: Path) -> Path:
    """Return what has the pictures that ``folder`` is named after: itself, or an archive."""
    archive = folder.with_name(folder.name + ARCHIVE)
    return archive if archive.is_file() else folder


def remove_other(container: Path) -> None:
    """Remove what has the same pictures in the other way, from a run that kept them so.

    Raises
    ------
    StorageError
        It cannot be removed.
    """
    if is_archive(container):
        other = container.with_suffix("")
    else:
        other = container.with_name(container.name + ARCHIVE)
    try:
        if other.is_dir():
            shutil.rmtree(other)
        else:
            other.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{other}: cannot be removed ({error}), and pictures are kept in {container.name} "
            "now. Remove it and run again."
        ) from error


@dataclass(frozen=True)
class _Archive:
    """An open archive, of which threads read one at a time."""

    path: Path
    file: ZipFile
    members: Mapping[str, ZipInfo]
    turn: threading.Lock = field(default_factory=threading.Lock)

    def read(self, name: str) -> bytes:
        """Return the bytes of a member, which is looked up by name and never unpacked."""
        member = self.members.get(name)
        if member is None:
            raise TableError(f"{self.path}: has no picture {name}. {_ADVICE}")
        try:
            with self.turn:
                return self.file.read(member)
        except _DAMAGED as error:
            raise TableError(
                f"{self.path}: its picture {name} is damaged ({error}). {_ADVICE}"
            ) from error


def _archive(path: Path) -> _Archive:
    """Open an archive, or take one that is open and still the same file."""
    try:
        found = path.stat()
    except OSError as error:
        raise TableError(
            f"{path}: cannot be read ({error}). Run the workflow again, which draws its block."
        ) from error
    return _opened(path, found.st_ino, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=_OPEN)
def _opened(path: Path, inode: int, size: int, changed: int) -> _Archive:
    try:
        file = ZipFile(path)
        members = file.infolist()
    except _DAMAGED as error:
        raise TableError(
            f"{path}: not a whole ZIP archive of pictures ({error}). {_ADVICE}"
        ) from error
    for member in members:
        if (fault := _fault_of(member, size)) is not None:
            file.close()
            raise TableError(f"{path}: its picture {member.filename!r:.80} {fault}. {_ADVICE}")
    by_name = {member.filename: member for member in members}
    if len(by_name) != len(members):
        file.close()
        raise TableError(f"{path}: has two pictures of one name. {_ADVICE}")
    return _Archive(path, file, by_name)


def _fault_of(member: ZipInfo, size: int) -> str | None:
    """Return what no archive of `write_archive` of so many bytes has, if a member has it."""
    if member.filename in ("", "..") or Path(member.filename).name != member.filename:
        return "has no plain name, but one of folders"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if member.compress_type != ZIP_STORED or member.compress_size != member.file_size:
        return "is compressed, expected one that is stored as it is"
    if member.file_size > size:
        return f"has {member.file_size} bytes, more than the archive's {size}"
    return None
