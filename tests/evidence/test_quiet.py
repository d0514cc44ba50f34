"""Quiet windows are measured as a run's are, and a limit set on them holds for others."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.stats import betabinom

from gwmorph.errors import ConfigError
from gwmorph.evidence.quiet import quiet_windows, quiet_windows_of_run
from gwmorph.evidence.score import score_windows
from gwmorph.tables.scores import QUIET


@pytest.fixture(scope="module")
def quiet(parameters, encoder):
    return [quiet_windows("H1", 300, seed, parameters, encoder) for seed in (1, 2)]


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
    for fraction in (0.1, 0.03):
        scores = score_windows(run_windows(quiet[1], 0), quiet[0], fraction)
        rank = int(fraction * 151)
        # With k of n windows above the limit where it was set, others follow a beta-binomial.
        low, high = betabinom(300, rank, 151 - rank).interval(0.998)
        assert low <= pc.sum(pc.greater(scores["score"], scores["limit"])).as_py() <= high, (
            fraction
        )


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
    chosen = quiet_windows_of_run(windows, 7.5, 150, 100, 4)
    assert chosen.schema == QUIET
    assert len(chosen) == 150
    starts = chosen["gps_start"].to_pylist()
    assert len(set(starts)) == 150
    # In random order: what is learned from and what sets the limit are alike.
    middle = np.median(starts)
    assert 20 < sum(start < middle for start in starts[:75]) < 55
    assert min(starts) >= windows["gps_start"][80].as_py()
    assert chosen.equals(quiet_windows_of_run(windows, 7.5, 150, 100, 4))
    assert not chosen.equals(quiet_windows_of_run(windows, 7.5, 150, 100, 5))
    assert len(quiet_windows_of_run(windows, 7.5, 1000, 100, 4)) == 220
    own = pc.is_in(windows["gps_start"], chosen["gps_start"])
    assert windows.filter(own)["embedding"].equals(chosen.sort_by("gps_start")["embedding"])


def test_a_run_with_few_quiet_windows_is_refused(quiet):
    with pytest.raises(ConfigError, match=r"at least 100 .* got 60 of 300.*simulated"):
        quiet_windows_of_run(run_windows(quiet[0], 240), 7.5, 1000, 100, 4)
