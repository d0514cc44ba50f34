"""How like chirps events are: planted tracks, the same turned round, and labelled neighbours."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from closeness import near
from gwmorph.evidence.chirps import (
    FEATURES,
    MODEL,
    Sums,
    bright_sums,
    chirp_rows,
    is_chirp,
    joined,
    likeness,
    roc,
    similarities,
)
from gwmorph.spectra.pictures import CROPS_S, crops
from gwmorph.tables.embeddings import embedding_column, of_width
from gwmorph.tables.known_events import CHIRPS
from gwmorph.tables.validation import REFERENCE

LOW, TOP = 20.0, 1291.0
SIZE = 112
FORWARD, BACKWARD, MOMENT, LINE = range(4)


def frequencies(height: int = SIZE // 2) -> np.ndarray:
    edges = np.linspace(np.log(LOW), np.log(TOP), height + 1)
    return np.exp((edges[1:] + edges[:-1]) / 2)[::-1]


def view_of(track, level: float = 25.0, floor: float = 2.0) -> np.ndarray:
    """A view in which ``track(f)`` gives the time (s from the centre) at which a row is bright."""
    view = np.full((SIZE, SIZE), floor, np.float32)
    for crop, duration in zip(crops(view), CROPS_S, strict=True):
        width = crop.shape[1]
        for row, frequency in enumerate(frequencies()):
            time = track(frequency)
            if np.isfinite(time):
                column = int(np.floor((time / duration + 0.5) * width))
                crop[row, max(column, 0) : max(column + 2, 0)] = level
    return view


def chirp(tau: float, last_hz: float = 300.0):
    return lambda f: -tau * (f / 25) ** (-8 / 3) if f < last_hz else np.nan


def backwards(tau: float):
    return lambda f: tau * (f / 25) ** (-8 / 3) if f < 300 else np.nan


def sums_of(*views: np.ndarray) -> Sums:
    return bright_sums(np.stack(views), LOW, TOP)


@pytest.mark.parametrize("tau", [0.3, 1.0, 4.0])
def test_a_planted_chirp_is_brighter_forward_than_turned_round(tau):
    planted, turned = sums_of(view_of(chirp(tau)), view_of(backwards(tau))).logarithms
    assert (planted[:, FORWARD].sum() > planted[:, BACKWARD].sum() + 0.5).all()
    np.testing.assert_allclose(turned[:, FORWARD].sum(), planted[:, BACKWARD].sum(), rtol=0.15)


@pytest.mark.parametrize("tau", [0.3, 1.0, 3.0, 10.0])
def test_the_best_track_is_the_planted_one(tau):
    (found,) = sums_of(view_of(chirp(tau))).tau_s
    assert abs(np.log(found / tau)) < 0.45


def test_the_model_calls_planted_chirps_chirps_and_other_shapes_not():
    views = {
        "chirp": view_of(chirp(1.0)),
        "turned": view_of(backwards(1.0)),
        "moment": view_of(lambda f: 0.0),
        "line": view_of(lambda f: np.nan),
        "nothing": np.full((SIZE, SIZE), 2, np.float32),
    }
    for crop in crops(views["line"]):
        crop[30:32, 20:45] = 25
    found = dict(zip(views, MODEL.log_odds(sums_of(*views.values())), strict=True))
    assert found.pop("chirp") > 0
    assert max(found.values()) < 0


def test_a_dark_view_has_no_track():
    dark = sums_of(np.full((SIZE, SIZE), 5, np.float32))
    assert not dark.logarithms.any()
    assert np.isnan(dark.tau_s).all()


def test_each_sum_is_that_of_a_brute_force_count():
    rng = np.random.default_rng(5)
    view = (10 + 12 * rng.random((16, 16)) ** 3).astype(np.float32)
    found = bright_sums(view[None], LOW, TOP).logarithms[0]
    for place, (crop, duration) in enumerate(zip(crops(view), CROPS_S, strict=True)):
        bright = np.clip(crop - np.maximum(10, 1.4 * np.median(crop, 1, keepdims=True)), 0, None)
        expected = [brute(bright, duration), brute(bright[:, ::-1], duration)]
        np.testing.assert_allclose(found[place, :2], np.log1p(expected), rtol=1e-6)


def brute(bright: np.ndarray, duration: float) -> float:
    height, width = bright.shape
    edges = np.exp(np.linspace(np.log(LOW), np.log(TOP), height + 1))
    best = 0.0
    for tau in np.geomspace(0.03, 40, 28):
        for merger in range(width // 4, int(0.9 * width)):
            total, area = 0.0, 0
            for row in range(height):
                low, high = edges[height - 1 - row], edges[height - row]
                if low >= 107.0 * tau**0.6:
                    continue
                early, late = (
                    int(np.floor(tau * (f / 25) ** (-8 / 3) / (duration / width) + 0.5))
                    for f in (low, high)
                )
                for column in range(merger - early - 1, merger - late + 2):
                    if 0 <= column < width:
                        total, area = total + float(bright[row, column]), area + 1
            best = max(best, total / np.sqrt(area + 30))
    return best


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_views_are_judged_one_by_one(seed):
    rng = np.random.default_rng(seed)
    views = (25 * rng.random((3, 32, 32)) ** 4).astype(np.float32)
    together = bright_sums(views, LOW, TOP)
    apart = joined(bright_sums(view[None], LOW, TOP) for view in views)
    np.testing.assert_array_equal(together.logarithms, apart.logarithms)
    np.testing.assert_array_equal(together.tau_s, apart.tau_s)


def test_no_views_have_no_sums():
    empty = joined([])
    assert empty.logarithms.shape == (0, len(CROPS_S), len(FEATURES))
    assert MODEL.log_odds(empty).shape == (0,)


# -- similarity -----------------------------------------------------------------------------


def unit(*angles: float) -> np.ndarray:
    radians = np.radians(angles)
    return np.column_stack([np.cos(radians), np.sin(radians)]).astype(np.float32)


def cosine(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))


def test_similarity_is_to_the_three_nearest_chirps_less_that_to_the_nearest_other():
    labels = np.array([*["chirp"] * 4, "blip", "tomte"])
    found = similarities(unit(10), unit(0, 90, 40, 30, 60, 200), labels)
    near = (cosine(10) + cosine(30) + cosine(20)) / 3
    np.testing.assert_allclose(found, near - cosine(50), rtol=1e-5)


def test_fewer_chirps_than_three_are_all_that_count():
    labels = np.array(["chirp", "chirp", "blip"])
    found = similarities(unit(10), unit(0, 40, 60), labels)
    np.testing.assert_allclose(found, (cosine(10) + cosine(30)) / 2 - cosine(50), rtol=1e-5)


def test_one_wrong_label_makes_no_chirps_of_its_neighbours():
    labels = np.array(["chirp", "chirp", "chirp", "chirp", "blip"])
    (found,) = similarities(unit(100), unit(100, 0, 1, 2, 101), labels)
    assert found < -0.5


@pytest.mark.parametrize("label", ["chirp", "blip"])
def test_without_chirps_or_without_others_there_is_no_similarity(label):
    assert np.isnan(similarities(unit(10, 20), unit(0, 90), np.array([label, label]))).all()


def test_what_is_not_apart_is_not_compared():
    labels = np.array(["chirp", "chirp", "blip"])
    apart = np.array([[False, True, True], [False, False, True]])
    found = similarities(unit(10, 10), unit(10, 40, 100), labels, apart)
    np.testing.assert_allclose(found[0], np.cos(np.radians(30)) - 0, atol=1e-6)
    assert np.isnan(found[1])


@pytest.mark.parametrize(("label", "chirp_"), [("chirp", True), ("Chirp", True), ("blip", False)])
def test_gravity_spy_s_chirps_are_chirps_too(label, chirp_):
    assert is_chirp(np.array([label])).tolist() == [chirp_]


def test_likeness_without_similarity_is_by_the_track():
    track = np.array([1.0, 1.0, 1.0])
    found = likeness(track, np.array([np.nan, 0.5, -0.5]))
    assert found[1] > found[0] > found[2]
    assert likeness(np.array([2.0]), np.array([np.nan])) > found[0]


def run_of(times, vectors) -> pa.Table:
    count = len(times)
    return pa.table(
        {
            "detector": ["H1"] * count,
            "gps_start": [int(time // 32 * 32) for time in times],
            "view": ["event"] * count,
            "trigger_time": [float(time) for time in times],
            "embedding": embedding_column(vectors),
        }
    )


def reference_of(times, vectors, labels) -> pa.Table:
    run = run_of(times, vectors)
    columns = {name: run[name] for name in run.column_names}
    zeros = {name: np.ones(len(times)) for name in REFERENCE.names if name.startswith("tile_")}
    none = {name: pa.nulls(len(times), pa.float64()) for name in ("duration", "bandwidth")}
    return pa.table({**columns, **zeros, **none, "label": labels}, schema=of_width(REFERENCE, 2))


def test_an_event_is_compared_with_nothing_of_its_own_time():
    sums = sums_of(view_of(chirp(1.0)), view_of(chirp(1.0)))
    vectors = unit(0, 0)
    events = run_of([1000, 5000], vectors)
    reference = reference_of([1000, 9000], unit(0, 90), ["chirp", "blip"])
    rows = chirp_rows(events, sums, reference, 512.0, MODEL)
    assert rows.schema.equals(CHIRPS)
    first, second = rows["similarity"].to_pylist()
    assert first is None
    assert second == pytest.approx(1, abs=1e-6)
    alone = chirp_rows(events, sums, None, 512.0, MODEL)
    assert alone["similarity"].null_count == 2
    assert alone["likeness"][0] == rows["likeness"][0]
    assert rows["chirp_mass"][0].as_py() == near(17.8, rel=0.15)


def test_roc_is_scikit_learn_s_and_needs_no_order():
    rng = np.random.default_rng(3)
    chirps = rng.random(200) < 0.2
    score = rng.standard_normal(200) + chirps
    false, true, area = roc(score, chirps)
    assert area == roc_auc_score(chirps, score)
    assert (np.diff(false) >= 0).all()
    assert (np.diff(true) >= 0).all()
