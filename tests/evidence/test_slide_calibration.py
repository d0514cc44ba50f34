import numpy as np
import pytest
from scipy.stats import binom, kstest

from gwmorph.evidence.slide_calibration import Bursts, slide_pair

PAIRS = 400
# Bursts of five a minute long, and of twenty, ten minutes long; 24 hours of both detectors.
KINDS = (Bursts(24, 60, 5, 60), Bursts(24, 60, 20, 600))


@pytest.fixture(scope="module", params=KINDS, ids=str)
def slid(request):
    return [slide_pair(request.param, seed) for seed in range(PAIRS)]


@pytest.mark.parametrize("statistic", ["windows", "loudest"])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_no_more_pairs_are_as_improbable_as_the_p_value_says(slid, statistic, alpha):
    found = np.array([getattr(pair, statistic) for pair in slid])
    assert found.min() > 0
    assert found.max() <= 1
    assert (found <= alpha).sum() <= binom.ppf(0.995, PAIRS, alpha)


def test_p_values_of_the_loudest_are_uniform(slid):
    assert kstest([pair.loudest for pair in slid], "uniform").pvalue > 0.01


@pytest.mark.parametrize("seed", range(5))
def test_five_signals_of_snr_10_are_significant(seed):
    found = slide_pair(KINDS[0], 1000 + seed, signals=5).signals
    assert len(found) == 5
    assert found.max() < 0.01


def test_equal_seeds_give_equal_p_values():
    one, again, other = (slide_pair(Bursts(4, 60, 5, 60), seed) for seed in (1, 1, 2))
    assert (one.loudest, one.windows) == (again.loudest, again.windows)
    assert (one.loudest, one.windows) != (other.loudest, other.windows)
