"""Event records of the blocks in a scan's folder."""

from collections.abc import Iterable
from pathlib import Path

from gwmorph.errors import StorageError
from gwmorph.scanner.alerts import Origin, Record, event_records
from gwmorph.scanner.outbox import line_of
from gwmorph.scanner.record import ABOUT, read_block
from gwmorph.scanner.summary import BlockSummary
from gwmorph.storage import read_json


def origin_of(folder: Path, links: str) -> Origin:
    """Return what the records of a scan have in common, as its folder says.

    Raises
    ------
    StorageError
        The folder does not say it.
    """
    about = read_json(folder / ABOUT)
    try:
        names = ("version", "atlas", "render_id", "encoder_id")
        return Origin(**{name: about[name] for name in names}, links=links)
    except (KeyError, TypeError) as error:
        raise StorageError(
            f"{folder / ABOUT}: does not say by what the scan's blocks are judged ({error}). Scan "
            "into another folder."
        ) from error


def records_of(folder: Path, summary: BlockSummary, origin: Origin) -> list[Record]:
    """Return the event records of a finished block.

    Raises
    ------
    TableError
        Its tables cannot be read.
    """
    if not summary.novel_windows:
        return []
    return event_records(summary.folder, *read_block(folder, summary), origin)


def event_lines(folder: Path, blocks: Iterable[BlockSummary], links: str) -> str:
    """Return the event records of a scan's blocks, a line of JSON each, as a receiver gets them.

    Raises
    ------
    StorageError, TableError
        What the folder holds cannot be read.
    """
    origin = origin_of(folder, links)
    found = (one for block in blocks for one in records_of(folder, block, origin))
    return "".join(f"{line_of(record)}\n" for record in found)
