"""What a scan says of a block, in plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from gwmorph.errors import StorageError
from gwmorph.grid import BLOCK_S
from gwmorph.naming import span_name
from gwmorph.rebuilding import STRICT, rebuilt
from gwmorph.tables.scan import FAILED_BLOCK


@dataclass(frozen=True)
class Alarm:
    """Too much is NOVEL.

    Attributes
    ----------
    text : what to tell a person: how much is NOVEL, where, and what to do.
    gps_start, gps_end : span that the NOVEL windows are counted in, GPS s.
    novel_windows : their GPS starts.
    config : name of the file that runs the full analysis on that span, beside the block's folder.
    """

    __pydantic_config__ = STRICT

    text: str
    gps_start: int
    gps_end: int
    novel_windows: tuple[int, ...]
    config: str


@dataclass(frozen=True)
class BlockSummary:
    """What became of a block.

    Attributes
    ----------
    status : ``DONE`` or ``FAILED``.
    why : why it failed; None where it did not.
    detector, gps_start, duration_s : the block, GPS s.
    strain_s : seconds from its start until its strain ends, inside the block.
    windows : number of windows by status.
    excluded : number of EXCLUDED windows by reason.
    events : number of events by status, those without a view not counted.
    novel_windows : GPS starts of windows that are NOVEL or hold a NOVEL event.
    science_s : seconds that the files, or the segments, call science.
    livetime_s : seconds in the union of the windows that were analysed.
    gaps : spans of GPS seconds that no file holds: inside the block, and before it up to where the
        detector's strain ends that was scanned.
    files : the block's own strain files.
    faults : what is wrong with files beside the block, a sentence each.
    behind_s : from the end of the block's strain until its results were written.
    latency_s : from when the scanner knew of the last file that the block needed until then; None
        where nothing was judged.
    took_s : of this, the drawing.
    alarm : if there is one.
    """

    __pydantic_config__ = STRICT

    status: Literal["DONE", "FAILED"]
    why: str | None
    detector: str
    gps_start: int
    duration_s: int
    strain_s: int
    windows: Mapping[str, int]
    excluded: Mapping[str, int]
    events: Mapping[str, int]
    novel_windows: tuple[int, ...]
    science_s: int
    livetime_s: int
    gaps: tuple[tuple[int, int], ...]
    files: tuple[str, ...]
    faults: tuple[str, ...]
    behind_s: float
    latency_s: float | None
    took_s: float
    alarm: Alarm | None = None

    @property
    def folder(self) -> str:
        """Name of the block's folder in that of the scan."""
        return block_name(self.detector, self.gps_start)

    @property
    def gps_end(self) -> int:
        """GPS second at which the block ends, whether its strain does or not."""
        return self.gps_start + self.duration_s

    @property
    def strain_end(self) -> int:
        """GPS second at which its strain ends, inside the block."""
        return self.gps_start + self.strain_s

    @property
    def failed(self) -> bool:
        """Whether the block could not be scanned as it should."""
        return self.status == FAILED_BLOCK

    def to_json(self) -> dict[str, Any]:
        """Return the fields, and the folder's name, as a dictionary that JSON can hold."""
        return {**asdict(self), "folder": self.folder}

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Rebuild what `to_json` gave, before or after it was JSON.

        Raises
        ------
        StorageError
            Fields are missing, unknown or of another type: another version wrote it.
        """
        try:
            if not isinstance(content, Mapping):
                raise ValueError(f"expected an object, got {type(content).__name__}")
            found = rebuilt(cls, {k: value for k, value in content.items() if k != "folder"})
            _ = found.folder  # which no other text than a detector's prefix has
            return found
        except ValueError as error:
            raise StorageError(
                f"the summary of a block does not have the fields of this version ({error}). Scan "
                "into another folder."
            ) from error


def block_name(detector: str, gps_start: int) -> str:
    """Return ``H1-GWMORPH_SCAN-1262301184-4096``, the name of a block's folder."""
    return span_name(detector, "SCAN", gps_start, BLOCK_S)
