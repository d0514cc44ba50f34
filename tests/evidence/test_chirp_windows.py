"""Windows for a search for chirps: signals, noise, and what is slid."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from igwn_segments import segment, segmentlist
from scipy.signal import hilbert, periodogram
from searched import LOOK, MASSES

from closeness import near
from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.chirp_noise import (
    ROLES,
    Recorded,
    read_noise,
    read_stretches,
    simulated_strain,
    whitened,
    write_noise,
)
from gwmorph.evidence.chirp_windows import (
    GaussianNoise,
    Look,
    RecordedNoise,
    draw_signals,
    place,
    read_signals,
    slid_windows,
    whitening_taps,
    write_signals,
)
from gwmorph.evidence.timing import light_travel_s
from gwmorph.filters import convolve
from gwmorph.spectra.band import Band


@pytest.fixture(scope="module")
def signals(spectra):
    return draw_signals(MASSES, LOOK, spectra, 12, 5, "test")


def test_a_placed_signal_has_its_snr_inside_the_window(signals):
    snrs = np.linspace(4, 15, 12)
    windows = place(signals.white, np.linspace(0.75, 0.95, 12), snrs, LOOK)
    assert windows.shape == (12, 2, 2048)
    assert windows.dtype == np.float32
    assert np.sqrt((windows.astype(float) ** 2).sum(axis=(1, 2))) == near(snrs, rel=1e-5)


@pytest.mark.parametrize("part", [0.75, 0.8, 0.95])
def test_a_merger_lies_where_it_is_placed(signals, part):
    windows = place(signals.white, np.full(12, part), np.ones(12), LOOK)
    loudest = np.abs(windows[:, 0]).argmax(axis=1) / LOOK.samples
    # A whitened chirp is loudest some cycles before its merger.
    assert (np.abs(loudest - part) < 0.03).all()


def test_a_wave_comes_to_both_detectors_within_the_light_travel_time(signals):
    for white in signals.white.astype(float):
        # The envelope: detectors see other phases of one wave.
        first, second = (hilbert(channel) for channel in white)
        lags = np.abs(np.correlate(first, second, "full"))
        late_s = (lags.argmax() - (LOOK.kept - 1)) / LOOK.sample_rate
        assert abs(late_s) < light_travel_s("H1", "L1") + 1 / LOOK.sample_rate


def test_each_use_has_binaries_of_its_own_and_the_same_ones_again(signals, spectra):
    again = draw_signals(MASSES, LOOK, spectra, 3, 5, "test")
    other = draw_signals(MASSES, LOOK, spectra, 3, 5, "training")
    assert again.binaries == signals.binaries[:3]
    assert not set(other.binaries) & set(signals.binaries)


def test_signals_are_written_and_read(tmp_path, signals):
    write_signals(tmp_path / "a.npz", signals)
    held = read_signals(tmp_path / "a.npz")
    assert held.binaries == signals.binaries
    assert (held.white == signals.white).all()


def test_gaussian_noise_is_what_coloured_noise_is_after_whitening(spectra):
    """White noise is coloured and whitened again, the long way round."""
    rng = np.random.default_rng(3)
    rate, seconds = LOOK.sample_rate, 256
    size = seconds * rate
    spectrum = np.fft.rfft(rng.standard_normal(size))
    grid = np.fft.rfftfreq(2 * (len(spectra["H1"]) - 1), 1 / rate)
    psd = np.interp(np.fft.rfftfreq(size, 1 / rate), grid, spectra["H1"])
    coloured = np.fft.irfft(spectrum * np.sqrt(psd * rate / 2), size)
    taps = whitening_taps(spectra, LOOK)["H1"]
    long_way = convolve(coloured, taps)[len(taps) : -len(taps)]
    drawn = GaussianNoise(spectra, LOOK).windows(seconds, rng)[:, 0]
    assert drawn.std() == near(long_way.std(), rel=0.01)

    def power(x):
        frequency, density = periodogram(x, rate, "hann")
        bands = np.digitize(frequency, [0, 12, 30, 100, 300, 600, 830, 925])
        return np.array([density[..., bands == n].mean() for n in range(1, 8)])

    ours, theirs = power(drawn), power(long_way[: 200 * 2048].reshape(200, 2048))
    assert ours[1:6] == near(theirs[1:6], rel=0.12)
    # White inside the band.
    assert ours[2:5] == near(np.full(3, 2 / rate), rel=0.05)


def test_gaussian_noise_of_two_windows_has_nothing_in_common(spectra):
    windows = GaussianNoise(spectra, LOOK).windows(200, np.random.default_rng(1))
    flat = windows.reshape(200, -1)
    shared = np.corrcoef(flat)
    # Neighbouring samples are correlated by the band alone.
    assert np.abs(shared - np.eye(200)).max() < 6 / np.sqrt(flat.shape[1])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(64, 200), st.integers(1, 64), st.integers(0, 300))
def test_slid_windows_are_cut_from_rings(channels, length, step, shift):
    look = Look(tuple("HLV"[:channels]), 64, 64, Band(1, 2), 0.5, 0.9)
    streams = np.arange(channels * length, dtype=np.float32).reshape(channels, length)
    found = np.concatenate(list(slid_windows(streams, look, step, shift)))
    starts = range(0, length, step)
    expected = [
        [np.roll(s, -(start + c * shift))[:64] for c, s in enumerate(streams)] for start in starts
    ]
    assert (found == np.array(expected)).all()


def test_recorded_windows_are_pieces_of_the_record_and_never_across_a_gap():
    look = Look(("H1", "L1"), 16, 16, Band(1, 2), 0.5, 0.9)
    pieces = (np.arange(40, dtype=np.float32), 100 + np.arange(17, dtype=np.float32))
    noise = RecordedNoise((pieces, (1000 + np.arange(30, dtype=np.float32),)), look)
    windows = noise.windows(300, np.random.default_rng(1))
    assert (np.diff(windows, axis=-1) == 1).all()
    firsts = set(windows[:, 0, 0].tolist())
    assert firsts == {*range(25), 100, 101}
    # The detectors' times are drawn on their own.
    assert len({*map(tuple, windows[:, :, 0].tolist())}) > 100
    assert noise.streams(1000, np.random.default_rng(1)).shape == (2, 30)


def test_simulated_noise_with_lines_is_white_after_its_own_spectrum():
    look = Look(("H1",), 2048, 2048, Band(20.0, 900.0), 0.75, 0.95)
    found = whitened(simulated_strain(look, 40, 3), look)
    values = {role: found.white[role]["H1"][0] for role in ROLES}
    assert all(len(white) == 36 * 2048 for white in values.values())
    assert values["test"].std() == near(0.91, rel=0.12)
    assert abs(np.corrcoef(values["test"], values["training"])[0, 1]) < 0.02


def test_noise_is_written_and_read(tmp_path, spectra):
    white = {
        role: {d: [np.full(3000 + n, n, np.float32) for n in range(11)] for d in LOOK.detectors}
        for role in ROLES
    }
    write_noise(tmp_path / "r.npz", spectra, Recorded(spectra, white))
    held, noise = read_noise(tmp_path / "r.npz", LOOK)
    assert (held["L1"] == spectra["L1"]).all()
    assert [piece[0] for piece in noise["test"].white[0]] == list(range(11))
    write_noise(tmp_path / "g.npz", spectra, None)
    assert isinstance(read_noise(tmp_path / "g.npz", LOOK)[1]["test"], GaussianNoise)
    with pytest.raises(TableError, match="expected noise of H1, V1"):
        read_noise(tmp_path / "g.npz", Look(("H1", "V1"), 2048, 2048, Band(20, 900), 0.5, 0.9))


def test_recorded_time_is_shared_without_overlap(monkeypatch):
    asked = []

    class Values:
        values = np.zeros(1)

    def read(files, detector, start, end, rate):
        asked.append((start, end))
        return Values

    monkeypatch.setattr("gwmorph.evidence.chirp_noise.read_strain", read)
    spans = segmentlist([segment(1000, 1300), segment(2000, 2100)])
    found = read_stretches([], spans, "H1", LOOK)
    assert all(found[role] for role in ROLES)
    ordered = sorted(asked)
    assert all(end <= start for (_, end), (start, _) in pairwise(ordered))
    assert sum(end - start for start, end in asked) > 390
    with pytest.raises(ConfigError, match=r"noise_files.H1: 20 s .* validation"):
        read_stretches([], segmentlist([segment(0, 20)]), "H1", LOOK)
