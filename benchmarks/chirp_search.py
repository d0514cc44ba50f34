"""How well trained networks search strain for chirps, beside a matched filter.

Figures are read from `snakemake chirp_search` with ``config/chirp_search.yaml``, which the first
entry runs: twenty minutes on two cores.
"""

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from gwmorph.config import parse_config
from gwmorph.evidence.chirp_evaluation import (
    MATCHED_FILTER,
    Scored,
    auc,
    efficiency_rows,
    relative_rows,
    scored,
)
from gwmorph.evidence.chirp_windows import GaussianNoise, Look, Masses, model_spectra
from gwmorph.evidence.matched_filter import Bank, MatchedFilter, place_bank
from gwmorph.tables.chirp_search import CHIRP_SCORES
from gwmorph.tables.parquet import read_table
from harness import BENCHMARKS, Entry, benchmark

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config" / "chirp_search.yaml"
# From this SNR on the area is measured.
AUC_FROM_SNR = 10.0
PROBABILITY = 1e-3
NETWORKS = ("classic", "residual")


@cache
def settings():
    return parse_config(yaml.safe_load(CONFIG.read_text(encoding="utf-8"))).chirp_search


def made(name: str) -> Path:
    """Make a file of the search, unless it is there, and return its path."""
    run = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["run"]["name"]
    path = f"results/{run}/chirp_search/{name}"
    call = [sys.executable, "-m", "snakemake", "--cores", "2", path, "--configfile", str(CONFIG)]
    subprocess.run(call, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return ROOT / path


@cache
def scores(statistic: str) -> Scored:
    """Return the scores of one statistic."""
    search = statistic.removesuffix("_unbounded").removesuffix("_softmax")
    return scored(read_table(made(f"scores/{search}.parquet"), CHIRP_SCORES))[statistic]


def about() -> str:
    own = settings()
    return (
        f"windows of {own.window_s} s at {own.sample_rate} Hz, {' and '.join(own.detectors)}, "
        f"simulated aLIGO noise, {own.steps} updates of {own.batch_size} windows"
    )


def _auc(name: str, statistic: str) -> Entry:
    held = scores(statistic)
    value, low, high = area_of(statistic)
    return Entry(
        name=name,
        value=value,
        unit=f"area under the ROC, network SNR {AUC_FROM_SNR:g} to {held.snrs.max():g}; {about()}",
        low=low,
        high=high,
        peer="the matched filter on the same windows",
        peer_value=area_of(MATCHED_FILTER)[0],
        n=len(held.injections) * int((held.snrs >= AUC_FROM_SNR).sum()),
        seed=settings().seed,
    )


@cache
def area_of(statistic: str) -> tuple[float, float, float]:
    held = scores(statistic)
    signals = held.injections[:, held.snrs >= AUC_FROM_SNR]
    return auc(signals, held.test, settings().repeats, settings().seed)


def _relative(name: str, statistic: str) -> Entry:
    own, held, best = settings(), scores(statistic), scores(MATCHED_FILTER)
    snrs = (own.compared_from_snr, own.compared_to_snr)
    (row,) = relative_rows(statistic, held, best, [PROBABILITY], snrs, own.repeats, own.seed)
    return Entry(
        name=name,
        value=row["value"],
        unit=f"of the signals that the matched filter finds, network SNR {row['snr_low']:g} to "
        f"{row['snr_high']:g}, false-alarm probability {PROBABILITY:g}; {about()}",
        low=row["low"],
        high=row["high"],
        peer="share that the matched filter finds",
        peer_value=_found(MATCHED_FILTER, snrs),
        n=row["signals"],
        seed=own.seed,
    )


def _found(statistic: str, snrs: tuple[float, float]) -> float:
    rows = efficiency_rows(statistic, scores(statistic), [PROBABILITY], [])
    return float(np.mean([r["efficiency"] for r in rows if snrs[0] <= r["snr"] <= snrs[1]]))


def _register(network: str) -> None:
    short = {"classic": "chirp_search"}.get(network, f"chirp_search_{network}")

    def area() -> Entry:
        return _auc(short, f"{network}_unbounded")

    def relative() -> Entry:
        return _relative(f"{short}_efficiency", f"{network}_unbounded")

    def relative_softmax() -> Entry:
        return _relative(f"{short}_efficiency_softmax", f"{network}_softmax")

    for function, name in (
        (area, short),
        (relative, f"{short}_efficiency"),
        (relative_softmax, f"{short}_efficiency_softmax"),
    ):
        BENCHMARKS[name] = function


for _network in NETWORKS:
    _register(_network)


def _efficiency_at(name: str, statistic: str, snr: float) -> Entry:
    rows = efficiency_rows(statistic, scores(statistic), [PROBABILITY], [])
    (row,) = [row for row in rows if row["snr"] == snr]
    return Entry(
        name=name,
        value=row["efficiency"],
        unit=f"of signals of network SNR {snr:g} found, false-alarm probability {PROBABILITY:g}",
        low=row["low"],
        high=row["high"],
        n=row["signals"],
        seed=settings().seed,
    )


@benchmark
def chirp_search_found_snr8() -> Entry:
    return _efficiency_at("chirp_search_found_snr8", "classic_unbounded", 8.0)


@benchmark
def chirp_search_residual_found_snr8() -> Entry:
    return _efficiency_at("chirp_search_residual_found_snr8", "residual_unbounded", 8.0)


@benchmark
def chirp_search_matched_filter_found_snr8() -> Entry:
    return _efficiency_at("chirp_search_matched_filter_found_snr8", MATCHED_FILTER, 8.0)


@benchmark
def chirp_search_bank() -> Entry:
    """What the bank recovers of random signals' SNR."""
    found = json.loads(made("match.json").read_text(encoding="utf-8"))
    return Entry(
        name="chirp_search_bank",
        value=found["recovered_median"],
        unit=f"of the SNR of random signals, median, by {found['templates']} templates placed for "
        f"a match of {found['minimal_match']:g}; `low`: the worst of a hundred",
        low=found["recovered_1_in_100"],
        high=1.0,
        n=found["signals"],
        seed=settings().seed,
    )


_PYCBC = """
import sys
import numpy as np
from pycbc.filter import matched_filter
from pycbc.types import FrequencySeries, TimeSeries
waves, windows, rate = np.load(sys.argv[1]), np.load(sys.argv[2]), int(sys.argv[3])
first, last = int(sys.argv[4]), int(sys.argv[5])
size = windows.shape[-1]
flat = FrequencySeries(np.full(size // 2 + 1, 2.0 / rate), delta_f=rate / size)
found = np.zeros((len(windows), len(waves)))
for n, wave in enumerate(waves):
    template = TimeSeries(wave, delta_t=1.0 / rate)
    for m, window in enumerate(windows):
        snr = matched_filter(template, TimeSeries(window, delta_t=1.0 / rate), psd=flat)
        found[m, n] = np.abs(snr.numpy())[first:last:2].max()
np.save(sys.argv[6], found.max(axis=1))
"""


@benchmark
def chirp_search_parity() -> Entry:
    """The SNR of windows of noise of one detector, ours and PyCBC's, on the same templates."""
    python = os.environ.get("GWMORPH_PYCBC")
    if not python:
        sys.exit(
            "GWMORPH_PYCBC is not set: name the Python of an environment that has PyCBC, as "
            "benchmarks/README.md says how to make one"
        )
    section = settings().model_dump() | {"detectors": ["H1"]}
    look, seed = Look.from_section(section), settings().seed
    spectra = model_spectra(look)
    bank = place_bank(Masses(30.0, 60.0, 0.0), look, spectra, 0.97, 50, seed)
    windows = GaussianNoise(spectra, look).windows(50, np.random.default_rng(seed))
    ours = MatchedFilter(bank)(windows)
    theirs = snr_by_pycbc(python, bank, windows)
    apart = np.abs(ours / theirs - 1)
    return Entry(
        name="chirp_search_parity",
        value=float(np.median(apart)),
        unit="of the SNR apart from PyCBC 2.11's matched_filter, median; `high`: at most",
        low=float(apart.min()),
        high=float(apart.max()),
        n=len(windows),
        seed=seed,
    )


def snr_by_pycbc(python: str, bank: Bank, windows: np.ndarray) -> np.ndarray:
    """Return the largest SNR of each window of one detector, [n]."""
    look = bank.look
    size = 2 * look.samples
    waves = np.zeros((len(bank), size))
    waves[:, : look.kept] = bank.waves[:, 0].real
    data = np.zeros((len(windows), size))
    data[:, : look.samples] = windows[:, 0]
    first, last = int(look.earliest * look.samples) // 2 * 2, look.merger + 2
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}.npy" for name in ("waves", "windows", "found")]
        # PyCBC's templates have their merger at the first sample.
        np.save(paths[0], np.roll(waves, -look.merger, axis=1)), np.save(paths[1], data)
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        call = [python, "-c", _PYCBC, *paths[:2], str(look.sample_rate), str(first), str(last)]
        subprocess.run([*call, paths[2]], check=True, env=environment)
        return np.load(paths[2])
