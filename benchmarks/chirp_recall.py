"""What a trained network finds as a statistic of the injection campaign, beside the others.

The network is that of ``config/chirp_search_h1.yaml``, the campaign that of chirp_recall.yaml;
both are made first, in an hour of processor time.
"""

import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import yaml

from gwmorph.config.parsing import parse_config
from gwmorph.learning.chirp_statistic import NAME
from gwmorph.tables.injections import RECALL
from gwmorph.tables.parquet import read_table
from harness import BENCHMARKS, Entry

ROOT = Path(__file__).resolve().parents[1]
NETWORK = ROOT / "config" / "chirp_search_h1.yaml"
CAMPAIGN = Path(__file__).with_name("chirp_recall.yaml")
PEER = "score"


@cache
def campaign():
    return parse_config(yaml.safe_load(CAMPAIGN.read_text(encoding="utf-8")))


@cache
def recall() -> list[dict]:
    """Train the network, run the campaign, and return its rows; what is there is kept."""
    config = campaign()
    weights = config.chirp_search.campaign_weights
    for call in ([weights, "--configfile", NETWORK], ["injections", "--configfile", CAMPAIGN]):
        subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", *map(str, call)],
            cwd=ROOT,
            check=True,
        )
    folder = ROOT / "results" / config.run.name / "injections"
    return read_table(folder / "recall.parquet", RECALL).to_pylist()


def found(name: str, morphology: str, snr: float, fraction: float) -> Entry:
    def of(statistic: str) -> dict:
        wanted = {
            "statistic": statistic,
            "morphology": morphology,
            "snr": snr,
            "false_alarm_fraction": fraction,
        }
        (row,) = (row for row in recall() if wanted.items() <= row.items())
        return row

    ours = of(NAME)
    return Entry(
        name=name,
        value=ours["recall"],
        unit=f"recall of {morphology} at SNR {snr:g}, {fraction:.1%} false alarms, by a network "
        "trained for chirps",
        low=ours["low"],
        high=ours["high"],
        peer="the pictures' score on the same windows",
        peer_value=of(PEER)["recall"],
        n=ours["injections"],
        seed=campaign().injections.seed,
    )


for _morphology in campaign().injections.morphologies:
    for _snr in campaign().injections.snrs:
        for _fraction in campaign().injections.false_alarm_fractions:
            _name = f"chirp_network_{_morphology}_snr{_snr:g}_{1 / _fraction:g}"
            BENCHMARKS[_name] = partial(found, _name, _morphology, _snr, _fraction)
