"""What a person is told of a block, as lines of text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwmorph.morphology.status import Status
from gwmorph.scanner.alerts import is_like_a_chirp
from gwmorph.scanner.record import TRIGGER_TABLE
from gwmorph.scanner.summary import BlockSummary
from gwmorph.tables.parquet import read_table
from gwmorph.tables.scan import SCAN_TRIGGERS
from gwmorph.wording import counted

_EVENTS = 20


def lines_of(block: BlockSummary, folder: Path) -> list[str]:
    """Return what there is to say of a block whose results are in the scan's ``folder``.

    Of its events those that are NOVEL or like a chirp are named, the loudest ones where they are
    many.

    Raises
    ------
    TableError
        Its table of triggers cannot be read.
    """
    where = f"{block.detector} GPS {block.gps_start} to {block.gps_end}"
    if block.failed:
        return [f"{where}: FAILED, nothing is known of it. {block.why}", *_beside(block)]
    windows = ", ".join(f"{n} {status}" for status, n in block.windows.items() if n)
    lines = [f"{where}: {windows} windows; {_lost(block)}{block.livetime_s} s analysed"]
    rows = read_table(folder / block.folder / TRIGGER_TABLE, SCAN_TRIGGERS).to_pylist()
    telling = sorted(filter(_is_telling, rows), key=lambda row: -row["snr"])
    shown = sorted(telling[:_EVENTS], key=lambda row: row["trigger_time"])
    lines += [f"  {_event(row)}" for row in shown]
    if len(telling) > _EVENTS:
        lines.append(f"  and {counted(len(telling) - _EVENTS, 'fainter one')}")
    return [*lines, *_beside(block)]


def _beside(block: BlockSummary) -> list[str]:
    lines = [f"  no strain from GPS {start} to {end}" for start, end in block.gaps]
    lines += [f"  beside it: {fault}" for fault in block.faults]
    if block.alarm is not None:
        lines.append(block.alarm.text)
    return lines


def _lost(block: BlockSummary) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in block.excluded.items())
    return f"excluded: {reasons}; " if reasons else ""


def _is_telling(row: Mapping[str, Any]) -> bool:
    return row["status"] == Status.NOVEL or is_like_a_chirp(row)


def _event(row: Mapping[str, Any]) -> str:
    what = row["status"] or "not judged"
    if row["named"]:
        margin = "" if row["margin"] is None else f", {row['margin']:+.3f} from the limit"
        what += (
            f", nearest to {row['named']!r} ({row['agreeing']:.0%} of its neighbours, cosine "
            f"{row['similarity']:.3f}{margin})"
        )
    likeness = row["chirp_likeness"]
    if likeness is not None:
        kind = "like a chirp" if is_like_a_chirp(row) else "not like a chirp"
        what += f"; {kind} (likeness {likeness:.1f}"
        if is_like_a_chirp(row) and row["chirp_mass"] is not None:
            what += f", chirp mass about {row['chirp_mass']:.0f} solar masses"
        what += ")"
    return (
        f"GPS {row['trigger_time']:.3f}, {row['peak_frequency']:.0f} Hz, SNR {row['snr']:.1f}: "
        f"{what}"
    )
