"""Outputs that are either whole or absent."""

import errno
import fcntl
import hashlib
import json
import logging
import math
import os
import re
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from gwmorph.errors import StorageError

_HASH_CHUNK = 1 << 20
# The key of JSON's checksum of itself.
_CHECKSUM = "crc32"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_log = logging.getLogger(__name__)


@contextmanager
def atomic_path(path: Path | str, *, locked_by_others: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block ends well.

    The temporary file is removed when the block raises, so that a failed write never leaves half
    a file under the final name. What a killed process left is taken over by whoever writes the
    same file next. Who may read the file is up to the umask, as for any other file.

    ``locked_by_others`` says that a library in the block locks the temporary file itself, as HDF5
    does: it then has a name of its own, and stays behind a killed process.

    Raises
    ------
    StorageError
        The disk is full or the folder cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial, held = _own(path) if locked_by_others else _claimed(path)
    except OSError as error:
        raise _storage_error(path, error) from error
    try:
        with ExitStack() as unless_replaced:
            unless_replaced.callback(partial.unlink, missing_ok=True)
            yield partial
            partial.replace(path)
            # The next process may have begun another of this name.
            unless_replaced.pop_all()
    except OSError as error:
        raise _storage_error(path, error) from error
    finally:
        os.close(held)


def _claimed(path: Path) -> tuple[Path, int]:
    """Return an empty file beside ``path`` that no other process writes, and what holds it.

    Its name is always the same, unless another process is writing there at this time, or the file
    system has no locks.
    """
    usual = path.with_name(f".{path.name}.part")
    with suppress(OSError):
        held = os.open(usual, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have given it its final name meanwhile.
            if os.path.samestat(os.fstat(held), usual.stat()):
                os.ftruncate(held, 0)
                return usual, held
        except OSError:
            os.close(held)
            raise
        os.close(held)
    return _own(path)


def _own(path: Path) -> tuple[Path, int]:
    """Return an empty file beside ``path`` of a name that no other has, and what is open of it."""
    own = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    return own, os.open(own, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)


def _storage_error(path: Path, error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"{path}: no space left on the disk; nothing was written. "
            "Free some space and run again: finished outputs are kept."
        )
    return StorageError(f"{path}: cannot be written ({error}).")


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write ``content`` to ``path`` in one step."""
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def append_line(path: Path | str, line: str) -> None:
    """Add a line to a file, which is made if absent; it is on the disk when this returns.

    Who dies meanwhile leaves a part of it at most, which `cut_unfinished_line` takes off.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with Path(path).open("ab") as stream:
        stream.write(f"{line}\n".encode())
        stream.flush()
        os.fsync(stream.fileno())


def cut_unfinished_line(path: Path | str) -> None:
    """Take off what follows a file's last line end; the file is made if absent.

    Raises
    ------
    OSError
        The file cannot be read or written.
    """
    with Path(path).open("ab+") as stream:
        stream.seek(0)
        whole = 0
        for line in stream:
            whole += len(line) if line.endswith(b"\n") else 0
        stream.truncate(whole)


@contextmanager
def locked(path: Path | str, refusal: str) -> Iterator[None]:
    """Hold a file, which is made if absent, so that no other process can.

    Raises
    ------
    StorageError
        Another one holds it; ``refusal`` is the error's text.
    OSError
        The file cannot be opened.
    """
    with Path(path).open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(refusal) from error
        yield


def write_json(path: Path | str, content: Any) -> None:
    """Write ``content`` as indented JSON with sorted keys, so equal content is equal bytes."""
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"
    write_bytes(path, text.encode())


def write_json_if_changed(path: Path | str, content: Any) -> None:
    """Write JSON only when the file's content would differ, so that its mtime means something."""
    path = Path(path)
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_bytes(path, text.encode())


def parse_json(text: str | bytes) -> Any:
    """Return what a text in JSON says.

    Raises
    ------
    ValueError
        It is not JSON, holds a number that is not finite, or is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number


Record = Mapping[str, Any]


def write_sealed_json(path: Path | str, content: Record | Sequence[Record]) -> None:
    """Write a record, or a list of records, that another stage reads, each with a checksum.

    `read_json` compares and removes it.
    """
    if isinstance(content, Mapping):
        write_json(path, _sealed(content))
    else:
        write_json(path, [_sealed(record) for record in content])


def _sealed(record: Record) -> dict[str, Any]:
    plain = json.loads(json.dumps(dict(record)))  # with texts as keys
    return {**plain, _CHECKSUM: _json_checksum(plain)}


def unsealed(content: Any) -> Any:
    """Return content that was read from JSON without checksums; what has none stays as it is.

    Raises
    ------
    ValueError
        The checksum is not that of the content.
    """
    if isinstance(content, list):
        return [unsealed(part) for part in content]
    if not isinstance(content, dict) or _CHECKSUM not in content:
        return content
    rest = {key: value for key, value in content.items() if key != _CHECKSUM}
    if content[_CHECKSUM] != _json_checksum(rest):
        raise ValueError(f"its {_CHECKSUM} is that of other content")
    return rest


def _json_checksum(content: Any) -> str:
    return f"{zlib.crc32(json.dumps(content, sort_keys=True).encode()):08x}"


def read_json(path: Path | str) -> Any:
    """Return the content of a JSON file that this program wrote, without its checksum.

    Raises
    ------
    StorageError
        The file cannot be read, is not JSON, or has a checksum of other content.
    """
    try:
        return unsealed(parse_json(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error}).") from error
    except ValueError as error:
        raise StorageError(
            f"{path}: damaged, it is not JSON as it was written ({error}). Remove it and run "
            "snakemake again, which makes it anew."
        ) from error


def sha256_of_file(path: Path | str) -> str:
    """Return the hexadecimal SHA-256 of a file's content.

    Raises
    ------
    StorageError
        The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while chunk := stream.read(_HASH_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be read ({error}). Let it be read, or put it back."
        ) from error
    return digest.hexdigest()


def record_path(path: Path) -> Path:
    """Return the name of the file beside ``path`` that records its SHA-256."""
    return path.with_name(f"{path.name}.sha256")


def record_sha256(path: Path, digest: str) -> None:
    """Write ``digest`` beside ``path``, in the format that ``sha256sum --check`` reads."""
    write_bytes(record_path(path), f"{digest}  {path.name}\n".encode())


def recorded_sha256(path: Path) -> str | None:
    """Return the SHA-256 recorded beside ``path``, or None where no record holds one."""
    record = record_path(path)
    if not record.is_file():
        return None
    words = record.read_text(encoding="utf-8", errors="replace").split()
    return words[0] if words and _SHA256.fullmatch(words[0]) else None


def keep(path: Path, make: Callable[[Path], None]) -> None:
    """Let ``make`` write ``path`` whole, unless it is there unharmed from an earlier time.

    A file is trusted when the SHA-256 kept beside it is that of its content; any other is made
    anew. Several processes may keep the same file: each has a whole one afterwards.
    """
    recorded = recorded_sha256(path) if path.is_file() else None
    if recorded is not None:
        if sha256_of_file(path) == recorded:
            return
        _log.warning("%s: damaged in the cache; it is made anew.", path)
    make(path)
    record_sha256(path, sha256_of_file(path))


def content_hash(content: Any) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of ``content`` as canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
