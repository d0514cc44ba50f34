"""Neighbours, clusters and their intervals on vectors whose quality is known."""

import numpy as np
import pytest

from closeness import near
from gwmorph.config import ClusteringConfig, MixtureConfig
from gwmorph.encoders.base import unit_rows
from gwmorph.evidence.quality import (
    CLUSTER_FIGURES,
    event_rows,
    glitch_rows,
    pixel_components,
    share_rows,
)

SEED = 7


def only(rows, features, figure, morphology=None):
    wanted = (features, figure, morphology)
    (row,) = [r for r in rows if (r["features"], r["figure"], r["morphology"]) == wanted]
    return row


def test_interval_of_a_share_is_the_binomial_one_and_covers_it():
    hits = np.arange(400) % 4 > 0
    (row,) = share_rows("top1", {"dct": hits}, np.arange(400), SEED)
    assert row["value"] == 0.75
    assert row["pictures"] == 400
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert row["low"] == pytest.approx(0.75 - half, abs=0.01)
    assert row["high"] == pytest.approx(0.75 + half, abs=0.01)


def test_pictures_of_one_event_are_drawn_together():
    hits = np.repeat(np.arange(40) % 2 == 0, 10)
    (alone,) = share_rows("top1", {"dct": hits}, np.arange(400), SEED)
    (together,) = share_rows("top1", {"dct": hits}, np.repeat(np.arange(40), 10), SEED)
    ratio = (together["high"] - together["low"]) / (alone["high"] - alone["low"])
    assert ratio == near(np.sqrt(10), rel=0.15)


def test_difference_from_the_baseline_is_paired():
    rng = np.random.default_rng(1)
    base = rng.random(300) < 0.6
    better = base.copy()
    better[np.flatnonzero(~base)[:30]] = True
    rows = share_rows("top1", {"dct": base, "other": better}, np.arange(300), SEED)
    row = only(rows, "other", "top1_minus_dct")
    assert row["value"] == near(0.1)
    # 30 of 300 gained and none lost: far narrower than two shares apart.
    assert row["low"] > 0.065
    assert row["high"] < 0.14


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(3)
    classes = np.repeat(["a", "b", "c"], 40)
    centres = np.repeat(np.eye(3, 12), 40, axis=0)
    good = centres + 0.05 * rng.standard_normal((120, 12))
    noise = rng.standard_normal((120, 12))
    clustering = ClusteringConfig(mixture=MixtureConfig(components=5, starts=1))
    vectors = {"dct": noise, "good": good, "triggers": good[:, :2]}
    return event_rows(vectors, classes, clustering, 1, SEED)


def test_vectors_that_tell_classes_apart_are_told_from_noise(events):
    assert only(events, "good", "top1")["value"] == 1
    assert only(events, "dct", "top1")["value"] < 0.6
    assert only(events, "good", "top1_minus_dct")["low"] > 0.3
    assert only(events, "good", "top1", "b")["pictures"] == 40
    assert only(events, "good", "cluster_ami")["value"] > 0.8
    assert only(events, "dct", "cluster_ami")["value"] < 0.3


def test_intervals_of_clusters_lie_around_their_figure(events):
    for row in events:
        # One cluster has nothing outside of it to compare.
        if row["figure"].startswith("cluster_") and not np.isnan(row["value"]):
            assert row["low"] <= row["value"] + 1e-9
            assert row["high"] >= row["value"] - 1e-9


def test_every_other_way_is_compared_with_each_baseline():
    hits = {name: np.arange(20) % 2 == 0 for name in ("dct", "pixels", "other")}
    figures = {(r["features"], r["figure"]) for r in share_rows("x", hits, np.arange(20), 1)}
    assert figures == {
        ("dct", "x"),
        ("pixels", "x"),
        ("other", "x"),
        ("pixels", "x_minus_dct"),
        ("other", "x_minus_dct"),
        ("other", "x_minus_pixels"),
    }


def test_clusters_of_trigger_columns_are_not_made(events):
    figures = {row["figure"] for row in events if row["features"] == "triggers"}
    assert figures == {"top1", "top1_minus_dct"}
    of_good = {row["figure"] for row in events if row["features"] == "good"}
    assert {f"cluster_{name}" for name in CLUSTER_FIGURES} <= of_good


def test_intervals_repeat_with_their_seed():
    hits = {"dct": np.random.default_rng(2).random(900) < 0.3}
    first, again, other = (share_rows("x", hits, np.arange(900), seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_two_pictures_of_one_glitch_never_meet():
    # Each picture's nearest one is another picture of its own glitch; the next one is of another
    # class in the same window length, and of its own class in another one.
    angles = np.radians([0, 1, 20, 21, 50, 51])
    vectors = np.column_stack([np.cos(angles), np.sin(angles)])
    glitches = np.array(["g1", "g1", "g2", "g2", "g3", "g3"])
    classes = np.array(["a", "a", "a", "a", "b", "b"])
    durations = np.array([0.5, 1.0] * 3)
    rows = glitch_rows({"dct": vectors}, classes, glitches, durations, SEED)
    row = only(rows, "dct", "top1_any")
    assert row["pictures"] == 4  # the class of g3 has no other glitch
    assert row["value"] == 1
    assert only(rows, "dct", "top1_same")["value"] == 1
    nearer = vectors[[0, 1, 4, 5, 2, 3]]
    rows = glitch_rows({"dct": nearer}, classes, glitches, durations, SEED)
    assert only(rows, "dct", "top1_any")["value"] == 0


def test_glitches_that_are_each_others_only_right_answer_are_one_draw():
    """The class is the unit of the interval: two glitches a class are right or wrong together."""
    rng = np.random.default_rng(6)
    places = unit_rows(rng.standard_normal((20, 40)))
    classes = np.repeat([f"c{i}" for i in range(20)], 2)
    glitches = np.array([f"g{i}" for i in range(40)])
    vectors = np.repeat(places, 2, axis=0) + 0.01 * rng.standard_normal((40, 40))
    vectors[20:] = rng.standard_normal((20, 40))  # half of the classes are told, half are not
    row = only(
        glitch_rows({"dct": vectors}, classes, glitches, np.ones(40), SEED), "dct", "top1_any"
    )
    assert 0.45 < row["value"] < 0.6
    half = 1.96 * np.sqrt(row["value"] * (1 - row["value"]) / 20)
    assert (row["high"] - row["low"]) / 2 == near(half, rel=0.2)
    others = glitch_rows({"dct": vectors}, classes, glitches[::-1], np.ones(40), SEED)
    assert only(others, "dct", "top1_any") == row


def test_same_length_is_scored_where_there_is_one():
    vectors = np.eye(4)
    glitches = np.array(["g1", "g1", "g2", "g3"])
    classes = np.array(["a", "a", "a", "b"])
    rows = glitch_rows({"dct": vectors}, classes, glitches, np.array([0.5, 1.0, 1.0, 1.0]), SEED)
    assert only(rows, "dct", "top1_any")["pictures"] == 3
    assert only(rows, "dct", "top1_same")["pictures"] == 2


def test_components_of_pixels_are_unit_rows_that_tell_pictures_apart():
    rng = np.random.default_rng(5)
    pictures = rng.integers(0, 40, (60, 16, 16)).astype(np.uint8)
    pictures[:30, :8] = 255
    vectors = pixel_components(pictures)
    assert vectors.shape == (60, 50)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    cosine = vectors @ vectors.T
    assert cosine[:30, :30].mean() > 0.5 > cosine[:30, 30:].mean()
