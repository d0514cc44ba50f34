"""The score is calibrated on quiet data, rises with every part, and knows what it can resolve."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, kstest

from closeness import near
from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.score import (
    MEASURED,
    PARTS,
    QuietBackground,
    Tail,
    combine,
    fit_tails,
    mutual_distance,
    read_quiet,
    score_windows,
    surprises_of,
    vector_distance,
)
from gwmorph.tables.embeddings import embedding_column, of_width
from gwmorph.tables.parquet import write_table
from gwmorph.tables.scores import QUIET, SCORES

WIDTH = 24


def quiet_parts(seed: int, n: int) -> dict[str, np.ndarray]:
    """Parts with exponential tails, three of them correlated, as a window's are."""
    rng = np.random.default_rng(seed)
    common = rng.exponential(0.5, n)
    return {
        "tile_energy": 18 + 2 * np.maximum(rng.gumbel(size=n), common),
        "excess": np.maximum(rng.gumbel(1, 0.5, n) + common, 0),
        "track": 8 + rng.gumbel(size=n) + common,
        "chirp": 5 + rng.gumbel(size=n) + common,
        "distance": rng.gamma(200, 1 / 2000, n),
    }


TAILS = fit_tails(quiet_parts(0, 2000))


def score(parts: dict[str, np.ndarray]) -> np.ndarray:
    return combine(surprises_of(TAILS, parts))


def test_p_values_of_fresh_quiet_parts_are_uniform():
    fresh = quiet_parts(1, 4000)
    for name, surprise in surprises_of(TAILS, fresh).items():
        # 2000 windows know their distribution to about 0.02.
        assert kstest(10.0**-surprise, "uniform").statistic < 0.045, name


@given(
    values=st.tuples(*[st.floats(0, 1e6) for _ in PARTS]),
    name=st.sampled_from(PARTS),
    more=st.floats(1e-3, 1e9),
)
@settings(max_examples=200)
def test_the_score_never_falls_when_a_part_rises(values, name, more):
    parts = {key: np.array([value]) for key, value in zip(PARTS, values, strict=True)}
    louder = {**parts, name: parts[name] + more}
    assert score(louder)[0] >= score(parts)[0]


@pytest.mark.parametrize("name", PARTS)
def test_the_score_rises_without_bound_with_every_part(name):
    typical = {key: np.full(6, np.median(tail.quiet)) for key, tail in TAILS.items()}
    tail = TAILS[name]
    steps = tail.threshold + tail.scale * np.array([3, 10, 30, 100, 1e4, 1e8])
    scores = score({**typical, name: steps})
    assert (np.diff(scores) > 0).all()
    assert np.isfinite(scores).all()
    assert scores[-1] > 1e7


def test_the_tail_goes_on_where_the_quiet_values_end():
    tail = Tail.fit(np.random.default_rng(3).exponential(2.0, 5000))
    values = np.linspace(0, 60, 2000)
    surprise = tail.surprise(values)
    assert (np.diff(surprise) >= 0).all()
    np.testing.assert_allclose(surprise[1:], values[1:] / 2 / np.log(10), rtol=0.2, atol=0.05)
    assert tail.surprise(np.array([-1.0])) == 0


def test_combining_corrects_for_the_number_of_parts():
    p = np.array([1.0, 0.5, 1e-3, 1e-9, 1e-14, 1e-300])
    parts = {"a": -np.log10(p), "b": np.zeros(6), "c": np.zeros(6)}
    expected = [1.0, 1 - 0.5**3, 1 - (1 - 1e-3) ** 3, 3e-9, 3e-14, 3e-300]
    np.testing.assert_allclose(combine(parts), -np.log10(expected), rtol=1e-6, atol=1e-9)


def test_too_few_quiet_windows_are_refused():
    with pytest.raises(ConfigError, match="too few"):
        fit_tails(quiet_parts(4, 7))


def unit_vectors(seed: int, n: int, spread: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    vectors = 1 + spread * rng.standard_normal((n, WIDTH))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_distances_are_means_over_the_nearest_five():
    quiet, probe = unit_vectors(5, 60), unit_vectors(6, 7, 0.3)
    expected = np.sort(1 - probe @ quiet.T, axis=1)[:, :5].mean(axis=1)
    np.testing.assert_allclose(vector_distance(quiet, probe), expected, rtol=1e-4)
    mutual = np.sort(1 - quiet @ quiet.T, axis=1)[:, 1:6].mean(axis=1)
    np.testing.assert_allclose(mutual_distance(quiet), mutual, rtol=1e-4)


def quiet_table(seed: int, n: int) -> pa.Table:
    """Simulated quiet windows, whose vectors lie about one direction."""
    columns = {
        "number": np.arange(n),
        "gps_start": pa.nulls(n, pa.int64()),
        **{key: quiet_parts(seed, n)[key] for key in MEASURED},
        "embedding": embedding_column(unit_vectors(seed, n)),
    }
    return pa.table(columns, schema=of_width(QUIET, WIDTH))


def of_run(quiet: pa.Table, order: np.ndarray | None = None) -> pa.Table:
    """The same as quiet windows of a run, whose windows are at these times of 32 s."""
    order = np.arange(len(quiet)) if order is None else order
    return quiet.set_column(1, "gps_start", pa.array(32 * order))


def windows_of_run(quiet: pa.Table, **changed: list[float]) -> pa.Table:
    """The same as windows of a run, in order of time."""
    if quiet["gps_start"].null_count:
        quiet = of_run(quiet)
    for name, values in changed.items():
        quiet = quiet.set_column(quiet.schema.get_field_index(name), name, pa.array(values))
    detector, snr = pa.array(["H1"] * len(quiet)), pa.array(np.full(len(quiet), 5.0))
    return quiet.append_column("detector", detector).append_column("tile_snr", snr)


def above(scores: pa.Table) -> np.ndarray:
    return scores["score"].to_numpy() > scores["limit"].to_numpy()


# -- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "rank", "repeats"), [(100, 2, 250), (100, 5, 80)])
def test_fresh_quiet_windows_pass_a_limit_as_often_as_it_says(count, rank, repeats):
    """With few quiet windows, too; an error of 15 % would be noticed."""
    fraction = rank / (count + 1)
    passed = [
        above(
            score_windows(
                windows_of_run(quiet_table(10_000 + seed, 200)), quiet_table(seed, count), fraction
            )
        ).mean()
        for seed in range(repeats)
    ]
    error = np.std(passed) / np.sqrt(repeats)
    assert error < 0.06 * fraction
    assert abs(np.mean(passed) - fraction) < 2.5 * error


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_windows_that_set_a_limit_are_judged_by_what_they_did_not_teach(share):
    """As many of them pass as the rank says, and others of the run are as likely to."""
    rng = np.random.default_rng(11)
    run = of_run(quiet_table(12, 2400))
    order = rng.permutation(len(run))[: int(share * len(run))]
    own = run.take(order)
    scores = score_windows(windows_of_run(run), own, 0.02)
    known = scores["quiet"].to_numpy()
    assert scores["gps_start"].to_pylist() == run["gps_start"].to_pylist()
    assert np.flatnonzero(known).tolist() == np.sort(order).tolist()
    rank = int(0.02 * (len(own) + 1) + 1e-9)
    assert scores["quiet_windows"].to_pylist() == [len(own)] * len(run)
    assert above(scores)[known].sum() == rank - 1
    if share < 1:
        low, high = betabinom((~known).sum(), rank, len(own) + 1 - rank).interval(0.998)
        assert low <= above(scores)[~known].sum() <= high
    # The same window has the same score whether or not others are scored with it.
    alone = score_windows(windows_of_run(run).slice(5, 1), own, 0.02)
    for name in ("score", "limit"):
        assert alone[name][0].as_py() == near(scores[name][5].as_py(), rel=1e-6)


def test_a_loud_window_among_those_that_set_the_limit_is_found():
    quiet = of_run(quiet_table(13, 200))
    for row in (3, 150):
        track = quiet["track"].to_numpy().copy()
        track[row] = 60.0
        loud = quiet.set_column(4, "track", pa.array(track))
        assert loud.schema.names == quiet.schema.names
        scores = score_windows(windows_of_run(loud), loud, 0.02)
        assert above(scores)[row]
        # Were it scored by tails that hold it, it would be no more improbable than 1 in 101.
        assert scores["surprise_track"][row].as_py() > 5


def test_a_limit_finer_than_the_quiet_windows_resolve_is_refused():
    windows = windows_of_run(quiet_table(14, 10))
    assert score_windows(windows, quiet_table(15, 100), 1 / 101).num_rows == 10
    with pytest.raises(ConfigError, match=r"score\.quiet_windows: 99 quiet"):
        score_windows(windows, quiet_table(15, 99), 1 / 101)


def test_a_window_passes_where_few_quiet_ones_do_as_well_by_what_neither_taught():
    """By brute force: what was learned without a part compares its windows with the new one."""
    quiet, windows = quiet_table(16, 110), windows_of_run(quiet_table(17, 300))
    rows = np.arange(110)
    as_high = np.zeros(300, int)
    for part in np.array_split(rows, 20):
        background = QuietBackground.learn(quiet.take(np.delete(rows, part)))
        there = background.judge(quiet.take(part))["score"].to_numpy()
        as_high += (there[None] >= background.judge(windows)["score"].to_numpy()[:, None]).sum(1)
    for rank in (2, 7):
        found = score_windows(windows, quiet, rank / 111)
        np.testing.assert_array_equal(above(found), as_high < rank)
        assert 0 < above(found).sum() < 100


def test_a_loud_window_has_the_limit_of_a_calm_one():
    """Parts that pass by themselves do so whatever else there is in the window."""
    quiet = quiet_table(18, 400)
    calm = windows_of_run(quiet_table(19, 200))
    usual = np.median(score_windows(calm, quiet, 0.02)["limit"].to_numpy())
    tiles = [10.0 ** (1 + 0.3 * number) for number in range(10)]
    parts = {key: [float(np.median(quiet[key]))] * 10 for key in MEASURED}
    loud = windows_of_run(quiet_table(20, 10), **(parts | {"tile_energy": tiles}))
    found = score_windows(loud, quiet, 0.02)
    assert found["score"][9].as_py() > 100
    assert found["limit"].to_numpy().max() < 1.5 * usual
    assert above(found).sum() > 5


# -- tables -----------------------------------------------------------------------------------


@pytest.fixture
def quiet_file(tmp_path):
    path = tmp_path / "quiet.parquet"
    metadata = {"gwmorph.render_id": "r1", "gwmorph.encoder_id": "e1"}
    quiet = quiet_table(7, 200)
    write_table(path, quiet.schema, quiet, metadata)
    return path


def test_quiet_windows_survive_their_table(quiet_file):
    assert read_quiet(quiet_file, "r1", "e1").equals(quiet_table(7, 200))


@pytest.mark.parametrize(("render", "encoder"), [("r2", "e1"), ("r1", "e2")])
def test_quiet_windows_of_other_pictures_are_refused(quiet_file, render, encoder):
    with pytest.raises(TableError, match="made in another way"):
        read_quiet(quiet_file, render, encoder)


def test_a_window_is_scored_by_its_most_surprising_part():
    quiet = quiet_table(7, 200)
    parts = {key: [float(np.median(quiet[key]))] * 3 for key in MEASURED}
    parts["track"] = [10.0, 60.0, 10.0]
    parts["tile_energy"] = [20.0, 20.0, 5000.0]
    scores = score_windows(windows_of_run(quiet_table(10, 3), **parts), quiet, 0.01)
    assert scores.schema == SCORES
    calm, track, tile = scores["score"].to_pylist()
    assert above(scores).tolist() == [False, True, True]
    assert calm < 1 < track < tile
    assert scores["surprise_track"][1].as_py() == near(track + np.log10(len(PARTS)))
    assert scores["quiet"].to_pylist() == [False] * 3


def test_no_windows_make_an_empty_table():
    none = windows_of_run(quiet_table(10, 1)).slice(0, 0)
    assert score_windows(none, quiet_table(7, 200), 0.01).equals(SCORES.empty_table())
