"""Receipts: which local files a block's strain came from, between the fetching and the reading."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from gwmorph.errors import StrainError
from gwmorph.storage import parse_json, unsealed, write_sealed_json
from gwmorph.strain.base import LocalFile


def write_receipts(path: Path | str, files: Sequence[LocalFile], root: Path | None = None) -> None:
    """Write the receipts of one block's files as JSON, with paths from the folder ``root`` on.

    A cache that was moved as a whole is then the same one.
    """
    if root is not None:
        files = [replace(file, path=str(Path(file.path).relative_to(root))) for file in files]
    write_sealed_json(path, [file.to_json() for file in files])


def verified_files(paths: Iterable[Path | str], root: Path = Path()) -> list[LocalFile]:
    """Read receipts and check that every file is still the one that was received.

    Paths of receipts start at the folder ``root``. A file that several receipts hold comes once.
    Sorted by start, then rank.

    Raises
    ------
    StrainError
        A file vanished or changed, or a receipt is damaged; the error names the receipt to remove
        to fetch it again.
    """
    held = _received(paths, root)
    for file, receipt in held:
        _verify(file, receipt)
    return [file for file, _ in held]


def received_files(paths: Iterable[Path | str], root: Path = Path()) -> list[LocalFile]:
    """Return what `verified_files` returns, without reading the files, which may be terabytes.

    Raises
    ------
    StrainError
        A receipt is damaged.
    """
    return [file for file, _ in _received(paths, root)]


def _received(paths: Iterable[Path | str], root: Path) -> list[tuple[LocalFile, Path | str]]:
    """Return the files of some receipts, once for each detector, with its first receipt."""
    # One file may hold several detectors' strain.
    files: dict[tuple[str, str], tuple[LocalFile, Path | str]] = {}
    for path in paths:
        for received in read_receipts(path):
            file = replace(received, path=str(root / received.path))
            files.setdefault((file.detector, file.path), (file, path))
    return sorted(files.values(), key=lambda held: (held[0].gps_start, held[0].rank))


def read_receipts(path: Path | str) -> list[LocalFile]:
    """Read what :func:`write_receipts` wrote; the files themselves are not looked at.

    Raises
    ------
    StrainError
        The receipts are damaged.
    """
    try:
        return [
            LocalFile.from_json(content)
            for content in unsealed(parse_json(Path(path).read_text(encoding="utf-8")))
        ]
    except (OSError, ValueError, TypeError) as error:
        raise StrainError(
            f"{path}: not a readable receipt ({error}). Remove it and run the workflow again."
        ) from error


def _verify(file: LocalFile, receipt: Path | str) -> None:
    try:
        file.verify()
    except StrainError as error:
        raise StrainError(
            f"{error}\nTo obtain it again, remove {receipt} and run the workflow again."
        ) from error
