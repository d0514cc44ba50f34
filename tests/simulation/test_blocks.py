import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import fft, signal

from closeness import near
from gwmorph.simulation.binaries import REFERENCE_MPC, arrival_delay, project
from gwmorph.simulation.blocks import Simulation, simulate, truth_path, waveforms
from gwmorph.simulation.noise import DetectorNoise
from gwmorph.simulation.population import binary_events, glitch_events, load_population
from gwmorph.simulation.psd import noise_psd
from gwmorph.simulation.quality import (
    ALL_GOOD,
    dq_mask,
    gaps,
    missing_seconds,
    science_segments,
)

POPULATION = Path(__file__).parents[2] / "config" / "population.yaml"
GPS = 1262301184
RATE = 2048


@pytest.fixture(scope="module")
def population():
    return load_population(POPULATION)


@pytest.fixture(scope="module")
def busy(population):
    """Ten times the usual rate, no gaps."""
    return Simulation(3, population, 10.0, 1.0, RATE)


@pytest.fixture(scope="module")
def span(busy):
    return simulate(busy, "L1", GPS, GPS + 512)


def test_parts_of_a_span_are_the_span(busy, span):
    cuts = [GPS, GPS + 37, GPS + 256, GPS + 512]
    parts = [simulate(busy, "L1", a, b) for a, b in itertools.pairwise(cuts)]
    joined = np.concatenate([part.data.strain for part in parts])
    assert joined.tobytes() == span.data.strain.tobytes()
    assert [row for part in parts for row in part.truth] == span.truth


def test_truth_is_in_the_span_in_order_of_time(span):
    times = [row["gps_time"] for row in span.truth]
    assert len(times) > 20
    assert times == sorted(times)
    assert times[0] >= GPS
    assert times[-1] < GPS + 512
    assert len({row["event"] for row in span.truth}) == len(times)
    assert all(json.loads(row["parameters"]) for row in span.truth)


def test_planted_snr_is_the_matched_filters(busy, span):
    """Filter noise plus one event with its own waveform, for every event of the span."""
    noise = DetectorNoise("L1", RATE, 3)
    data = noise.strain(GPS - 512, GPS + 1024)
    offsets = []
    for placed in waveforms(busy, "L1", GPS, GPS + 512):
        size = len(placed.strain)
        at = placed.first - (GPS - 512) * RATE
        if at < 0 or at + size > len(data):
            continue
        level = noise.level(np.array([placed.row["gps_time"]]))[0]
        psd = noise_psd("L1", fft.rfftfreq(size, 1 / RATE), RATE) * level**2
        template = fft.rfft(placed.strain) / psd
        template[: int(20 * size / RATE)] = 0
        around = signal.windows.tukey(size, 0.1) * data[at : at + size] + placed.strain
        weight = np.sum(np.conj(template) * fft.rfft(placed.strain)).real
        snr = np.sum(np.conj(template) * fft.rfft(around)).real / np.sqrt(weight)
        snr *= 2 / np.sqrt(size * RATE)
        offsets.append(snr - placed.row["snr"])
    assert len(offsets) > 20
    # The noise adds a standard normal number to each.
    assert np.abs(np.mean(offsets)) < 4 / np.sqrt(len(offsets))
    assert np.std(offsets) == pytest.approx(1, abs=0.35)


def test_loud_events_stand_out_of_the_strain_at_their_time(busy, span):
    strain = span.data.strain
    frequencies, psd = signal.welch(strain, RATE, nperseg=4 * RATE, average="median")
    spectrum = fft.rfft(strain * signal.windows.tukey(len(strain), 0.01))
    f = fft.rfftfreq(len(strain), 1 / RATE)
    spectrum *= ((f > 20) & (f < 850)) / np.sqrt(np.interp(f, frequencies, psd))
    power = fft.irfft(spectrum, len(strain)) ** 2
    quiet = np.median(power) / 0.455
    short = [
        row
        for row in span.truth
        if row["snr"] > 25
        and row["duration"] < 0.2
        and 25 < row["frequency"] < 700
        and 4 < row["gps_time"] - GPS < 508
    ]
    assert short
    for row in short:
        at = int((row["gps_time"] - GPS) * RATE)
        near = power[at - RATE // 20 : at + RATE // 20].max()
        assert near > 25 * quiet, row


def test_chirps_reach_all_detectors_with_their_delays_and_network_snr(population):
    quiet = population.model_copy(update={"glitches": {}})
    simulation = Simulation(8, quiet, 300.0, 1.0, RATE)
    rows = {
        name: {row["event"]: row for row in simulate(simulation, name, GPS, GPS + 64).truth}
        for name in ("H1", "L1", "V1")
    }
    events = {
        event.number: event
        for event in binary_events(quiet, 8, 300.0, GPS, GPS + 64)
        if GPS + 1 < event.gps_time < GPS + 63
    }
    assert len(events) >= 3
    for number, event in events.items():
        seen = [rows[name][number] for name in rows]
        assert np.linalg.norm([row["snr"] for row in seen]) == near(event.network_snr, rel=1e-6)
        for name in rows:
            delay = arrival_delay(name, event.binary, event.gps_time)
            assert rows[name][number]["gps_time"] - event.gps_time == pytest.approx(
                delay, abs=1e-6
            )
        distances = {json.loads(row["parameters"])["distance_mpc"] for row in seen}
        assert len(distances) == 1


def test_a_chirp_comes_from_the_distance_that_the_truth_gives(population):
    quiet = population.model_copy(update={"glitches": {}})
    simulation = Simulation(8, quiet, 300.0, 1.0, RATE)
    events = {event.number: event for event in binary_events(quiet, 8, 300.0, GPS, GPS + 64)}
    for placed in waveforms(simulation, "H1", GPS, GPS + 64):
        event = events[placed.row["event"]]
        _, reference = project(event.binary, "H1", event.gps_time, RATE)
        distance = json.loads(placed.row["parameters"])["distance_mpc"]
        assert np.ptp(placed.strain) * distance == near(
            np.ptp(reference) * REFERENCE_MPC, rel=1e-6
        )


def test_an_event_over_the_border_is_in_both_spans_and_listed_once(busy, population):
    event = next(
        e
        for e in glitch_events(population, 3, 10.0, "L1", GPS + 64, GPS + 40000)
        if e.morphology == "koi_fish" and e.snr > 50 and e.gps_time > GPS + 64
    )
    border = int(event.gps_time)
    before = simulate(busy, "L1", border - 4, border)
    after = simulate(busy, "L1", border, border + 4)
    noise = DetectorNoise("L1", RATE, 3).strain(border - 4, border + 4)
    assert np.abs(before.data.strain - noise[: 4 * RATE]).max() > 1e-24
    rows = [row for row in before.truth + after.truth if row["event"] == event.number]
    assert len(rows) == 1


def test_a_low_rate_leaves_out_what_it_cannot_hold(population):
    """A file of 2048 Hz has the glitches of one of 4096 Hz, but for those above its Nyquist."""
    chosen = ("lines_1080", "low_frequency_blip", "low_frequency_burst")
    few = {
        "glitches": {name: population.glitches[name] for name in chosen},
        "binaries": population.binaries.model_copy(update={"rate_per_hour": 0.0}),
    }
    rows = {}
    for rate in (2048, 4096):
        simulation = Simulation(3, population.model_copy(update=few), 30.0, 1.0, rate)
        rows[rate] = {p.row["event"]: p.row for p in waveforms(simulation, "H1", GPS, GPS + 1024)}
    assert set(rows[2048]) <= set(rows[4096])
    for event, row in rows[4096].items():
        if row["morphology"] == "lines_1080":
            assert event not in rows[2048]
        else:
            assert rows[2048][event]["snr"] == near(row["snr"], rel=0.05)
            if row["morphology"] == "low_frequency_blip":
                assert rows[2048][event]["gps_time"] == pytest.approx(row["gps_time"], abs=0.002)
    assert {row["morphology"] for row in rows[4096].values()} == set(chosen)


def test_silence_is_the_noise_alone(population):
    quiet = Simulation(3, population, 0.0, 1.0, RATE)
    strain = simulate(quiet, "V1", GPS, GPS + 40).data.strain
    noise = DetectorNoise("V1", RATE, 3).strain(GPS, GPS + 40)
    assert np.array_equal(strain, noise.astype(np.float32))


def test_gaps_are_where_the_mask_says(population):
    simulation = Simulation(3, population, 1.0, 0.5, RATE)
    found = gaps(3, "H1", 0.5, GPS, GPS + 65536)
    missing = next(g for g in found if g.kind == "missing" and g.start > GPS)
    span = simulate(simulation, "H1", missing.start - 10, missing.start + 10)
    holes = np.isnan(span.data.strain.reshape(-1, RATE))
    assert holes[10:].all()
    assert not (holes.any(axis=1) & (span.data.dq_mask == ALL_GOOD)).any()
    assert (span.data.dq_mask[10:] == 0).all()
    off = next(g for g in found if g.kind == "off" and g.start > GPS)
    span = simulate(simulation, "H1", off.start, off.start + 1)
    assert span.data.dq_mask[0] == 0
    assert all(row["gps_time"] >= off.start for row in span.truth)


@pytest.mark.parametrize("duty_cycle", [0.3, 0.85])
def test_duty_cycle_is_reached_and_masks_do_not_depend_on_the_span(duty_cycle):
    end = 4_000_000
    found = gaps(1, "L1", duty_cycle, 0, end)
    science = science_segments(found, 0, end)
    assert sum(abs(s) for s in science) / end == pytest.approx(duty_cycle, abs=0.03)
    whole = dq_mask(found, 0, end)
    part = gaps(1, "L1", duty_cycle, 100_000, 130_000)
    assert np.array_equal(dq_mask(part, 100_000, 130_000), whole[100_000:130_000])
    data_set = np.zeros(end, dtype=bool)
    for first, last in science:
        data_set[first:last] = True
    assert np.array_equal(data_set, whole & 1 == 1)
    assert not data_set[missing_seconds(found, 0, end)].any()
    assert ((whole & 1 == 1) & (whole != ALL_GOOD)).any()  # vetoes leave DATA
    assert len(science) == len(science.coalesce())


def test_no_gaps_at_full_duty():
    assert gaps(1, "L1", 1.0, GPS, GPS + 100_000) == []


def test_truth_lies_beside_the_strain():
    path = Path("cache/V-V1_GWOSC_SIM_4KHZ_R1-1262301184-4096.hdf5")
    assert truth_path(path) == Path("cache/V1-GWMORPH_TRUTH-1262301184-4096.parquet")
