import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from closeness import near
from gwmorph.evidence.ranking import rank_events

SNR = st.floats(5, 1e4)
COSINE = st.floats(-1, 1)


def ranked(one, other, cosine):
    return float(rank_events(np.array([[one], [other]]), np.array([[cosine]]))[0])


def test_the_quieter_detector_and_the_likeness_decide():
    assert ranked(10, 30, 1.0) == near(10)
    assert ranked(10, 30, 0.9) == near(10 * 0.9**8)
    assert ranked(300, 10, 0.9) == ranked(10, 11, 0.9)


@given(SNR, SNR, COSINE)
def test_detectors_may_change_places_and_no_rank_is_negative(one, other, cosine):
    assert ranked(one, other, cosine) == ranked(other, one, cosine) >= 0


@given(SNR, SNR, COSINE, COSINE)
def test_what_looks_more_alike_ranks_no_lower(one, other, low, high):
    low, high = sorted((low, high))
    assert ranked(one, other, low) <= ranked(one, other, high)


def test_unlike_views_and_missing_ones_rank_lowest():
    assert ranked(50, 50, -0.8) == 0
    assert ranked(50, 50, np.nan) == 0


def test_a_triple_has_the_smallest_snr_and_the_mean_cosine():
    snrs, alike = np.array([[9.0], [12.0], [8.0]]), np.array([[1.0], [0.8], [0.9]])
    assert rank_events(snrs, alike) == near(8 * 0.9**8)
    # Of one missing view two cosines are unknown, and so is their mean.
    assert rank_events(snrs, np.array([[np.nan], [np.nan], [0.9]])) == 0
