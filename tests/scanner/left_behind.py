"""What a scan leaves behind, made up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from scanned import GPS, trigger, triggers_of, window, windows_of

from gwmorph.naming import event_name
from gwmorph.scanner.record import opened
from gwmorph.scanner.summary import BlockSummary
from gwmorph.spectra.albums import Picture
from gwmorph.spectra.pictures import PictureScale

BLOCK = 4096
FIRST = GPS // BLOCK * BLOCK
ABOUT = {"version": "0.1.0", "atlas": "a" * 16, "render_id": "r", "encoder_id": "e"}
SCALE = PictureScale("sqrt", 50.0, "cividis")
DONE = BlockSummary(
    status="DONE",
    why=None,
    detector="H1",
    gps_start=FIRST,
    duration_s=BLOCK,
    strain_s=BLOCK,
    windows={"EXCLUDED": 2, "QUIET": 110, "KNOWN": 12, "AMBIGUOUS": 3, "NOVEL": 1},
    excluded={"nan": 2},
    events={"KNOWN": 12, "AMBIGUOUS": 3, "NOVEL": 1},
    novel_windows=(),
    science_s=BLOCK,
    livetime_s=4032,
    gaps=(),
    files=("H-H1_X.hdf5",),
    faults=(),
    behind_s=30.0,
    latency_s=5.5,
    took_s=4.0,
)


def picture(seed: int) -> Picture:
    """A bow in noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:224, :224]
    bow = 40 * np.exp(-(((y - 60 - (x - 112) ** 2 / 150) / 6) ** 2))
    return Picture(SCALE.index(rng.exponential(2.0, (224, 224)) + bow), SCALE, {})


def leave(folder: Path, *blocks: tuple[BlockSummary, list[float]]) -> None:
    """Leave blocks as a scan does, each with NOVEL events at some GPS times."""
    with opened(folder, ABOUT) as record:
        for summary, times in blocks:
            rows = [trigger(t, "NOVEL", detector=summary.detector) for t in times]
            starts = sorted({row["gps_start"] for row in rows})
            pictures = {event_name(summary.detector, t): picture(int(t)) for t in times}
            windows = [window(t, "AMBIGUOUS", detector=summary.detector) for t in starts]
            record.finish(
                replace(summary, novel_windows=tuple(starts)),
                windows_of(*windows),
                triggers_of(*rows),
                pictures,
                {},
            )
