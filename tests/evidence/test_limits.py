"""Limits let the fraction through that they say, by ranks alone."""

import numpy as np
import pytest

from gwmorph.errors import ConfigError
from gwmorph.evidence.limits import limit_at, passing_interval


def test_limit_is_passed_by_the_asked_fraction_on_average():
    quiet = np.random.default_rng(0).permutation(999).astype(float)
    limit = limit_at(quiet, 0.01, "a.key")
    assert (quiet > limit).sum() == 9
    assert (quiet >= limit).sum() == 10  # ranks of a new score: 10 of 1000 places lie above


def test_limits_let_the_nominal_fraction_through():
    rng = np.random.default_rng(1)
    passed = [
        (rng.standard_normal(400) > limit_at(rng.standard_normal(199), 0.05, "a.key")).mean()
        for _ in range(300)
    ]
    assert np.mean(passed) == pytest.approx(0.05, abs=0.003)


@pytest.mark.parametrize(("quiet", "fraction"), [(998, 0.001), (998, 0.0), (998, 1.0), (0, 0.5)])
def test_what_the_quiet_windows_do_not_resolve_is_refused(quiet, fraction):
    with pytest.raises(ConfigError, match=rf"a\.key: {quiet} quiet windows .*got {fraction:g}"):
        limit_at(np.zeros(quiet), fraction, "a.key")


def test_a_score_equal_to_the_limit_does_not_pass():
    """Of equal scores none passes: rather too few than too many."""
    quiet = np.repeat([1.0, 2.0], 50)
    assert (quiet > limit_at(quiet, 0.2, "a.key")).sum() == 0


def test_what_passes_follows_a_law_that_needs_no_distribution():
    rng = np.random.default_rng(4)
    low, high = passing_interval(400, 199, 10)
    counts = [
        (rng.standard_normal(400) > limit_at(rng.standard_normal(199), 0.05, "a.key")).sum()
        for _ in range(400)
    ]
    assert 0.93 < np.mean([low <= count <= high for count in counts]) < 0.98
