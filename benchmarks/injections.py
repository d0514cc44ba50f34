"""Recall and false alarms, read from a finished campaign; without one it is run first."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import yaml

from gwmorph.tables.injections import HALF_RECALL, RECALL
from gwmorph.tables.parquet import read_table
from harness import Entry, benchmark

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config" / "injections.yaml"
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


def settings() -> dict:
    return yaml.safe_load(CONFIG.read_text(encoding="utf-8"))


def campaign() -> Path:
    """Return the folder of the shipped campaign's results."""
    folder = ROOT / "results" / settings()["run"]["name"] / "injections"
    if not (folder / "achieved.json").exists():
        call = [sys.executable, "-m", "snakemake", "--cores", "2", "injections"]
        subprocess.run([*call, "--configfile", str(CONFIG)], cwd=ROOT, check=True)
    return folder


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
    half = read_table(campaign() / "half_recall.parquet", HALF_RECALL)
    gains = {name: _gain(half, name) for name in (*EXTENDED, *STEADY)}
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


def _gain(half: pa.Table, morphology: str) -> float:
    snrs = settings()["injections"]["snrs"]
    ends = {"below": min(snrs), "not": max(snrs)}
    found = {
        row["statistic"]: ends.get(row["reached"], row["snr"])
        for row in half.to_pylist()
        if row["morphology"] == morphology and row["false_alarm_fraction"] == FRACTION
    }
    return found["loudest_tile"] / found[STATISTIC]


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
