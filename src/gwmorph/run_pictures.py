"""Where the pictures of a run's windows and events are."""

from collections.abc import Iterable
from pathlib import Path

from gwmorph.grid import block_of
from gwmorph.naming import event_name, parse_span_name, window_name


class Pictures:
    """The PNGs of one view of a run, in one folder or archive for each block."""

    def __init__(self, folders: Iterable[Path], window_s: int) -> None:
        """``folders`` are named after their detector and block, as archives are that stand for
        some; ``window_s`` is in seconds.
        """
        self._folders = {
            (name.detector, name.gps_start): folder
            for folder in folders
            if (name := parse_span_name(folder.name))
        }
        self._window_s = window_s

    def of(self, detector: str, gps_start: int, trigger_time: float | None) -> Path:
        """Return the picture of a window, or of an event in it if ``trigger_time`` is given.

        GPS times in seconds. Out of an archive, the path is the archive's and then the name.

        Raises
        ------
        KeyError
            There is no folder for the window's block.
        """
        folder = self._folders[detector, block_of(gps_start)]
        if trigger_time is not None:
            return folder / event_name(detector, trigger_time)
        return folder / window_name(detector, gps_start, self._window_s)
