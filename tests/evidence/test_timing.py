import h5py
import numpy as np
import pytest

from closeness import near
from gwmorph.block import RenderParameters, whiten_stretch, window_span
from gwmorph.config import Config
from gwmorph.evidence.arrivals import SeenTwice
from gwmorph.evidence.timing import (
    FLOOR,
    NOISE,
    ONE_MOMENT,
    fit_errors,
    inside_window,
    light_travel_s,
    peak_time_error,
)
from gwmorph.spectra.triggers import find_triggers
from gwmorph.strain.files import Strain

CONFIG = Config()
PARAMETERS = RenderParameters.from_sections(
    32,
    *(getattr(CONFIG, name).model_dump() for name in ("conditioning", "qtransform", "picture")),
)


def test_light_takes_ten_milliseconds_from_hanford_to_livingston():
    assert light_travel_s("H1", "L1") == near(0.01001, rel=1e-3)
    assert light_travel_s("L1", "H1") == light_travel_s("H1", "L1")
    assert light_travel_s("H1", "V1") == near(0.0273, rel=5e-3)
    assert light_travel_s("H1", "H1") == 0


def test_long_tiles_and_faint_triggers_are_worse_known():
    error = peak_time_error(np.array([30, 300, 30]), np.array([45, 45, 45]), np.array([8, 8, 80]))
    assert error[0] == near(10 * error[1])
    assert error[2] < 0.1 * error[0]
    # However loud, no better than the tiles lie.
    length = 45 / (2 * np.sqrt(np.pi) * 30)
    assert peak_time_error(30, 45, 1e6) == near(FLOOR * length)


def seen(noise, floor, count=4000, seed=3):
    """Signals whose peak times are off as the law says, with a 95 % quantile at 3 sigma."""
    rng = np.random.default_rng(seed)
    frequency, q = (
        np.exp(rng.uniform(*np.log(ends), (count, 2))) for ends in ((25, 900), (4, 64))
    )
    snr = np.exp(rng.uniform(np.log(7.5), np.log(60), (count, 2)))
    error = np.hypot(*peak_time_error(frequency, q, snr, noise, floor).T)
    apart = error * 3 / 1.96 * rng.normal(size=count)
    rows = np.arange(2 * count).reshape(-1, 2)
    return SeenTwice(apart, frequency, q, snr, rows, np.full(count, "blip"))


@pytest.mark.parametrize(("noise", "floor"), [(38.0, 0.04), (10.0, 0.1)])
def test_the_fit_finds_the_law_that_made_the_errors(noise, floor):
    found = fit_errors(seen(noise, floor))
    assert found == near((noise, floor), rel=0.1)


def test_windows_hold_as_much_as_they_are_fitted_for():
    assert np.mean(inside_window(seen(NOISE, FLOOR))) == near(0.95, rel=0.01)


def test_signals_that_are_not_of_one_moment_do_not_count():
    held = seen(NOISE, FLOOR)
    kind = np.where(np.arange(4000) % 2, "blip", "whistle")
    late = np.where(kind == "blip", held.lag_error, 5.0)
    mixed = SeenTwice(late, held.frequency, held.q, held.snr, held.rows, kind)
    assert fit_errors(mixed) == near((NOISE, FLOOR), rel=0.1)
    assert "whistle" not in ONE_MOMENT


def test_the_first_gravitational_wave_coincides(real_data):
    path = real_data / "strain" / "DERIVED_GW150914_H1L1_64s_4096Hz_1126259430.hdf5"
    start, found = 1126259430, {}
    with h5py.File(path) as file:
        for detector in ("H1", "L1"):
            strain = file[detector][:]
            sound = np.ones(len(strain) // 4096, bool)
            held = Strain(detector, start, 4096, strain, sound, sound)
            first, last = start + 16, start + 48
            whole = whiten_stretch(
                held, start, start + len(sound), (first, last), [first], PARAMETERS
            )
            batch = PARAMETERS.transform().batch(window_span(whole, first, PARAMETERS)[np.newaxis])
            events = CONFIG.events
            found[detector] = find_triggers(batch, events.tile_snr, events.snr, events.gap_s)[0][0]
    one, other = found["H1"], found["L1"]
    assert start + 16 + one.peak_time == near(1126259462.42, rel=2e-11)
    errors = [peak_time_error(t.peak_frequency, t.q, t.snr) for t in (one, other)]
    late = abs(one.peak_time - other.peak_time)
    assert late <= light_travel_s("H1", "L1") + 3 * np.hypot(*errors)
    assert min(one.snr, other.snr) > 8
