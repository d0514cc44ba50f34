import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import blobs, cloud, components

from closeness import near
from gwmorph.morphology import separation as module
from gwmorph.morphology.layout import Neighbors, nearest_neighbors
from gwmorph.morphology.separation import (
    Null,
    balanced_rows,
    clouds,
    count_links,
    islands,
    isolation,
    join_groups,
    joining_level,
    joins,
    links,
    null_levels,
    outlyingness,
    overlaps,
    pair_null,
    typical_distance,
)


def _halves(rows: int, dimensions: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    points = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    return points, points[:, 0] > 0


@given(st.lists(st.integers(0, 4), min_size=12, max_size=40), st.integers(0, 99))
def test_links_and_overlaps_are_those_of_a_count_by_hand(raw: list[int], seed: int) -> None:
    labels = np.unique(raw, return_inverse=True)[1]
    points = np.random.default_rng(seed).normal(size=(len(labels), 3)).astype(np.float32)
    indices = nearest_neighbors(points, 9).indices
    groups = labels.max() + 1
    counts = count_links(indices, labels, groups)
    by_hand = np.zeros((groups, groups))
    for row, others in enumerate(indices):
        room = max(np.sum(labels == labels[row]) - 1, 5)
        for other in others[:room]:
            by_hand[labels[row], labels[other]] += 1
    np.testing.assert_array_equal(counts, by_hand)
    found = overlaps(counts)
    for a in range(groups):
        for b in range(groups):
            inside = np.sqrt(max(by_hand[a, a], 1) * max(by_hand[b, b], 1))
            expected = -1 if a == b else (by_hand[a, b] + by_hand[b, a]) / 2 / inside
            assert found[a, b] == near(expected, rel=1e-12)


@given(st.lists(st.integers(0, 5), min_size=30, max_size=60), st.integers(0, 99))
def test_joining_counts_links_as_if_groups_had_been_one_from_the_start(
    raw: list[int], seed: int
) -> None:
    labels = np.unique(raw, return_inverse=True)[1]
    points = np.random.default_rng(seed).normal(size=(len(labels), 3)).astype(np.float32)
    indices = nearest_neighbors(points, 5).indices
    current = labels.copy()
    for level, kept, joined in joins(indices, labels):
        names, numbers = np.unique(current, return_inverse=True)
        found = overlaps(count_links(indices, numbers, len(names)))
        place = dict(zip(names.tolist(), range(len(names)), strict=True))
        expected = found[place[kept], place[joined]]
        if np.isfinite(level):
            assert level == near(expected, rel=1e-12) == found.max()
        else:
            sizes = np.bincount(numbers)
            assert min(sizes[place[kept]], sizes[place[joined]]) < module.FEWEST_MEMBERS
        current[current == joined] = kept
    assert len(set(current)) == 1


def test_islands_stay_apart_and_halves_of_a_cloud_are_joined() -> None:
    vectors, truth = blobs((80, 60))
    points = components(vectors, 20)
    half = (points[:, 3] > np.median(points[:, 3])).astype(int)
    indices = nearest_neighbors(points, 10).indices
    cluster = join_groups(indices, 2 * truth + half, 0.1)
    assert cluster[0] == cluster[1] != cluster[2] == cluster[3]
    assert joining_level(indices, truth) == 0
    assert joining_level(indices, np.zeros(140, int)) == np.inf


def test_a_few_rows_are_no_group_of_their_own() -> None:
    vectors, truth = blobs((60, 60, 4))
    points = components(vectors, 20)
    indices = nearest_neighbors(points, 5).indices
    cluster = join_groups(indices, truth, 0.1)
    assert cluster[0] != cluster[1]
    assert cluster[2] in (cluster[0], cluster[1])


@pytest.mark.parametrize("rare", [6, 10, 20])
def test_a_rare_island_among_many_rows_stays_apart(rare: int) -> None:
    vectors, truth = blobs((500, 500, 400, rare))
    points = components(vectors, 20)
    indices = nearest_neighbors(points, links(len(points))).indices
    assert indices.shape[1] == 30
    cluster = join_groups(indices, truth, 0.1)
    assert len(set(cluster)) == 4


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(20, 200))
def test_balanced_rows_thin_the_large_groups_alone(sizes: list[int], largest: int) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows = balanced_rows(labels, largest, 1)
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= max(largest, len(sizes))
    kept = np.bincount(labels[rows], minlength=len(sizes))
    thinned = kept < np.array(sizes)
    if thinned.any():
        assert len(set(kept[thinned])) == 1
        assert kept.max() == kept[thinned][0]
        assert np.minimum(sizes, kept.max() + 1).sum() > largest or kept.max() == 1
    np.testing.assert_array_equal(rows, balanced_rows(labels, largest, 1))


@pytest.mark.parametrize(("rows", "expected"), [(4, 3), (50, 5), (400, 10), (3000, 30)])
def test_links_grow_with_the_rows(rows: int, expected: int) -> None:
    assert links(rows) == expected


def test_what_joins_and_what_is_cut_follow_the_median_level() -> None:
    null = Null(np.array([0.1, 0.5, 0.2]))
    assert (null.level, null.joined, null.cut) == near((0.2, 0.14, 0.11))


def test_clouds_that_fall_into_no_parts_leave_no_limit() -> None:
    points = components(cloud(8, 0.0, 1), 4)
    null = null_levels(points, 5, 0)
    assert len(null.levels) == 0
    assert null.joined == null.cut == 0


def test_an_island_inside_of_a_group_is_found() -> None:
    vectors, truth = blobs((60, 40, 30))
    points = components(vectors, 20)
    indices = nearest_neighbors(points, 10).indices
    half = (points[:, 3] > np.median(points[:, 3])).astype(int)
    together = np.where(truth == 2, 1, 0)
    assert islands(indices, together, truth, 0.05) == [(0, 0), (0, 1)]
    assert islands(indices, truth, 3 * half + truth, 0.05) == []


@pytest.mark.parametrize("rows", [4, 12])
def test_a_small_part_of_a_large_group_is_left_in_it(rows: int) -> None:
    vectors, truth = blobs((100, rows))
    points = components(vectors, 20)
    indices = nearest_neighbors(points, 10).indices
    assert islands(indices, np.zeros(len(truth), int), truth, 0.5) == []


@pytest.mark.parametrize("falloff", [0.0, 0.5, 1.0])
def test_clouds_of_the_same_spectrum_join_at_the_level_of_the_null(falloff: float) -> None:
    """The null holds for what it is a null of: fresh clouds are not below its limit."""
    points = components(cloud(400, falloff, 1), 50)
    limit = null_levels(points, 20, 0).joined
    fresh = components(cloud(400, falloff, 2), 50)
    assert (null_levels(fresh, 10, 5).levels > limit).all()


def test_the_null_repeats_and_follows_its_seed() -> None:
    points = components(cloud(100, 0.5, 1), 20)
    first, other = (null_levels(points, 5, seed).levels for seed in (1, 2))
    module._levels.cache_clear()
    again = null_levels(points, 5, 1).levels
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_clouds_of_the_same_points_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks again, with copies of them; other points, seeds or numbers have their own."""
    drawn = []
    monkeypatch.setattr(module, "_cloud_level", lambda cloud, rng: drawn.append(1) or 0.5)
    module._levels.cache_clear()
    points = components(cloud(100, 0.5, 1), 20)
    for again in (points, points.copy(), np.asfortranarray(points)):
        assert null_levels(again, 5, 1).levels.tolist() == [0.5] * 5
    assert len(drawn) == 5
    moved = points.copy()
    moved[3, 2] += 1
    for others, surrogates, seed in ((moved, 5, 1), (points, 6, 1), (points, 5, 2)):
        null_levels(others, surrogates, seed)
    assert len(drawn) == 5 + 5 + 6 + 5
    module._levels.cache_clear()


def test_halves_of_a_cloud_are_no_more_separate_than_chance() -> None:
    p_values = [
        pair_null(*_halves(120, 8, seed), 19, np.random.default_rng(seed))[1] for seed in range(8)
    ]
    assert min(p_values) > 1 / 20
    assert np.median(p_values) > 0.2


def test_pieces_of_a_long_thin_cloud_are_no_more_separate_than_chance() -> None:
    points, first = _halves(300, 6, 3)
    overlap, p_value = pair_null(points * [9, 1, 1, 1, 1, 1], first, 19, np.random.default_rng(0))
    assert overlap < 0.2
    assert p_value > 1 / 20


def test_islands_are_more_separate_than_chance() -> None:
    vectors, truth = blobs((70, 30))
    points = components(vectors, 20)
    overlap, p_value = pair_null(points, truth == 0, 19, np.random.default_rng(0))
    assert overlap == 0
    assert p_value == 1 / 20


def _isolation(neighbors: Neighbors, labels: np.ndarray) -> np.ndarray:
    return isolation(neighbors, labels, typical_distance(neighbors, labels, labels.max() + 1))


def test_a_row_beside_a_cloud_lies_out() -> None:
    points = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
    points[7] = 12
    neighbors = nearest_neighbors(points, 12)
    found = outlyingness(neighbors, neighbors)
    assert found.argmax() == 7
    assert found[7] > 5
    assert np.median(found) == pytest.approx(1, abs=0.1)


def test_copies_do_not_lie_out() -> None:
    neighbors = Neighbors(np.tile(np.arange(1, 11), (20, 1)).astype(np.int32), np.zeros((20, 10)))
    assert (outlyingness(neighbors, neighbors) == 1).all()
    assert (_isolation(neighbors, np.zeros(20, int)) == 1).all()


def test_copies_say_nothing_of_how_far_others_are() -> None:
    rng = np.random.default_rng(1)
    points = np.vstack([np.zeros((60, 5)), 5 + rng.normal(size=(40, 5))]).astype(np.float32)
    found = _isolation(nearest_neighbors(points, 10), np.zeros(100, int))
    assert (found[:60] == 1).all()
    assert np.median(found[60:]) == near(1)


def test_rows_as_lone_as_their_neighbours_are_isolated() -> None:
    """Eleven of them, so each one's nearest ten are the others."""
    rng = np.random.default_rng(0)
    cloud, lone = rng.normal(size=(200, 5)), 100 + 30 * rng.normal(size=(11, 5))
    neighbors = nearest_neighbors(np.vstack([cloud, lone]).astype(np.float32), 12)
    assert outlyingness(neighbors, neighbors)[200:].max() < 2
    assert _isolation(neighbors, np.zeros(211, int))[200:].min() > 10
    apart = _isolation(neighbors, np.repeat([1, 0], [200, 11]))
    assert np.median(apart[:200]) == near(1)
    assert np.median(apart[200:]) == near(1)


@pytest.mark.parametrize(("observed", "expected"), [(0.54, 0.2), (0.56, 1.0), (0.99, 1.0)])
def test_a_pair_is_separate_when_it_overlaps_by_well_less_than_clouds(
    monkeypatch: pytest.MonkeyPatch, observed: float, expected: float
) -> None:
    """By less than 0.55 of each cloud's overlap."""
    told = iter([observed, 1.0, 1.0, 1.0, 1.0])
    monkeypatch.setattr(module, "pair_overlap", lambda points, first: next(told))
    points = np.random.default_rng(1).normal(size=(40, 3))
    found = module.pair_null(points, np.arange(40) < 20, 4, np.random.default_rng(2))
    assert found == near((observed, expected))


def test_every_group_keeps_a_row_however_many_there_are() -> None:
    labels = np.repeat(np.arange(6), 4)
    assert labels[balanced_rows(labels, 3, 1)].tolist() == [0, 1, 2, 3, 4, 5]


def test_where_points_lie_does_not_matter_to_their_clouds() -> None:
    points = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    here, there = (
        next(clouds(each, 1, np.random.default_rng(1))) for each in (points, points + 50)
    )
    np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-4)
