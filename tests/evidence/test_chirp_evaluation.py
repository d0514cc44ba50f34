"""What a search finds, counted: planted scores, brute force, ties."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from closeness import near
from gwmorph.errors import ConfigError
from gwmorph.evidence.chirp_evaluation import (
    Scored,
    Slides,
    auc,
    auc_rows,
    confusion_rows,
    efficiency_rows,
    injection_scores,
    quiet_scores,
    rates_per_hour,
    relative_rows,
    roc_rows,
    scored,
    slide_scores,
)
from gwmorph.evidence.chirp_windows import Look, RecordedNoise, Signals
from gwmorph.simulation.binaries import Binary
from gwmorph.spectra.band import Band

LOOK = Look(("H1", "L1"), 64, 64, Band(1, 2), 0.5, 0.75)


def held(injections, noise=None, slides=None) -> Scored:
    noise = np.arange(1000.0) if noise is None else noise
    slides = np.arange(3600.0) if slides is None else slides
    return Scored(noise, noise, np.asarray(injections, float), slides, np.array([6.0, 8.0]))


def test_a_signal_counts_where_it_is_above_the_limit():
    found = [[989.5, 2000.0], [500.0, 991.0]]
    rows = list(efficiency_rows("a", held(found), [0.01], []))
    assert [row["efficiency"] for row in rows] == [0.0, 1.0]
    assert rows[0]["limit"] == 990.0
    assert rows[1]["low"] < 1.0 == rows[1]["high"]
    with pytest.raises(ConfigError, match="noise_windows"):
        list(efficiency_rows("a", held(found), [1e-5], []))


def test_a_rate_is_of_the_slid_seconds_that_are_as_loud():
    # An hour of slid time: nothing as loud is a rate of one in an hour.
    rates = rates_per_hour(held([[3600.0, 3599.0], [3598.5, 0.0]]))
    assert rates == near(np.array([[1.0, 2.0], [2.0, 3601.0]]))
    rows = list(efficiency_rows("a", held([[3600.0, 3599.0], [3598.5, 0.0]]), [], [1.0, 2.0]))
    assert [row["found"] for row in rows] == [1, 0, 2, 1]
    assert rows[0]["limit"] == 3600.0
    assert rows[1]["limited_by"] == "rate"


def test_a_score_that_saturates_ranks_nothing():
    noise = np.concatenate([np.zeros(900), np.ones(100)])
    rows = list(efficiency_rows("softmax", held([[1.0, 1.0]], noise), [0.05], []))
    assert [row["found"] for row in rows] == [0, 0]
    (row,) = confusion_rows("softmax", held([[1.0, 1.0]], noise), [0.05])
    assert row["false_alarms"] == 0


def test_confusion_adds_up():
    (row,) = confusion_rows("a", held([[995.0, 1.0], [2000.0, 998.5]]), [0.01])
    assert (row["signals_found"], row["signals_missed"]) == (3, 1)
    assert (row["false_alarms"], row["noise_passed_over"]) == (9, 991)
    assert row["low"] < row["achieved"] == 0.009 < row["high"]


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
)
def test_the_area_is_the_share_of_pairs_in_order(signals, noise):
    s, n = np.array(signals, float), np.array(noise, float)
    pairs = (s[:, None] > n).mean() + (s[:, None] == n).mean() / 2
    value, low, high = auc(s[:, None], n, 20, 1)
    assert value == pytest.approx(pairs, abs=1e-12)
    assert 0 <= low <= high <= 1


def test_the_area_of_nothing_learned_holds_one_half():
    rng = np.random.default_rng(1)
    value, low, high = auc(rng.normal(size=(300, 1)), rng.normal(size=3000), 200, 1)
    assert low < value < high
    assert low - 0.03 < 0.5 < high + 0.03
    # As wide as the standard error of a mean of 300 even numbers says.
    assert high - low == near(4 / np.sqrt(12 * 300), rel=0.35)
    rows = list(auc_rows("a", held(rng.uniform(0, 1000, (50, 2))), 50, 1))
    assert [(row["snr_low"], row["snr_high"]) for row in rows] == [(6, 6), (6, 8), (8, 8)]
    assert rows[1]["signals"] == 100


def test_a_roc_falls_with_its_limit_and_ends_at_all():
    rows = list(roc_rows("a", held([[10.0, 990.0], [700.0, 2000.0]])))
    one = [row for row in rows if row["snr"] == 8.0]
    assert one[0]["false_alarm_probability"] == 0.0
    assert one[0]["efficiency"] == 0.5
    assert one[-1]["efficiency"] == 1.0
    assert all(np.diff([row["efficiency"] for row in one]) >= 0)


def test_efficiency_is_compared_on_the_same_signals():
    rng = np.random.default_rng(2)
    best = rng.uniform(985, 1100, (400, 2))
    ours = np.where(rng.random((400, 2)) < 0.8, best, 0.0)
    (row,) = relative_rows("a", held(ours), held(best), [0.01], (8.0, 12.0), 200, 1)
    assert row["signals"] == 400
    assert row["low"] < 0.8 < row["high"]
    assert row["high"] - row["low"] < 0.15
    assert not list(relative_rows("a", held(ours), held(best), [0.01], (20.0, 30.0), 20, 1))
    (none,) = relative_rows("a", held(ours), held(0 * best), [0.01], (8.0, 8.0), 20, 1)
    assert np.isnan([none[name] for name in ("value", "low", "high")]).all()


def loudness(windows):
    return {"peak": windows.max(axis=(1, 2)), "rms": windows.std(axis=(1, 2))}


def noise(seed=1):
    rng = np.random.default_rng(seed)
    pieces = [(rng.standard_normal(64 * 40).astype(np.float32),) for _ in range(2)]
    return RecordedNoise(tuple(pieces), LOOK)


def test_scored_windows_come_back_by_role_signal_and_snr():
    white = np.zeros((70, 2, LOOK.kept), np.float32)
    white[:, :, LOOK.merger] = 1.0
    signals = Signals((Binary(30, 30, 0, 0, 0, 0, 0, 0, 0),) * 70, white)
    table = pa.concat_tables(
        [
            quiet_scores(loudness, noise(), "calibration", 300, 1),
            quiet_scores(loudness, noise(), "test", 300, 1),
            injection_scores(loudness, noise(), signals, [10.0, 30.0], LOOK, 1),
            slide_scores(loudness, noise(), Slides(3, 30), LOOK, 1),
        ]
    )
    found = scored(table)["peak"]
    assert found.injections.shape == (70, 2)
    # Both detectors have the same wave: it is 1/sqrt(2) of the SNR in each.
    assert found.injections[:, 1].mean() == near(30 / np.sqrt(2), rel=0.1)
    assert (found.injections[:, 1] > found.injections[:, 0]).all()
    assert len(found.slides) == 90
    assert (found.calibration != found.test).any()
    again = quiet_scores(loudness, noise(), "test", 300, 1)
    assert again["score"].to_pylist()[:300] == found.test.tolist()


def test_slides_are_of_the_other_detectors_time():
    def product(windows):
        return {"same": (windows[:, 0] == windows[:, 1]).all(axis=1).astype(float)}

    rng = np.random.default_rng(4)
    one = rng.standard_normal(64 * 40).astype(np.float32)
    both = RecordedNoise(((one,), (one,)), LOOK)
    slid = slide_scores(product, both, Slides(5, 40), LOOK, 1)
    assert max(slid["score"].to_pylist()) == 0.0
    with pytest.raises(ValueError, match="fewer than its seconds"):
        slide_scores(product, both, Slides(39, 40), LOOK, 1)
