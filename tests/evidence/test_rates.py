import os
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from closeness import near
from gwmorph.evidence.rates import (
    YEAR_S,
    Background,
    count_intervals,
    empirical_p,
    false_alarm_rate,
    louder,
    loudest_event_limit,
    p_over_run,
    poisson_interval,
    poisson_limit,
    slides_that_teach,
)


def test_as_loud_counts_as_louder():
    assert louder(np.array([3.0, 1.0, 2.0, 2.0]), np.array([0.0, 2.0, 2.5, 4.0])).tolist() == [
        4, 3, 1, 0,
    ]  # fmt: skip


PYCBC = """
import sys
import numpy as np
from pycbc.events.significance import count_n_louder
back, fore = np.load(sys.argv[1]), np.load(sys.argv[2])
np.save(sys.argv[3], count_n_louder(back, fore, np.ones(len(back)))[1])
"""


def test_louder_events_are_as_many_as_pycbc_counts(tmp_path):
    python = os.environ.get("GWMORPH_PYCBC")
    if not python:
        pytest.skip("GWMORPH_PYCBC names no Python that has PyCBC; see benchmarks/README.md")
    rng = np.random.default_rng(8)
    background = np.round(7.5 * rng.uniform(size=20_000) ** -0.4, 2)
    # What is quieter than all of the background, PyCBC counts one event short.
    values = np.append(background[:500], rng.uniform(background.min() + 0.01, 300, 500))
    values = values[values > background.min()]
    paths = [str(tmp_path / f"{name}.npy") for name in ("back", "fore", "louder")]
    np.save(paths[0], background), np.save(paths[1], values)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([python, "-c", PYCBC, *paths], check=True, env=environment)
    assert louder(background, values).tolist() == np.load(paths[2]).tolist()


def test_a_rate_has_the_floor_of_one_event_in_the_background():
    assert false_alarm_rate(np.array([0, 9]), YEAR_S) == near(np.array([1.0, 10.0]))


@given(st.integers(0, 10**9), st.floats(1.0, 1e12), st.floats(1.0, 1e9))
def test_p_over_the_run_is_a_probability_and_never_zero(count, background, livetime):
    p = float(p_over_run(false_alarm_rate(count, background), livetime))
    assert 0 < p <= 1


def test_a_rare_event_is_as_improbable_as_its_rate_says():
    assert p_over_run(np.array(1e-6), YEAR_S) == near(1e-6, rel=1e-5)


@given(st.integers(1, 1000), st.data())
def test_an_empirical_p_is_never_zero(trials, data):
    reached = data.draw(st.integers(0, trials))
    assert float(empirical_p(reached, trials)) == near((reached + 1) / (trials + 1))


@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_poissons_interval_leaves_a_fortieth_on_each_side(count):
    low, high = poisson_interval(np.array([count]))
    assert poisson.cdf(count, high[0]) == near(0.025)
    if count:
        assert poisson.sf(count - 1, low[0]) == near(0.025)
    else:
        assert low[0] == 0


def test_upper_limits_are_the_published_ones():
    # 2.303 for none seen; Biswas et al. 2009 have 2.303 and 3.890 for the loudest event.
    assert poisson_limit(0) == near(2.302585)
    assert poisson_limit(1) == near(3.889720)
    assert loudest_event_limit(0.0) == near(2.302585)
    assert loudest_event_limit(np.inf) == near(3.889720)
    assert 2.303 < loudest_event_limit(1.0) < 3.889


def background_of(one, other, rank=None):
    one, other = np.array(one), np.array(other)
    values = np.arange(len(one), dtype=float) if rank is None else np.array(rank, float)
    return Background(values, one, other)


def test_the_interval_of_a_burst_is_wider_than_poissons():
    rng = np.random.default_rng(1)
    spread = background_of(rng.integers(200, size=400), rng.integers(200, size=400))
    # One stretch of many makes half of what is loud.
    mixed = background_of(
        np.where(rng.random(400) < 0.5, 0, rng.integers(200, size=400)), spread.other
    )
    at = np.array([200.0])
    widths = {}
    for name, held in {"spread": spread, "mixed": mixed}.items():
        low, high = count_intervals(held, at, 400, 3)
        assert low < 200 < high
        widths[name] = float(high[0] - low[0])
    poisson_low, poisson_high = poisson_interval(np.array([200]))
    assert widths["mixed"] > 2 * widths["spread"] > 2 * (poisson_high - poisson_low)[0]


def test_no_louder_event_has_poissons_interval():
    low, high = count_intervals(background_of([1, 2], [3, 4]), np.array([10.0]), 20, 1)
    assert (low[0], high[0]) == (0.0, near(3.688879))


def test_an_empty_background_has_poissons_interval_too():
    none = Background(np.zeros(0), np.zeros(0, int), np.zeros(0, int))
    low, high = count_intervals(none, np.array([1.0]), 20, 1)
    assert (low[0], high[0]) == (0.0, near(3.688879))


def test_slides_teach_until_the_same_triggers_come_again():
    rng = np.random.default_rng(4)
    few = background_of(rng.integers(10, size=5000), rng.integers(10, size=5000))
    assert slides_that_teach(few, 5000) == np.inf or slides_that_teach(few, 5000) > 1000
    # A tenth of all coincidences is of one stretch: the relative variance ends at a hundredth.
    one = np.where(rng.random(5000) < 0.1, 0, rng.integers(1, 5000, size=5000))
    other = rng.integers(5000, size=5000)
    assert slides_that_teach(background_of(one, other), 5000) == near(100, rel=0.15)
