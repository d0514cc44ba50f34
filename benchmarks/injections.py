"""Recall and false alarms, read from a finished campaign; without one it is run first.

The campaign is that of ``config/injections.yaml`` with other encoders beside the default one
(`beside`): of all, the noise and the injections are the same.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import yaml

from gwmorph.evidence.recall import wilson
from gwmorph.tables.injections import AGREEMENT, HALF_RECALL, NOISE_COUNTS, RECALL
from gwmorph.tables.parquet import read_table
from harness import BENCHMARKS, DATA, Entry, benchmark

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "benchmarks" / "recall.yaml"
NOISE_CONFIG = ROOT / "benchmarks" / "noise.yaml"
NOISE = DATA / "strain" / "O3a_real_noise_500s_2048Hz_1238205077.hdf"
STATISTIC = "score"
INCUMBENT = "window_vector"
PEER = "one vector of the 32 s view: same encoder, noise, injections and false alarms"
FRACTION = 0.01
COMPACT = (
    "sine_gaussian_q2",
    "sine_gaussian_q4",
    "sine_gaussian_q8",
    "sine_gaussian_q32",
    "sine_gaussian_q100",
    "blip",
    "tomte",
    "koi_fish",
    "chirp_30_30",
)
EXTENDED = ("chirp_1.4_1.4", "arches", "whistle", "noise_burst")
STEADY = ("wandering_line", "comb")


# What single vectors find of these at SNR 8, beside the loudest tile and the score.
FAINT = ("blip", "koi_fish", "chirp_30_30")
ENCODERS = ("", "_held_out", "_dct")  # the default's, and those of `beside`
VECTORS = ("window_vector", "event_vector")
ALONE = ("loudest_tile", *(f"{what}{name}" for name in ENCODERS for what in (*VECTORS, STATISTIC)))
SCORES = tuple(
    f"{STATISTIC}{what}" for what in (*ENCODERS, "_no_vector", "_event_vector", "_two_rarest")
)
HALF = ("loudest_tile", INCUMBENT, STATISTIC)
IN_NOISE = ("loudest_tile", "excess", "track", "chirp", INCUMBENT, STATISTIC)


def settings(config: Path = CONFIG) -> dict:
    return yaml.safe_load(config.read_text(encoding="utf-8"))


@cache
def campaign(config: Path = CONFIG, *change: str) -> Path:
    """Return the folder of a campaign's results, after it is made; what is there is kept."""
    call = [sys.executable, "-m", "snakemake", "--cores", "2", "injections"]
    call += ["--configfile", str(config), *(["--config", *change] if change else [])]
    paths = [str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    subprocess.run(call, cwd=ROOT, check=True, env=environment)
    return ROOT / "results" / settings(config)["run"]["name"] / "injections"


def points(morphologies: Sequence[str], snr: float, statistic: str) -> list[dict]:
    recall = read_table(campaign() / "recall.parquet", RECALL).to_pylist()
    found = [
        row
        for row in recall
        if row["statistic"] == statistic
        and row["false_alarm_fraction"] == FRACTION
        and row["snr"] == snr
        and row["morphology"] in morphologies
    ]
    if {row["morphology"] for row in found} != set(morphologies):
        raise SystemExit(f"{campaign()} lacks {statistic} at SNR {snr} of some of {morphologies}")
    return found


def worst_recall(name: str, morphologies: Sequence[str], snr: float) -> Entry:
    """The lowest recall of several morphologies, beside the incumbent's way of the same one."""
    worst = min(points(morphologies, snr, STATISTIC), key=lambda row: row["recall"])
    (peer,) = points([worst["morphology"]], snr, INCUMBENT)
    return Entry(
        name=name,
        value=worst["recall"],
        unit=f"recall of {worst['morphology']} at 1 % false alarms",
        low=worst["low"],
        high=worst["high"],
        peer=PEER,
        peer_value=peer["recall"],
        n=worst["injections"],
        seed=settings()["injections"]["seed"],
    )


@benchmark
def recall_snr12_compact() -> Entry:
    return worst_recall("recall_snr12_compact", COMPACT, 12)


@benchmark
def recall_snr8_compact() -> Entry:
    return worst_recall("recall_snr8_compact", COMPACT, 8)


@benchmark
def recall_snr12_10_10() -> Entry:
    return worst_recall("recall_snr12_10_10", ["chirp_10_10"], 12)


@benchmark
def recall_snr20_extended() -> Entry:
    return worst_recall("recall_snr20_extended", EXTENDED, 20)


@benchmark
def half_recall_gain() -> Entry:
    """The loudest tile's SNR of 50 % recall over the score's, the worst of all that is long.

    Where the loudest tile never gets there, the campaign's highest SNR stands for its own.
    """
    half = half_recall()
    gains = {
        name: half["loudest_tile", name]["snr"] / half[STATISTIC, name]["snr"]
        for name in (*EXTENDED, *STEADY)
    }
    worst = min(gains, key=lambda name: gains[name])
    return Entry(
        name="half_recall_gain",
        value=gains[worst],
        unit=f"ratio of SNRs, {worst}",
        low=gains[worst],
        high=max(gains.values()),
        peer="loudest tile",
        n=settings()["injections"]["injections_per_point"],
        seed=settings()["injections"]["seed"],
    )


def half_recall() -> dict[tuple[str, str], dict]:
    """Return the rows of HALF_RECALL by statistic and morphology, an end where there is no SNR."""
    snrs = settings()["injections"]["snrs"]
    ends = {"below": min(snrs), "not": max(snrs)}
    rows = read_table(campaign() / "half_recall.parquet", HALF_RECALL).to_pylist()
    return {
        (row["statistic"], row["morphology"]): {**row, "snr": ends.get(row["reached"], row["snr"])}
        for row in rows
        if row["false_alarm_fraction"] == FRACTION
    }


def half_recall_snr(name: str, morphology: str, statistic: str) -> Entry:
    """The SNR at which half of the injections are found."""
    row = half_recall()[statistic, morphology]
    where = {"below": "below this SNR", "not": "beyond this SNR", "inside": "SNR"}[row["reached"]]
    return Entry(
        name=name,
        value=row["snr"],
        unit=f"{where} half of the injections are found",
        n=settings()["injections"]["injections_per_point"],
        seed=settings()["injections"]["seed"],
    )


def recall_alone(name: str, morphology: str, statistic: str) -> Entry:
    """Recall of one morphology at SNR 8 by one statistic."""
    (point,) = points([morphology], 8, statistic)
    return Entry(
        name=name,
        value=point["recall"],
        unit=f"recall of {morphology} at SNR 8 and 1 % false alarms by {statistic}",
        low=point["low"],
        high=point["high"],
        n=point["injections"],
        seed=settings()["injections"]["seed"],
    )


def mean_recall(name: str, snr: float, statistic: str) -> Entry:
    """Mean recall of all morphologies; the interval is that of the injections, normal."""
    rows = [
        row
        for row in read_table(campaign() / "recall.parquet", RECALL).to_pylist()
        if row["statistic"] == statistic
        and row["false_alarm_fraction"] == FRACTION
        and row["snr"] == snr
    ]
    recall = np.array([row["recall"] for row in rows])
    variances = recall * (1 - recall) / [row["injections"] for row in rows]
    half = 1.96 * np.sqrt(variances.sum()) / len(rows)
    return Entry(
        name=name,
        value=float(recall.mean()),
        unit=f"mean recall of {len(rows)} shapes at SNR {snr:g} and 1 % false alarms",
        low=float(recall.mean() - half),
        high=float(recall.mean() + half),
        n=len(rows),
        seed=settings()["injections"]["seed"],
    )


def told(name: str, snr: float, features: str) -> Entry:
    """Share of found injections that their five nearest neighbours name."""
    rows = read_table(campaign() / "agreement.parquet", AGREEMENT).to_pylist()
    (row,) = [row for row in rows if row["features"] == features and row["snr"] == snr]
    return Entry(
        name=name,
        value=row["top1"],
        unit=f"of found injections of SNR {snr:g} are named by their neighbours' {features}",
        low=row["top1_low"],
        high=row["top1_high"],
        n=row["injections"],
        seed=settings()["injections"]["seed"],
    )


def real_noise_passes(name: str, statistic: str) -> Entry:
    """Windows of real noise above a limit of 1 % that simulated ones set."""
    if not NOISE.exists():
        raise SystemExit(f"real noise: no {NOISE}; GWMORPH_DATA says where it is")
    files = f"injections={{'noise_files': {{'H1': ['{NOISE}']}}}}"
    counts = read_table(
        campaign(NOISE_CONFIG, files) / "noise_counts.parquet", NOISE_COUNTS
    ).to_pylist()
    (row,) = [
        row
        for row in counts
        if row["statistic"] == statistic
        and row["morphology"] is None
        and row["false_alarm_fraction"] == FRACTION
    ]
    low, high = wilson(row["above"], row["windows"])
    return Entry(
        name=name,
        value=row["above"] / row["windows"],
        unit=f"of windows of real O3a noise pass a limit of 1 % by {statistic}",
        low=low,
        high=high,
        n=row["windows"],
        seed=settings(NOISE_CONFIG)["injections"]["seed"],
    )


for morphology in (*COMPACT, "chirp_10_10", *EXTENDED, *STEADY):
    for statistic in HALF:
        own = f"half_recall_{morphology}_{statistic}"
        BENCHMARKS[own] = partial(half_recall_snr, own, morphology, statistic)
for morphology in FAINT:
    for statistic in ALONE:
        own = f"recall_snr8_{morphology}_{statistic}"
        BENCHMARKS[own] = partial(recall_alone, own, morphology, statistic)
for statistic in dict.fromkeys((*ALONE, *SCORES)):
    for snr in (8, 12):
        own = f"recall_mean_snr{snr}_{statistic}"
        BENCHMARKS[own] = partial(mean_recall, own, snr, statistic)
for snr in (12, 20):
    for features in ("event view", "trigger columns"):
        own = f"injections_told_snr{snr}_{features.replace(' ', '_')}"
        BENCHMARKS[own] = partial(told, own, snr, features)
for statistic in IN_NOISE:
    own = f"real_noise_passes_{statistic}"
    BENCHMARKS[own] = partial(real_noise_passes, own, statistic)


@benchmark
def false_alarm_fraction_achieved() -> Entry:
    """Fresh quiet windows above the score's limit at a nominal 1 %."""
    rows = json.loads((campaign() / "achieved.json").read_text(encoding="utf-8"))
    (row,) = [
        row
        for row in rows
        if row["statistic"] == STATISTIC and row["false_alarm_fraction"] == FRACTION
    ]
    return Entry(
        name="false_alarm_fraction_achieved",
        value=row["achieved"],
        unit="fraction of fresh quiet windows, nominal 0.01",
        low=row["low"],
        high=row["high"],
        n=row["test_windows"],
        seed=settings()["injections"]["seed"],
    )
