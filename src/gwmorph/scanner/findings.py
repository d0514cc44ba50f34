"""What is said of a block once it was judged, or could not be."""

import time
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from igwn_segments import segment, segmentlist

from gwmorph.grid import BLOCK_S, Grid
from gwmorph.ledger import ANALYSED, MEANING, Reason
from gwmorph.morphology.status import Status, counts
from gwmorph.scanner.assembly import BlockFiles
from gwmorph.scanner.clock import gps_now
from gwmorph.scanner.drawing import DrawingTask, DrawnBlock
from gwmorph.scanner.examination import Examined
from gwmorph.scanner.summary import BlockSummary
from gwmorph.segments import livetime
from gwmorph.tables.scan import DONE_BLOCK, FAILED, FAILED_BLOCK, SCAN_TRIGGERS, SCAN_WINDOWS


def summary_of(
    task: DrawingTask,
    drawn: DrawnBlock | None,
    windows: pa.Table,
    triggers: pa.Table,
    gaps: tuple[tuple[int, int], ...],
    why: str | None,
) -> BlockSummary:
    """Return the summary of a block, without an alarm.

    Parameters
    ----------
    drawn
        What drawing it gave; None where that failed.
    windows, triggers
        Its rows of SCAN_WINDOWS and SCAN_TRIGGERS.
    gaps
        From `gaps_of`.
    why
        Why it failed; None where it did not.
    """
    statuses = np.array(windows["status"].to_pylist(), dtype=str)
    analysed = windows.filter(pc.not_equal(windows["status"], Status.EXCLUDED.value))
    of_events = np.array(triggers["status"].drop_null().to_pylist(), dtype=str)
    novel = [
        table.filter(pc.equal(table["status"], Status.NOVEL.value))["gps_start"].to_pylist()
        for table in (windows, triggers)
    ]
    latencies = windows["latency_s"].drop_null().to_pylist()
    end = min(task.gps_start + BLOCK_S, max(file.end for file in task.own))
    return BlockSummary(
        status=DONE_BLOCK if why is None else FAILED_BLOCK,
        why=why,
        detector=task.detector,
        gps_start=task.gps_start,
        duration_s=BLOCK_S,
        strain_s=end - task.gps_start,
        windows=counts(statuses),
        excluded=dict(Counter(windows["reason"].drop_null().to_pylist()).most_common()),
        events={
            status: count
            for status, count in counts(of_events).items()
            if status not in (Status.EXCLUDED, Status.QUIET)
        },
        novel_windows=tuple(sorted({*novel[0], *novel[1]})),
        science_s=0 if drawn is None else drawn.science_s,
        livetime_s=livetime(analysed["gps_start"].to_pylist(), task.grid.duration),
        gaps=gaps,
        files=tuple(str(file.path) for file in task.own),
        faults=() if drawn is None else drawn.faults,
        behind_s=gps_now() - end,
        latency_s=max(latencies, default=None),
        took_s=0.0 if drawn is None else drawn.took_s,
    )


def gaps_of(files: BlockFiles, scanned: Iterable[BlockSummary]) -> tuple[tuple[int, int], ...]:
    """Return the GPS spans of a block, and before it up to the last scanned one, without a file.

    ``scanned`` are blocks of any detector.
    """
    covered = files.covered()
    first = max(files.gps_start, min(held.file.start for held in files.own))
    last = min(files.gps_start + BLOCK_S, covered[-1][1])
    earlier = [
        min(block.strain_end, first)
        for block in scanned
        if block.detector == files.detector and block.gps_start < files.gps_start
    ]
    whole = segmentlist([segment(max(earlier, default=first), last)])
    return tuple((int(start), int(end)) for start, end in whole - covered)


def too_much_lost(drawn: DrawnBlock, allowed: float) -> str | None:
    """Return why a block is FAILED although it was read, if it is.

    Too many of its windows inside science are lost, not counting those that lack context, since
    strain begins and ends somewhere; or none is left. Where there is no science, nothing is lost.
    """
    reasons = [row["reason"] for row in drawn.ledger if row["status"] != ANALYSED]
    found = Counter(reasons)
    edges = found[Reason.CONTEXT.value]
    lost, of_all = len(reasons) - edges, len(drawn.ledger) - edges
    told = ", ".join(
        f"{count} {reason} ({MEANING[Reason(reason)]})" for reason, count in found.most_common()
    )
    if lost > allowed * of_all:
        return (
            f"{lost} of {of_all} windows are lost, more than run.max_excluded_fraction "
            f"({allowed:g}) allows: {told}."
        )
    if reasons and len(reasons) == len(drawn.ledger):
        return f"none of its windows could be analysed: {told}."
    return None


def nothing_known(task: DrawingTask, why: str) -> Examined:
    """Return a row for each window of a block of which nothing was found out, and why."""
    blank = dict.fromkeys(SCAN_WINDOWS.names)
    rows = [
        {
            **blank,
            "detector": task.detector,
            "gps_start": start,
            "duration_s": task.grid.duration,
            "status": Status.EXCLUDED.value,
            "reason": FAILED,
            "detail": why,
            "events": 0,
        }
        for start in task.windows()
    ]
    windows = pa.Table.from_pylist(rows, schema=SCAN_WINDOWS)
    return Examined(windows, SCAN_TRIGGERS.empty_table(), {})


def with_latency(found: Examined, files: BlockFiles, grid: Grid) -> tuple[pa.Table, pa.Table]:
    """Return a block's windows and triggers with how long each was waited for."""
    now = time.monotonic()
    held = [*files.own, *files.around]

    def latency(start: int) -> float:
        needed = segment(start - grid.context, start + grid.duration + grid.context)
        return now - max(
            one.since for one in held if segment(one.file.start, one.file.end).intersects(needed)
        )

    def filled(table: pa.Table, judged: list[bool]) -> pa.Table:
        starts = table["gps_start"].to_pylist()
        values = [latency(t) if asked else None for t, asked in zip(starts, judged, strict=True)]
        place = table.schema.get_field_index("latency_s")
        return table.set_column(place, table.schema.field(place), pa.array(values, pa.float64()))

    looked_at = pc.not_equal(found.windows["status"], Status.EXCLUDED.value).to_pylist()
    return filled(found.windows, looked_at), filled(found.triggers, [True] * len(found.triggers))
