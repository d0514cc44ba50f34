"""What blocks are judged by."""

import threading
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scanning import BLOCK, SETTINGS, SIZE, make_atlas

from gwmorph.encoders.dct import DctEncoder
from gwmorph.errors import CalibrationError
from gwmorph.ledger import analysed_row
from gwmorph.naming import event_name, span_name
from gwmorph.scanner.drawing import DrawnBlock
from gwmorph.scanner.examination import Examiner, StoppedError
from gwmorph.spectra.albums import HeldAlbum, Picture
from gwmorph.tables.block import MEASUREMENTS, TRIGGERS

PEAK = BLOCK + 10.5


def trigger(found_by, snr, *, view):
    """A claim to one moment of the block's first window."""
    numbers = {field.name: 1.0 for field in TRIGGERS if pa.types.is_floating(field.type)}
    return {
        **numbers, "detector": "H1", "gps_start": BLOCK, "found_by": found_by, "snr": snr,
        "peak_time": PEAK, "tstart": PEAK - 0.1, "tend": PEAK + 0.1, "time": PEAK,
        "chirp_mass": None, "line_share": None, "tiles": 1, "view": view,
    }  # fmt: skip


def drawn(*triggers):
    rng, album = np.random.default_rng(1), HeldAlbum()
    scale = SETTINGS.rendering.picture_scale
    names = [span_name("H1", "WINDOW", BLOCK, 32, "png"), event_name("H1", PEAK)]
    for view, name in zip(("window", "event"), names, strict=True):
        album.add(view, name, Picture(rng.integers(0, 255, SIZE, dtype=np.uint8), scale, {}))
    columns = {name: [1.0] for name in MEASUREMENTS.names}
    measured = pa.table({**columns, "detector": ["H1"], "gps_start": [BLOCK]}, schema=MEASUREMENTS)
    return DrawnBlock(
        [analysed_row("H1", BLOCK, 32, BLOCK)], [], measured,
        pa.Table.from_pylist(list(triggers), schema=TRIGGERS), album, 32, (),
    )  # fmt: skip


def examiner(atlas, stop=None, **settings):
    chosen = replace(SETTINGS, **settings)
    return Examiner(atlas, DctEncoder(SIZE), chosen, stop or threading.Event())


def test_an_event_is_judged_by_the_view_of_its_moment_whichever_claim_has_it(tmp_path):
    claims = trigger("track", 3.0, view=True), trigger("tile", 9.0, view=False)
    found = examiner(make_atlas(tmp_path)).examine("H1", drawn(*claims))
    (event,) = found.triggers.to_pylist()  # the track is no event without scores
    assert (event["found_by"], event["status"]) == ("tile", "NOVEL")
    assert found.windows["status"].to_pylist() == ["NOVEL"]
    assert set(found.pictures) == {
        event_name("H1", PEAK),
        span_name("H1", "WINDOW", BLOCK, 32, "png"),
    }


def test_an_event_without_a_view_is_told_and_not_judged(tmp_path):
    claim = trigger("tile", 9.0, view=False)
    found = examiner(make_atlas(tmp_path)).examine("H1", drawn(claim))
    (event,) = found.triggers.to_pylist()
    assert event["status"] is None
    assert event["chirp_likeness"] is None
    assert found.windows["status"].to_pylist() == ["AMBIGUOUS"]
    assert found.windows["events"].to_pylist() == [1]
    assert found.pictures == {}


def test_a_window_without_a_trigger_is_quiet(tmp_path):
    found = examiner(make_atlas(tmp_path)).examine("H1", drawn())
    assert found.windows["status"].to_pylist() == ["QUIET"]
    assert found.windows["similarity"].to_pylist() == [None]


def test_an_atlas_without_the_quiet_windows_that_scores_need_is_refused(tmp_path):
    atlas = make_atlas(tmp_path)
    with pytest.raises(CalibrationError, match="holds no quiet windows of H1"):
        examiner(atlas, false_alarm_fraction=0.01)


def test_a_stop_is_noticed_while_pictures_are_encoded(tmp_path):
    stop = threading.Event()
    made = examiner(make_atlas(tmp_path, ["window"]), stop)
    stop.set()
    with pytest.raises(StoppedError):
        made.examine("H1", drawn())
