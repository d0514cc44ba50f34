"""Injections: their seeds, their loudness, and that they meet the conditioning of a block."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import fft

from closeness import near
from gwmorph.config import InjectionsConfig
from gwmorph.errors import ConfigError
from gwmorph.evidence import injections, statistics
from gwmorph.evidence.campaign import Job, noise_seed, plan_jobs, plan_noise_jobs
from gwmorph.evidence.injections import (
    CONTEXT_S,
    features_of,
    observe,
    read_windows,
    real_backgrounds,
    simulated_backgrounds,
    unit_signal,
    window_snr,
    write_windows,
)
from gwmorph.evidence.statistics import STATISTICS, statistic
from gwmorph.progress import Account, accounting
from gwmorph.simulation.loudness import optimal_snr
from gwmorph.simulation.morphologies import INJECTED
from gwmorph.simulation.noise import DetectorNoise
from gwmorph.simulation.psd import background_psd, noise_psd
from gwmorph.spectra.conditioning import whiten, whitening_filter
from gwmorph.spectra.qtransform import GUARD_S
from gwmorph.strain.directory import recording
from gwosc_files import gwosc_file_name, write_gwosc_file

RATE = 2048
QUIET = Job("quiet-0", "test", 8, "H1", 5)
BLIPS = Job("blip-0", "injection", 6, "H1", 5, "blip", (8.0, 16.0))
CODED = [name for name, entry in STATISTICS.items() if entry.compute]


@pytest.fixture(scope="module")
def background(parameters):
    return next(simulated_backgrounds(QUIET, parameters))


# -- jobs and seeds -------------------------------------------------------------------------


def test_jobs_add_up_to_the_configuration(campaign):
    jobs = plan_jobs(campaign)
    totals = {}
    for job in jobs:
        totals[job.role, job.morphology] = totals.get((job.role, job.morphology), 0) + job.windows
    assert totals == {
        ("reference", None): 100,
        ("calibration", None): 20,
        ("test", None): 20,
        ("injection", "blip"): 10,
        ("injection", "chirp_30_30"): 10,
    }
    assert all(job.windows * max(len(job.snrs), 1) <= 60 for job in jobs)
    assert len([job for job in jobs if job.role == "reference"]) == 2


def test_an_empty_list_injects_every_morphology():
    jobs = plan_jobs(InjectionsConfig())
    assert {job.morphology for job in jobs} - {None} == set(INJECTED)
    assert {job.morphology for job in plan_noise_jobs(InjectionsConfig(), "L1")} == {
        None,
        *INJECTED,
    }


def test_no_noise_is_used_twice():
    settings = InjectionsConfig()
    jobs = plan_jobs(settings) + plan_noise_jobs(settings, "H1")
    seeds = [noise_seed(job, number) for job in jobs for number in range(20)]
    assert len(set(seeds)) == len(seeds)
    other = plan_jobs(InjectionsConfig(seed=settings.seed + 1))
    assert not {noise_seed(job, 0) for job in other} & set(seeds)


def test_same_bytes_whatever_was_made_before(parameters, encoder, events, tmp_path):
    def made(path):
        table = observe(
            BLIPS, simulated_backgrounds(BLIPS, parameters), parameters, encoder, events
        )
        write_windows(path, table, {})
        return path.read_bytes()

    first = made(tmp_path / "first.parquet")
    observe(QUIET, simulated_backgrounds(QUIET, parameters), parameters, encoder, events)
    assert made(tmp_path / "second.parquet") == first


def test_noise_is_the_simulated_detector_s(parameters, background):
    start = injections.FIRST_GPS
    noise = DetectorNoise("H1", RATE, noise_seed(QUIET, 0)).strain(
        start - CONTEXT_S, start + 8 * 32 + CONTEXT_S
    )
    taps = whitening_filter(background.stretch.psd, RATE, parameters.band)
    expected = whiten(noise, taps, RATE, start - CONTEXT_S)
    assert np.array_equal(background.stretch.white, expected)


# -- loudness -------------------------------------------------------------------------------


def true_psd(frequencies):
    return noise_psd("H1", frequencies, RATE)


@pytest.mark.parametrize("name", ["blip", "tomte", "chirp_30_30", "wandering_line"])
def test_window_snr_of_what_lies_inside_is_the_optimal_snr(parameters, name):
    waveform = INJECTED[name].draw(
        np.random.default_rng(2), lambda f: background_psd("H1", f, RATE), RATE
    )
    size = len(waveform.strain)
    psd = true_psd(fft.rfftfreq(size, 1 / RATE))
    wide = replace(parameters, high_hz=1e6)
    inside = window_snr(waveform.strain, 0, size, true_psd, wide)
    # 17 % of the band is beyond the pass band's upper edge, where next to nothing lies.
    assert inside == near(optimal_snr(waveform.strain, psd, RATE), rel=0.03)
    first = window_snr(waveform.strain, 0, waveform.anchor, true_psd, wide)
    second = window_snr(waveform.strain, waveform.anchor, size, true_psd, wide)
    assert first**2 + second**2 == near(inside**2)


def test_only_power_in_the_pass_band_counts(parameters):
    """What the conditioning takes away has no part in a signal's SNR."""
    time = np.arange(-4 * RATE, 4 * RATE) / RATE

    def tone(frequency):
        return 1e-21 * np.exp(-((time / 0.5) ** 2)) * np.sin(2 * np.pi * frequency * time)

    def snr(strain):
        return window_snr(strain, 0, len(strain), lambda f: np.full(len(f), 1e-44), parameters)

    inside = snr(tone(100))
    assert inside == near(np.linalg.norm(tone(100)) / np.sqrt(0.5 * RATE * 1e-44), rel=1e-3)
    for outside in (12, 16, 0.95 * RATE / 2):
        assert snr(tone(100) + 5 * tone(outside)) == near(inside, rel=1e-2), outside
    assert snr(tone(100) + tone(300)) == near(np.sqrt(2) * inside, rel=1e-2)


def test_only_the_part_inside_the_window_counts(parameters, background):
    """A chirp that merges early in the window is scaled up for what it has left there."""
    waveform = INJECTED["chirp_10_10"].draw(
        np.random.default_rng(1), lambda f: background_psd("H1", f, RATE), RATE
    )
    start = background.stretch.windows[2]
    guard, window = GUARD_S * RATE, 32 * RATE
    late = unit_signal(waveform, 31 * RATE, start, background, parameters)
    early = unit_signal(waveform, RATE // 20, start, background, parameters)
    for signal in (late, early):
        assert np.linalg.norm(signal[guard : guard + window]) == pytest.approx(1, abs=0.05)
    assert np.linalg.norm(early[:guard]) > 0.5
    assert np.linalg.norm(late[:guard]) < 1e-3
    assert np.abs(late).argmax() == pytest.approx(guard + 31 * RATE, abs=0.02 * RATE)


def test_signal_is_what_a_block_would_have_whitened(parameters, background):
    """Whitening noise and signal together gives the same as adding the whitened signal."""
    waveform = INJECTED["tomte"].draw(
        np.random.default_rng(3), lambda f: background_psd("H1", f, RATE), RATE
    )
    start, offset = background.stretch.windows[3], 7 * RATE + 11
    signal = unit_signal(waveform, offset, start, background, parameters)
    scale = window_snr(
        waveform.strain,
        0,
        len(waveform.strain),
        lambda f: background.true_psd(f, start + offset / RATE),
        parameters,
    )
    first = background.stretch.gps_start
    noise = DetectorNoise("H1", RATE, noise_seed(QUIET, 0)).strain(first, start + 40)
    where = (start - first) * RATE + offset - waveform.anchor
    noise[where : where + len(waveform.strain)] += 12 * waveform.strain / scale
    taps = whitening_filter(background.stretch.psd, RATE, parameters.band)
    together = whiten(noise, taps, RATE, first)
    low = (start - GUARD_S - first) * RATE
    span = slice(low, low + len(signal))
    apart = background.stretch.white[span] + 12 * signal
    np.testing.assert_allclose(together[span], apart, atol=1e-4)


def test_matched_filter_finds_the_snr_that_was_asked_for(parameters, background):
    """In whitened noise the filter's output is normal around the optimal SNR."""
    rng = np.random.default_rng(8)
    outputs = []
    guard, window = GUARD_S * RATE, 32 * RATE
    for start in background.stretch.windows * 6:
        name = rng.choice(["blip", "sine_gaussian_q8", "noise_burst", "chirp_30_30"])
        waveform = INJECTED[name].draw(rng, background.spectrum, RATE)
        offset = int(rng.integers(2 * RATE, 30 * RATE))
        signal = unit_signal(waveform, offset, start, background, parameters)[guard:][:window]
        low = (start - background.stretch.gps_start) * RATE
        data = background.stretch.white[low : low + window] + 10 * signal
        outputs.append(data @ signal / np.linalg.norm(signal))
    assert np.mean(outputs) == pytest.approx(10, abs=4 / np.sqrt(len(outputs)))
    assert np.std(outputs) == pytest.approx(1, abs=0.35)


# -- observing ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def blips(parameters, encoder, events):
    return observe(BLIPS, simulated_backgrounds(BLIPS, parameters), parameters, encoder, events)


def test_rows_say_what_was_injected(blips):
    assert len(blips) == 12
    assert blips["snr"].to_pylist() == [8.0, 16.0] * 6
    assert blips["number"].to_pylist() == [i // 2 for i in range(12)]
    assert set(blips["morphology"].to_pylist()) == {"blip"}
    for row in blips.select(["gps_start", "gps_time", "parameters"]).to_pylist():
        assert 0 <= row["gps_time"] - row["gps_start"] < 32
        assert set(json.loads(row["parameters"])) == {"frequency_hz", "octaves"}


def test_a_loud_injection_is_the_loudest_tile_at_its_time(blips):
    loud = blips.filter(np.array(blips["snr"].to_pylist()) == 16)
    offset = np.array(loud["tile_time"]) - np.array(loud["gps_time"])
    assert np.abs(offset).max() < 0.05
    assert (np.array(loud["trigger_snr"].to_pylist()) > 8).all()
    np.testing.assert_allclose(features_of(loud, "loudest_tile"), np.array(loud["tile_snr"]))


def test_quiet_windows_hold_no_injection(parameters, encoder, events, background):
    quiet = observe(QUIET, [background], parameters, encoder, events)
    assert quiet["gps_start"].to_pylist() == background.stretch.windows
    for name in ("morphology", "snr", "gps_time", "parameters"):
        assert quiet[name].null_count == len(quiet)


def test_the_log_of_a_job_says_how_many_windows_were_looked_at(
    parameters, encoder, events, background, monkeypatch
):
    monkeypatch.setattr("gwmorph.progress._EVERY_S", 0.0)
    lines: list[str] = []
    with accounting(Account(lines.append)):
        observe(QUIET, [background], parameters, encoder, events)
    assert lines[-1].startswith("8 windows, ")


def test_tables_come_back_as_they_were(blips, tmp_path):
    for name in ("a", "b"):
        write_windows(tmp_path / name, blips, {})
    again = read_windows([tmp_path / "a", tmp_path / "b"])
    assert len(again) == 24
    for name in CODED:
        features = features_of(blips, name)
        assert np.array_equal(features_of(again, name), np.concatenate([features, features]))


def test_a_statistic_joins_by_being_registered(monkeypatch, parameters, encoder, events):
    monkeypatch.setattr(statistics, "STATISTICS", dict(STATISTICS))
    monkeypatch.setattr(injections, "STATISTICS", statistics.STATISTICS)

    @statistic("brightest_pixel", "brightest pixel")
    def brightest(batch, pictures):
        return batch.planes.energy.max(axis=(1, 2, 3)).astype(float)

    found = observe(BLIPS, simulated_backgrounds(BLIPS, parameters), parameters, encoder, events)
    np.testing.assert_allclose(
        features_of(found, "brightest_pixel"), np.array(found["tile_energy"]), rtol=1e-6
    )


# -- real noise -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noise_file(tmp_path_factory):
    start = injections.FIRST_GPS + 10
    folder = tmp_path_factory.mktemp("noise")
    values = 1e-21 * np.random.default_rng(4).standard_normal(240 * RATE)
    values[100 * RATE + 5] = np.nan
    path = folder / gwosc_file_name("H1", start, duration=240, sample_rate=RATE)
    write_gwosc_file(path, "H1", start, values, RATE)
    return recording("injections.noise_files", "H1", [str(path)])


def test_real_noise_gives_its_sound_windows(noise_file, parameters, encoder, events):
    job = plan_noise_jobs(InjectionsConfig(noise_windows=4), "H1")[2]
    backgrounds = list(real_backgrounds(job, noise_file.files, noise_file.segments, parameters))
    starts = [t - injections.FIRST_GPS for b in backgrounds for t in b.stretch.windows]
    # From 10 s to 250 s, without the window around the missing sample at 110 s.
    assert starts == [32, 64, 128, 160]
    quiet = observe(job, backgrounds, parameters, encoder, events)
    assert quiet["role"].to_pylist() == ["noise"] * 4
    loud = replace(job, name="H1-blip", morphology="blip", snrs=(30.0,))
    found = observe(loud, backgrounds, parameters, encoder, events)
    assert np.array(found["tile_snr"]).min() > 15


def test_noise_without_a_whole_window_is_refused(parameters, encoder, events):
    job = plan_noise_jobs(InjectionsConfig(), "H1")[2]
    with pytest.raises(ConfigError, match=r"H1-quiet: no window .* injections\.noise_files"):
        observe(job, [], parameters, encoder, events)
