import numpy as np
import pyarrow as pa
import pytest
from vector import drawn_twice

from filled import filled
from gwmorph.report import glitchgram
from gwmorph.report.glitchgram import draw_glitchgram
from gwmorph.report.times import since
from gwmorph.tables.block import FOUND_BY, TRIGGERS

START = 1262301184


def trigger(detector: str, time: float, frequency: float, snr: float, found_by: str) -> dict:
    own = {"detector": detector, "peak_time": time, "peak_frequency": frequency, "snr": snr}
    return own | {"found_by": found_by, "view": True}


def triggers_of(*rows: dict) -> pa.Table:
    return filled(TRIGGERS, *rows)


@pytest.fixture
def panels(monkeypatch) -> list:
    """The panels of detectors as they are drawn."""
    drawn = []
    monkeypatch.setattr(
        glitchgram,
        "_frame",
        lambda axes, *rest: (drawn.extend(axes), glitchgram_frame(axes, *rest)),
    )
    return drawn


glitchgram_frame = glitchgram._frame


def test_every_trigger_is_drawn_at_its_time_and_frequency(tmp_path, run_tables, panels):
    ledger = run_tables(detectors=("H1", "L1"), windows=225).ledger
    found = [
        trigger("H1", START + 3600, 100.0, 9.0, "tile"),
        trigger("H1", START + 1800, 50.0, 8.0, "chirp"),
        trigger("L1", START + 900, 25.0, 30.0, "track"),
    ]
    draw_glitchgram(triggers_of(*found), ledger, tmp_path / "g.svg")
    points = {
        axes.get_title("left").split(":")[0]: {
            tuple(place)
            for marks in axes.collections[1:]
            for place in marks.get_offsets().tolist()
        }
        for axes in panels
    }
    assert points == {"H1": {(1.0, 100.0), (0.5, 50.0)}, "L1": {(0.25, 25.0)}}


def test_titles_give_counts_and_rates_over_the_analysed_time(tmp_path, run_tables, panels):
    # 225 windows of 32 s are two hours; every third is lost.
    ledger = run_tables(detectors=("H1", "L1"), windows=225, lost_every=3).ledger
    found = [trigger("H1", START + 64, 100.0, 9.0, kind) for kind in FOUND_BY]
    found.append(trigger("L1", START + 64, 100.0, 9.0, "tile"))
    draw_glitchgram(triggers_of(*found), ledger, tmp_path / "g.svg")
    assert [axes.get_title("left") for axes in panels] == [
        "H1: 4 transients in 1.33 h, 3 an hour",
        "L1: 1 transient in 1.33 h, 0.75 an hour",
    ]


def test_time_that_was_not_analysed_is_grey(tmp_path, run_tables, panels):
    ledger = run_tables(detectors=("H1",), windows=4, lost_every=2).ledger
    draw_glitchgram(triggers_of(), ledger, tmp_path / "g.svg")
    spans = [path.get_extents().intervalx for path in panels[0].collections[0].get_paths()]
    np.testing.assert_allclose(3600 * np.array(spans), [[0, 32], [64, 96]])


@pytest.mark.parametrize("change", [{"windows": 0}, {"lost_every": 1}])
def test_a_run_without_triggers_or_windows_is_drawn(tmp_path, run_tables, change):
    ledger = run_tables(**change).ledger
    said = drawn_twice(tmp_path / "g.svg", draw_glitchgram, triggers_of(), ledger)
    assert ("no planned windows" in said) == (not len(ledger))


def test_thousands_of_triggers_and_gaps_are_a_small_figure(tmp_path, run_tables):
    ledger = run_tables(windows=6000, lost_every=2).ledger
    rows = [trigger("H1", START + 30.0 * i, 30 + i % 900, 8, "tile") for i in range(5000)]
    said = drawn_twice(tmp_path / "g.svg", draw_glitchgram, triggers_of(*rows), ledger)
    assert "a tile (5,000)" in said


def test_same_rows_give_the_same_bytes(tmp_path, run_tables):
    ledger = run_tables().ledger
    found = triggers_of(*(trigger("H1", START + 60.0 * i, 30 + i, 8, "tile") for i in range(9)))
    said = drawn_twice(tmp_path / "g.svg", draw_glitchgram, found, ledger)
    assert {"a tile (9)", "Peak frequency [Hz]", since(START)} <= set(said)
