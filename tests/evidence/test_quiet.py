"""Quiet windows are measured as a run's are, and a limit set on them holds for others."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.stats import betabinom

from gwmorph.errors import ConfigError
from gwmorph.evidence.quiet import quiet_windows, quiet_windows_of_run
from gwmorph.evidence.score import (
    MEASURED,
    QuietBackground,
    mutual_distance,
    score_windows,
    vector_distance,
)
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.scores import QUIET


@pytest.fixture(scope="module")
def quiet(parameters, encoder):
    return [quiet_windows("H1", 300, seed, parameters, encoder) for seed in (1, 2)]


def parts(table, distance):
    return {n: table[n].to_numpy() for n in MEASURED} | {"distance": distance}


def test_a_seed_gives_the_same_windows_and_another_gives_others(quiet, parameters, encoder):
    first, other = quiet
    again = quiet_windows("H1", 60, 1, parameters, encoder)
    fewer = quiet_windows("H1", 60, 1, parameters, encoder)
    assert again.equals(fewer)
    assert first.schema == QUIET
    assert first["number"].to_pylist() == list(range(300))
    assert not set(first["tile_energy"].to_pylist()) & set(other["tile_energy"].to_pylist())


def test_a_limit_set_on_quiet_windows_holds_for_others(quiet):
    """The nominal fraction lies inside the interval that counting alone allows."""
    vectors, fresh = (embedding_matrix(table) for table in quiet)
    background = QuietBackground.fit(parts(quiet[0], mutual_distance(vectors)))
    scores = background.score(parts(quiet[1], vector_distance(vectors, fresh, np.full(300, -1))))
    for fraction in (0.1, 0.03):
        above = np.sum(scores >= background.limit(fraction))
        set_on = int(fraction * 301)
        # With k of n windows above the limit where it was set, others follow a beta-binomial.
        low, high = betabinom(300, set_on, 301 - set_on).interval(0.998)
        assert low <= above <= high, fraction


def run_windows(quiet: pa.Table, loud: int) -> pa.Table:
    """Windows of a run that are as quiet as these, but for the first few."""
    snr = np.where(np.arange(len(quiet)) < loud, 9.0, 5.0)
    return (
        quiet.set_column(1, "gps_start", pa.array(32 * np.arange(len(quiet)) + 1262301184))
        .append_column("detector", pa.array(["H1"] * len(quiet)))
        .append_column("tile_snr", pa.array(snr))
        .drop_columns("number")
    )


def test_quiet_windows_of_a_run_have_no_loud_tile_and_are_chosen_by_seed(quiet):
    windows = run_windows(quiet[0], 80)
    chosen = quiet_windows_of_run(windows, 7.5, 150, 4)
    assert chosen.schema == QUIET
    assert len(chosen) == 150
    starts = chosen["gps_start"].to_pylist()
    assert starts == sorted(set(starts))
    assert min(starts) >= windows["gps_start"][80].as_py()
    assert chosen.equals(quiet_windows_of_run(windows, 7.5, 150, 4))
    assert not chosen.equals(quiet_windows_of_run(windows, 7.5, 150, 5))
    assert len(quiet_windows_of_run(windows, 7.5, 1000, 4)) == 220
    own = pc.is_in(windows["gps_start"], chosen["gps_start"])
    assert windows.filter(own)["embedding"].equals(chosen["embedding"])


def test_a_run_with_few_quiet_windows_is_refused(quiet):
    with pytest.raises(ConfigError, match=r"at least 100 .* got 60 of 300.*simulated"):
        quiet_windows_of_run(run_windows(quiet[0], 240), 7.5, 1000, 4)


def test_windows_of_a_run_are_scored_without_themselves(quiet):
    """The background's own windows pass a limit as often as others of the run."""
    windows = run_windows(quiet[0], 0)
    own = quiet_windows_of_run(windows, 7.5, 300, 4)
    background = QuietBackground.fit(parts(own, mutual_distance(embedding_matrix(own))))
    scores = score_windows(windows, background, own, 0.05)
    assert scores["quiet_windows"].to_pylist() == [300] * 300
    np.testing.assert_allclose(
        scores["distance"], mutual_distance(embedding_matrix(own)), atol=1e-6
    )
    above = pc.sum(pc.greater_equal(scores["score"], scores["limit"])).as_py()
    assert 5 <= above <= 25
