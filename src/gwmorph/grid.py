"""Windows and blocks as whole GPS seconds: which lie where, and what a block has to read."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import itemgetter

from igwn_segments import segment, segmentlist

from gwmorph.rebuilding import STRICT
from gwmorph.segments import clip, grid_windows, has_context

BLOCK_S = 4096


def block_of(gps: int) -> int:
    """Return the GPS start of the block that holds the second ``gps``."""
    return gps // BLOCK_S * BLOCK_S


def group_of(block: int, blocks_per_job: int) -> int:
    """Return the number of the group that ``block`` belongs to, whatever else is in the run."""
    return block // (BLOCK_S * blocks_per_job)


@dataclass(frozen=True)
class Grid:
    """The grid of windows: ``t % stride == 0``; all three in whole seconds."""

    __pydantic_config__ = STRICT

    duration: int
    stride: int
    context: int

    def read_span(self, block: int) -> segment:
        """Return the span that ``block``'s job reads: its own windows and their context."""
        overlap = self.duration - self.stride
        return segment(block - self.context, block + BLOCK_S + overlap + self.context)

    def block_segments(self, segments: segmentlist, block: int) -> segmentlist:
        """Return the part of ``segments``, sorted and coalesced, that ``block``'s job sees."""
        start, end = self.read_span(block)
        # All others are left aside: a run of thousands of blocks has thousands of segments, too.
        first = bisect_right(segments, start, key=itemgetter(1))
        last = bisect_left(segments, end, key=itemgetter(0))
        return clip(segments[first:last], start, end)

    def block_windows(self, segments: segmentlist, block: int) -> list[int]:
        """Return the starts of all windows that begin inside ``block``, sorted.

        ``segments`` may be the whole list or `block_segments`; the answer is the same.
        """
        near = grid_windows(self.block_segments(segments, block), self.duration, self.stride)
        return [t for t in near if block <= t < block + BLOCK_S]

    def with_context(self, segments: segmentlist, windows: list[int]) -> list[int]:
        """Return those of ``windows`` that have their context inside ``segments``."""
        return [t for t in windows if has_context(segments, t, self.duration, self.context)]
