"""Segment lists: closed-open spans ``[start, end)`` of whole GPS seconds, and windows in them."""

import itertools
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

from igwn_segments import segment, segmentlist

from gwmorph.errors import SegmentError
from gwmorph.storage import parse_json

# Frames and the field's libraries hold GPS seconds in 32 bits.
LATEST_GPS = 2**31
_COLUMNS = {2: "start stop", 3: "start stop duration", 4: "number start stop duration"}


def read_segments(path: Path | str) -> segmentlist:
    """Read a segment list: segwizard text (2, 3 or 4 columns) or GWOSC's timeline JSON.

    Text may hold comments (``#`` or ``;``); JSON is ``{"segments": [[start, stop], ...]}`` or
    the bare list. Rows may come in any order and may touch: the result is sorted and coalesced.

    Raises
    ------
    SegmentError
        The file is missing or holds no rows; a row is not numeric, not in whole GPS seconds,
        empty, reversed, or contradicts its own duration; two rows overlap. The error names the
        rows.
    """
    # igwn_segments.utils.fromsegwizard stops at the first bad line without a word, and
    # `segment` swaps reversed ends: a faulty list would become a shorter or another one.
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SegmentError(
            f"{path}: cannot be read as a segment list ({error}). Correct the file, or "
            "source.directory.segments; a relative path starts where snakemake is started."
        ) from error
    is_json = text.lstrip().startswith(("{", "["))
    rows = list(_json_rows(path, text) if is_json else _text_rows(path, text))
    if not rows:
        raise SegmentError(
            f"{path}: holds no segments. Expected one row for each, 'start stop' in GPS seconds."
        )
    rows.sort()
    for (_, stop, where), (start, _, other) in itertools.pairwise(rows):
        if start < stop:
            raise SegmentError(
                f"{where} and {other}: segments overlap from {start} on. Rows may touch, but no "
                "second may be in two of them: remove or shorten one."
            )
    return segmentlist(segment(start, stop) for start, stop, _ in rows).coalesce()


_Row = tuple[int, int, str]


def _text_rows(path: Path | str, text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.split("#")[0].split(";")[0].split()
        if cells:
            yield _row(cells, f"{path}:{number}")


def _json_rows(path: Path | str, text: str) -> Iterator[_Row]:
    try:
        content = parse_json(text)
    except json.JSONDecodeError as error:
        raise SegmentError(f"{path}:{error.lineno}: not valid JSON ({error.msg}).") from error
    except ValueError as error:
        raise SegmentError(f"{path}: not valid JSON ({error}).") from error
    rows = content.get("segments") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise SegmentError(
            f'{path}: expected {{"segments": [[start, stop], ...]}}, got keys {list(content)}.'
        )
    for number, cells in enumerate(rows):
        where = f"{path}: segments[{number}]"
        if not isinstance(cells, list) or len(cells) != 2:
            raise SegmentError(f"{where}: expected [start, stop], got {cells!r}.")
        yield _row(cells, where)


def _row(cells: list[Any], where: str) -> _Row:
    if len(cells) not in _COLUMNS:
        expected = ", ".join(repr(columns) for columns in _COLUMNS.values())
        raise SegmentError(f"{where}: {len(cells)} columns {cells}; expected {expected}.")
    numbers = [_whole_second(cell, where) for cell in cells]
    start, stop = numbers[1:3] if len(numbers) == 4 else numbers[:2]
    if stop <= start:
        fault = "empty" if stop == start else "reversed"
        raise SegmentError(f"{where}: segment is {fault}: start {start}, stop {stop}.")
    if len(numbers) > 2 and numbers[-1] != stop - start:
        raise SegmentError(
            f"{where}: duration {numbers[-1]} does not fit start {start} and stop {stop}."
        )
    return start, stop, where


def _whole_second(cell: Any, where: str) -> int:
    try:
        value = float("none" if isinstance(cell, bool) else cell)
    except (TypeError, ValueError, OverflowError) as error:
        raise SegmentError(f"{where}: {cell!r} is not a number.") from error
    if not value.is_integer():
        raise SegmentError(f"{where}: {cell!r} is not a whole GPS second.")
    if not 0 <= value <= LATEST_GPS:
        raise SegmentError(
            f"{where}: {cell!r} is no GPS time in seconds, which is from 0 (1980) to {LATEST_GPS} "
            "(2048)."
        )
    return int(value)


def clip(segments: segmentlist, start: int, end: int) -> segmentlist:
    """Return the coalesced part of ``segments`` inside ``[start, end)``."""
    return segmentlist(segments).coalesce() & segmentlist([segment(start, end)])


def grid_windows(segments: segmentlist, duration: int, stride: int) -> list[int]:
    """Return every ``t`` on the grid with ``[t, t + duration)`` wholly inside a segment, sorted.

    Parameters
    ----------
    segments : sorted and coalesced, whole GPS seconds.
    duration, stride : seconds; the grid is ``t % stride == 0``.
    """
    return [
        t
        for start, end in segments
        for t in range(-(-start // stride) * stride, end - duration + 1, stride)
    ]


def has_context(segments: segmentlist, t: int, duration: int, context: int) -> bool:
    """Tell whether ``[t - context, t + duration + context)`` lies wholly inside one segment.

    ``segments`` is coalesced; all arguments are whole seconds.
    """
    index = bisect_right(segments, t - context, key=itemgetter(0)) - 1
    return index >= 0 and bool(segments[index][1] >= t + duration + context)


def livetime(starts: Iterable[int], duration: int) -> int:
    """Return the seconds in the union of the windows ``[t, t + duration)``."""
    return int(abs(segmentlist(segment(t, t + duration) for t in starts).coalesce()))
