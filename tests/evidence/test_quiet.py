"""Quiet windows are measured as a run's are, and a limit set on them holds for others."""

import numpy as np
import pytest
from scipy.stats import betabinom

from gwmorph import tables
from gwmorph.evidence.quiet import quiet_windows
from gwmorph.evidence.score import QuietBackground, mutual_distance, vector_distance


@pytest.fixture(scope="module")
def quiet(parameters, encoder):
    return [quiet_windows("H1", 300, seed, parameters, encoder) for seed in (1, 2)]


def parts(table, distance):
    return {n: table[n].to_numpy() for n in ("tile_energy", "excess", "track", "chirp")} | {
        "distance": distance
    }


def test_a_seed_gives_the_same_windows_and_another_gives_others(quiet, parameters, encoder):
    first, other = quiet
    again = quiet_windows("H1", 60, 1, parameters, encoder)
    fewer = quiet_windows("H1", 60, 1, parameters, encoder)
    assert again.equals(fewer)
    assert first.schema == tables.QUIET
    assert first["number"].to_pylist() == list(range(300))
    assert not set(first["tile_energy"].to_pylist()) & set(other["tile_energy"].to_pylist())


def test_a_limit_set_on_quiet_windows_holds_for_others(quiet):
    """The nominal fraction lies inside the interval that counting alone allows."""
    vectors, fresh = (tables.embedding_matrix(table) for table in quiet)
    background = QuietBackground.fit(parts(quiet[0], mutual_distance(vectors)))
    scores = background.score(parts(quiet[1], vector_distance(vectors, fresh)))
    for fraction in (0.1, 0.03):
        above = np.sum(scores >= background.limit(fraction))
        set_on = int(fraction * 301)
        # With k of n windows above the limit where it was set, others follow a beta-binomial.
        low, high = betabinom(300, set_on, 301 - set_on).interval(0.998)
        assert low <= above <= high, fraction
