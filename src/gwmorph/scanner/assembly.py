"""Which files make up a block, and when a block has all that it waits for.

A block waits until files cover it and the context behind its last window, or until nothing of that
has come for some time, or nothing more will. Of the blocks that need not wait the earliest comes
first. A block is given away once: what arrives for it later comes too late.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from igwn_segments import segment, segmentlist

from gwmorph.grid import BLOCK_S, Grid, block_of
from gwmorph.scanner.arrivals import ArrivedFile

# Detector and GPS start.
BlockKey = tuple[str, int]


@dataclass(frozen=True)
class HeldFile:
    """A file and when the scanner came to know of it, in seconds of a clock that never jumps."""

    file: ArrivedFile
    since: float


@dataclass(frozen=True)
class BlockFiles:
    """The files of a block, ``own``, and those that only lend it context, ``around``."""

    detector: str
    gps_start: int
    own: tuple[HeldFile, ...]
    around: tuple[HeldFile, ...]

    @property
    def key(self) -> BlockKey:
        """What tells it from other blocks."""
        return self.detector, self.gps_start

    def covered(self) -> segmentlist:
        """Return the seconds that its files and those around it hold, coalesced."""
        return _covered(self.own + self.around)


class Assembly:
    """Files that have arrived, and the blocks that wait for more of them.

    Parameters
    ----------
    grid
        Windows and their context.
    max_wait_s, pieces_wait_s
        How long a block waits for what it lacks, from the last file that came for it: one that a
        single file holds, and one that comes in pieces.
    finished
        Blocks that are not to be scanned again, and the names of their files.
    late
        Is given every file that comes too late, and the block that was scanned without it.
    """

    def __init__(
        self,
        grid: Grid,
        max_wait_s: float,
        pieces_wait_s: float,
        finished: Mapping[BlockKey, Collection[str]],
        late: Callable[[ArrivedFile, BlockKey], None],
    ) -> None:
        """Begin without any file."""
        self._grid = grid
        self._max_wait_s, self._pieces_wait_s = max_wait_s, pieces_wait_s
        self._finished = finished
        self._late = late
        self._held: dict[str, list[HeldFile]] = {}
        self._waiting: set[BlockKey] = set()
        self._given: set[BlockKey] = set()
        self._failed: dict[BlockKey, BlockFiles] = {}

    def add(self, file: ArrivedFile, now: float) -> None:
        """Take a file that has arrived; one of the same path is no more what it was."""
        held = self._held.setdefault(file.detector, [])
        held[:] = [other for other in held if other.file.path != file.path]
        held.append(HeldFile(file, now))
        for block in range(block_of(file.start), file.end, BLOCK_S):
            key = file.detector, block
            if key in self._failed:
                self._try_again(self._failed.pop(key))
            elif key in self._given:
                self._late(file, key)
            elif key not in self._finished:
                self._waiting.add(key)
            elif file.path.name not in self._finished[key]:
                self._late(file, key)

    def fail(self, block: BlockFiles) -> None:
        """Note that a block could not be scanned: another file for it gives it another try."""
        self._given.discard(block.key)
        self._failed[block.key] = block

    def _try_again(self, block: BlockFiles) -> None:
        held = self._held[block.detector]
        there = {one.file.path for one in held}
        held += [one for one in (*block.own, *block.around) if one.file.path not in there]
        self._waiting.add(block.key)

    def next(self, now: float, *, ended: bool) -> BlockFiles | None:
        """Give away the earliest block that waits no longer, if there is one.

        ``ended`` says that no more files will come.
        """
        for key in sorted(self._waiting, key=lambda key: (key[1], key[0])):
            block = self._files_of(*key)
            if ended or self._is_complete(block) or now - _last(block) >= self._wait_s(block):
                self._waiting.discard(key)
                self._given.add(key)
                self._forget(key)
                return block
        return None

    def _files_of(self, detector: str, start: int) -> BlockFiles:
        read = self._grid.read_span(start)
        inside = segment(start, start + BLOCK_S)
        near = [held for held in self._held[detector] if _span(held).intersects(read)]
        own = tuple(held for held in near if _span(held).intersects(inside))
        around = tuple(held for held in near if not _span(held).intersects(inside))
        return BlockFiles(detector, start, own, around)

    def _wait_s(self, block: BlockFiles) -> float:
        inside = segment(block.gps_start, block.gps_start + BLOCK_S)
        whole = any(inside in _span(held) for held in block.own)
        return self._max_wait_s if whole else self._pieces_wait_s

    def _is_complete(self, block: BlockFiles) -> bool:
        """Tell whether files cover the block and the context behind it.

        What lies before it is not waited for: a stream begins somewhere.
        """
        _, end = self._grid.read_span(block.gps_start)
        return segment(block.gps_start, end) in block.covered()

    def _forget(self, given: BlockKey) -> None:
        """Let go of files that no block will ask for: memory does not grow with the stream."""
        detector, start = given
        wanted = [self._grid.read_span(block) for name, block in self._waiting if name == detector]
        self._held[detector] = [
            held
            for held in self._held[detector]
            if held.file.end > start or any(_span(held).intersects(span) for span in wanted)
        ]


def _span(held: HeldFile) -> segment:
    return segment(held.file.start, held.file.end)


def _covered(files: Iterable[HeldFile]) -> segmentlist:
    return segmentlist(map(_span, files)).coalesce()


def _last(block: BlockFiles) -> float:
    """Return when the last file came that the block asked for."""
    behind = [held for held in block.around if held.file.start >= block.gps_start]
    return max(held.since for held in (*block.own, *behind))
