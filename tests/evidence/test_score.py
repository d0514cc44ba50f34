"""The score is calibrated on quiet data, rises with every part, and knows what it can resolve."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.score import (
    MEASURED,
    PARTS,
    QuietBackground,
    Tail,
    combine,
    load_background,
    mutual_distance,
    score_windows,
    vector_distance,
)
from gwmorph.tables.columns import EMBEDDING_SIZE
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import write_table
from gwmorph.tables.scores import QUIET, SCORES


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


BACKGROUND = QuietBackground.fit(quiet_parts(0, 2000))


def test_p_values_of_fresh_quiet_parts_are_uniform():
    fresh = quiet_parts(1, 4000)
    for name, surprise in BACKGROUND.surprises(fresh).items():
        # 2000 windows know their distribution to about 0.02.
        assert kstest(10.0**-surprise, "uniform").statistic < 0.045, name


@pytest.mark.parametrize("fraction", [0.1, 0.01, 0.002])
def test_fresh_quiet_windows_pass_a_limit_as_often_as_asked_for(fraction):
    passed = total = 0
    for seed in range(20):
        background = QuietBackground.fit(quiet_parts(100 + seed, 1000))
        scores = background.score(quiet_parts(200 + seed, 2000))
        passed += int(np.sum(scores >= background.limit(fraction)))
        total += len(scores)
    # Each of the 20 limits is itself uncertain: k events of 1000 set it.
    spread = np.sqrt(1 / (20 * fraction * 1000) + 1 / (fraction * total))
    assert passed / total == pytest.approx(fraction, rel=4 * spread)


@given(
    values=st.tuples(*[st.floats(0, 1e6) for _ in PARTS]),
    name=st.sampled_from(PARTS),
    more=st.floats(1e-3, 1e9),
)
@settings(max_examples=200, deadline=None)
def test_the_score_never_falls_when_a_part_rises(values, name, more):
    parts = {key: np.array([value]) for key, value in zip(PARTS, values, strict=True)}
    louder = {**parts, name: parts[name] + more}
    assert BACKGROUND.score(louder)[0] >= BACKGROUND.score(parts)[0]


@pytest.mark.parametrize("name", PARTS)
def test_the_score_rises_without_bound_with_every_part(name):
    typical = {key: np.full(6, np.median(tail.quiet)) for key, tail in BACKGROUND.tails.items()}
    tail = BACKGROUND.tails[name]
    steps = tail.threshold + tail.scale * np.array([3, 10, 30, 100, 1e4, 1e8])
    scores = BACKGROUND.score({**typical, name: steps})
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


def test_a_limit_finer_than_the_resolution_is_refused():
    assert BACKGROUND.resolution == 1 / 2001
    assert BACKGROUND.limit(BACKGROUND.resolution) == BACKGROUND.scores[-1]
    assert BACKGROUND.limit(0.01) == BACKGROUND.scores[-20]
    for fraction in (0.0004, 0.0, 1.0):
        with pytest.raises(ConfigError, match=r"score\.quiet_windows"):
            BACKGROUND.limit(fraction)


def test_too_few_quiet_windows_are_refused():
    with pytest.raises(ConfigError, match="too few"):
        QuietBackground.fit(quiet_parts(4, 8))


def unit_vectors(seed: int, n: int, spread: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    vectors = 1 + spread * rng.standard_normal((n, EMBEDDING_SIZE))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_distances_are_means_over_the_nearest_five():
    quiet, probe = unit_vectors(5, 60), unit_vectors(6, 7, 0.3)
    expected = np.sort(1 - probe @ quiet.T, axis=1)[:, :5].mean(axis=1)
    strangers = np.full(7, -1)
    np.testing.assert_allclose(vector_distance(quiet, probe, strangers), expected, atol=1e-6)
    mutual = np.sort(1 - quiet @ quiet.T, axis=1)[:, 1:6].mean(axis=1)
    np.testing.assert_allclose(mutual_distance(quiet), mutual, atol=1e-6)
    own = vector_distance(quiet, quiet, np.arange(60))
    np.testing.assert_allclose(own, mutual, atol=1e-6)


def as_embeddings(vectors: np.ndarray) -> pa.Array:
    kind = QUIET.field("embedding").type
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), type=kind)


@pytest.fixture
def quiet_table(tmp_path):
    n = 200
    parts = {key: quiet_parts(7, n)[key] for key in MEASURED}
    vectors = unit_vectors(8, n)
    path = tmp_path / "quiet.parquet"
    columns = {
        "number": np.arange(n),
        "gps_start": pa.nulls(n, pa.int64()),
        **parts,
        "embedding": as_embeddings(vectors),
    }
    metadata = {"gwmorph.render_id": "r1", "gwmorph.encoder_id": "e1"}
    write_table(path, QUIET, columns, metadata)
    return path, parts, vectors


def test_a_background_survives_its_table(quiet_table):
    path, parts, vectors = quiet_table
    loaded, kept = load_background(path, "r1", "e1")
    direct = QuietBackground.fit({**parts, "distance": mutual_distance(vectors)})
    np.testing.assert_array_equal(embedding_matrix(kept), vectors)
    np.testing.assert_array_equal(loaded.scores, direct.scores)
    fresh = quiet_parts(9, 50)
    np.testing.assert_array_equal(loaded.score(fresh), direct.score(fresh))


@pytest.mark.parametrize(("render", "encoder"), [("r2", "e1"), ("r1", "e2")])
def test_a_background_of_other_pictures_is_refused(quiet_table, render, encoder):
    with pytest.raises(TableError, match="made in another way"):
        load_background(quiet_table[0], render, encoder)


def windows(n: int, **columns: np.ndarray) -> pa.Table:
    return pa.table(
        {
            "detector": ["H1"] * n,
            "gps_start": 32 * np.arange(n),
            "tile_snr": np.full(n, 5.0),
            **columns,
            "embedding": as_embeddings(unit_vectors(10, n)),
        }
    )


def test_a_window_is_scored_by_its_most_surprising_part(quiet_table):
    background, vectors = load_background(quiet_table[0], "r1", "e1")
    parts = {key: np.full(3, np.median(background.tails[key].quiet)) for key in MEASURED}
    parts["track"] = np.array([10.0, 60.0, 10.0])
    parts["tile_energy"] = np.array([20.0, 20.0, 5000.0])
    scores = score_windows(windows(3, **parts), background, vectors, 0.01)
    assert scores.schema.names == SCORES.names
    quiet, track, tile = scores["score"].to_pylist()
    limit = background.limit(0.01)
    assert scores["limit"].to_pylist() == [limit] * 3
    assert quiet < limit < track < tile
    assert scores["surprise_track"][1].as_py() == pytest.approx(track + np.log10(len(PARTS)))


def test_no_windows_make_an_empty_table(quiet_table):
    background, vectors = load_background(quiet_table[0], "r1", "e1")
    none = windows(1, **{key: np.zeros(1) for key in MEASURED}).slice(0, 0)
    assert score_windows(none, background, vectors, 0.01).num_rows == 0
