from dataclasses import replace

import lal
import lalsimulation
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft

from closeness import near
from gwmorph.simulation.binaries import (
    REFERENCE_MPC,
    Binary,
    antenna_pattern,
    arrival_delay,
    overhead_chirp,
    project,
    waveform_length,
)
from gwmorph.simulation.loudness import optimal_snr
from gwmorph.simulation.psd import noise_psd

GPS = 1262301200.25
RATE = 2048
FACE_ON = Binary(30, 30, 0, 0, 1.2, -0.4, 0.3, 0.0, 0.0)


def distance_s(one, other):
    sites = [lal.CachedDetectors[i].location for i in (one, other)]
    return float(np.linalg.norm(sites[0] - sites[1]) / lal.C_SI)


def overhead(site):
    """Binary in the zenith of a detector at GPS."""
    x, y, z = lal.CachedDetectors[site].location
    radius = np.sqrt(x * x + y * y + z * z)
    sidereal = lal.GreenwichMeanSiderealTime(lal.LIGOTimeGPS(GPS))
    return replace(
        FACE_ON,
        right_ascension=float((np.arctan2(y, x) + sidereal) % (2 * np.pi)),
        declination=float(np.arcsin(z / radius)),
    )


@settings(max_examples=50)
@given(ra=st.floats(0, 6.28), sine=st.floats(-1, 1))
def test_delays_are_within_light_travel(ra, sine):
    source = replace(FACE_ON, right_ascension=ra, declination=float(np.arcsin(sine)))
    arrival = {name: arrival_delay(name, source, GPS) for name in ("H1", "L1", "V1")}
    assert abs(arrival["H1"] - arrival["L1"]) <= distance_s(
        lal.LHO_4K_DETECTOR, lal.LLO_4K_DETECTOR
    )
    assert abs(arrival["H1"] - arrival["V1"]) <= distance_s(
        lal.LHO_4K_DETECTOR, lal.VIRGO_DETECTOR
    )


def test_a_source_above_hanford_is_heard_there_first():
    source = overhead(lal.LHO_4K_DETECTOR)
    assert arrival_delay("H1", source, GPS) == pytest.approx(-0.0212, abs=2e-4)
    assert arrival_delay("H1", source, GPS) < arrival_delay("L1", source, GPS)
    assert arrival_delay("L1", source, GPS) < arrival_delay("V1", source, GPS)


def test_response_is_full_in_the_zenith():
    plus, cross = antenna_pattern("H1", overhead(lal.LHO_4K_DETECTOR), GPS)
    assert plus**2 + cross**2 == pytest.approx(1, abs=0.02)


def test_waveforms_carry_delay_and_antenna_pattern():
    found = {name: project(FACE_ON, name, GPS, RATE) for name in ("H1", "L1", "V1")}
    length = len(found["H1"][1])
    f = fft.rfftfreq(length, 1 / RATE)
    band = (f > 30) & (f < 300)
    spectra = {}
    for name, (first, strain) in found.items():
        offset = (first - found["H1"][0]) / RATE
        spectra[name] = fft.rfft(strain) * np.exp(-2j * np.pi * f * offset)
    patterns = {name: antenna_pattern(name, FACE_ON, GPS) for name in found}
    for name in ("L1", "V1"):
        ratio = spectra[name][band] / spectra["H1"][band]
        # A face-on source is circularly polarised: the amplitudes go with |F+ + i Fx|.
        strength = np.hypot(*patterns[name]) / np.hypot(*patterns["H1"])
        np.testing.assert_allclose(np.abs(ratio), strength, rtol=2e-2)
        delay = arrival_delay(name, FACE_ON, GPS) - arrival_delay("H1", FACE_ON, GPS)
        slope = np.polyfit(f[band], np.unwrap(np.angle(ratio)), 1)[0]
        assert -slope / (2 * np.pi) == pytest.approx(delay, abs=2e-5)


def test_snr_falls_with_the_antenna_pattern():
    loudness = {}
    for name in ("H1", "L1"):
        strain = project(FACE_ON, name, GPS, RATE)[1]
        psd = noise_psd("H1", fft.rfftfreq(len(strain), 1 / RATE), RATE)
        loudness[name] = optimal_snr(strain, psd, RATE)
    expected = np.hypot(*antenna_pattern("H1", FACE_ON, GPS)) / np.hypot(
        *antenna_pattern("L1", FACE_ON, GPS)
    )
    assert loudness["H1"] / loudness["L1"] == near(expected, rel=1e-3)


@pytest.mark.parametrize("masses", [(10.0, 10.0), (30.0, 30.0)])
def test_black_holes_peak_at_the_merger(masses):
    source = replace(FACE_ON, mass_1=masses[0], mass_2=masses[1])
    first, strain = project(source, "L1", GPS, RATE)
    merger = GPS + arrival_delay("L1", source, GPS)
    assert first / RATE + np.argmax(np.abs(strain)) / RATE == pytest.approx(merger, abs=0.01)
    assert np.abs(strain[: RATE // 8]).max() < 1e-3 * np.abs(strain).max()
    assert np.abs(strain[-RATE // 8 :]).max() < 1e-3 * np.abs(strain).max()


def test_neutron_stars_take_minutes_from_20_hz():
    source = replace(FACE_ON, mass_1=1.4, mass_2=1.4)
    first, strain = project(source, "H1", GPS, RATE)
    merger = GPS + arrival_delay("H1", source, GPS)
    assert waveform_length(source) > 160
    # Newtonian chirp: 164 s before the merger it stands at 20 Hz, 150 s before it at 20.7 Hz.
    at = int((merger - 150) * RATE) - first
    second = strain[at : at + 4 * RATE] * np.hanning(4 * RATE)
    spectrum = np.abs(fft.rfft(second))
    assert fft.rfftfreq(4 * RATE, 1 / RATE)[np.argmax(spectrum)] == pytest.approx(20.7, abs=0.4)
    assert np.abs(strain[: RATE // 8]).max() < 2e-2 * np.abs(strain).max()


def test_amplitude_is_that_of_a_known_binary():
    # 30 + 30 solar masses at 100 Mpc, face-on and overhead, leading order at 40 Hz:
    # |h~| = sqrt(5/24) pi^(-2/3) (G Mc / c^3)^(5/6) c / D f^(-7/6)
    source = overhead(lal.LHO_4K_DETECTOR)
    _, strain = project(source, "H1", GPS, RATE)
    chirp_mass_s = 30 * 2 ** (-0.2) * lal.MTSUN_SI
    distance_s_ = 100e6 * lal.PC_SI / lal.C_SI
    expected = np.sqrt(5 / 24) * np.pi ** (-2 / 3) * chirp_mass_s ** (5 / 6) / distance_s_
    f = fft.rfftfreq(len(strain), 1 / RATE)
    measured = np.abs(fft.rfft(strain))[np.argmin(np.abs(f - 40))] / RATE
    assert measured == near(expected * 40 ** (-7 / 6), rel=0.25)


def test_overhead_chirp_is_what_the_best_detector_sees():
    merger, strain = overhead_chirp(FACE_ON, RATE)
    source = overhead(lal.LHO_4K_DETECTOR)
    response = np.hypot(*antenna_pattern("H1", source, GPS))
    _, projected = project(source, "H1", GPS, RATE)
    psd = noise_psd("H1", fft.rfftfreq(len(strain), 1 / RATE), RATE)
    expected = optimal_snr(projected, psd, RATE) / response
    assert optimal_snr(strain, psd, RATE) == near(expected, rel=1e-3)
    assert abs(int(np.argmax(np.abs(strain))) - merger) < 0.01 * RATE
    turned = overhead_chirp(replace(FACE_ON, phase=np.pi / 4), RATE)[1]
    assert abs(strain @ turned) < 0.05 * (strain @ strain)


def test_both_polarizations_are_projected_as_lal_does():
    """Seen at an angle, the signs of both and their order matter."""
    source = Binary(30, 24, 0.3, -0.2, 1.9, 0.7, 0.6, 1.1, 0.4)
    waves = lalsimulation.SimInspiralChooseTDWaveform(
        *(mass * lal.MSUN_SI for mass in (source.mass_1, source.mass_2)),
        *(0.0, 0.0, source.spin_1),
        *(0.0, 0.0, source.spin_2),
        REFERENCE_MPC * 1e6 * lal.PC_SI,
        source.inclination,
        source.phase,
        *(0.0, 0.0, 0.0),
        1 / RATE,
        20.0,
        20.0,
        lal.CreateDict(),
        lalsimulation.IMRPhenomD,
    )
    for wave in waves:
        wave.epoch += GPS
    ratios = {}
    for name, site in (("H1", lal.LHO_4K_DETECTOR), ("V1", lal.VIRGO_DETECTOR)):
        first, strain = project(source, name, GPS, RATE)
        theirs = lalsimulation.SimDetectorStrainREAL8TimeSeries(
            *waves,
            source.right_ascension,
            source.declination,
            source.polarization,
            lal.CachedDetectors[site],
        )
        size = 2 * len(strain)
        f = fft.rfftfreq(size, 1 / RATE)
        late = float(theirs.epoch - lal.LIGOTimeGPS(first // RATE)) - (first % RATE) / RATE
        a = fft.rfft(strain, size)
        b = fft.rfft(theirs.data.data, size) * np.exp(-2j * np.pi * f * late)
        band = (f > 30) & (f < 300)
        assert np.linalg.norm(a[band]) == near(np.linalg.norm(b[band]), rel=0.02)
        ratios[name] = (a / b)[band]
    # Where the merger is put, and its phase, is common to all detectors.
    agreement = np.mean(ratios["H1"] / ratios["V1"])
    assert agreement.real > 0.99
    assert abs(agreement.imag) < 0.05
