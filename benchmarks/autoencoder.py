"""What an autoencoder of event views is worth, and how far it is over-fitted.

Its figures are read from a run of the workflow that is made first, half an hour on two cores that
do nothing else; Snakemake knows which part of it is there already.
"""

import subprocess
import sys
from functools import cache, partial
from math import hypot
from pathlib import Path
from typing import Any

import yaml

from gwmorph.config import parse_config
from gwmorph.tables.autoencoder import AUTOENCODER_SCORES
from gwmorph.tables.parquet import read_table
from harness import BENCHMARKS, Entry

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "benchmarks" / "autoencoder_run.yaml"
TRIGGERS = "neighbours of the trigger columns"
# What tells the class, by the name of its entries.
TELLING = {
    "autoencoder_head": "head alone",
    "autoencoder_tuned": "head and network",
    "autoencoder_neighbors": "neighbours of the bottleneck",
    "autoencoder_triggers": TRIGGERS,
}
FIGURES = {"accuracy": "of views told, 19 simulated classes", "macro_f1": "macro-F1"}
DRAWING = {
    "autoencoder_mse": ("drawn again", "test"),
    "autoencoder_mse_train": ("drawn again", "train"),
    "autoencoder_mse_mean_view": ("mean view of the training", "test"),
}
OVER_FITTED = ("autoencoder_head", "autoencoder_tuned")


def seed() -> int:
    return parse_config(yaml.safe_load(CONFIG.read_text(encoding="utf-8"))).learning.seed


@cache
def scores() -> dict[tuple[str, str, str], dict[str, Any]]:
    """Make the run; return its rows of scores by what is scored, part and figure."""
    target = "results/labelled_benchmark/autoencoder/scores.parquet"
    call = [sys.executable, "-m", "snakemake", "--cores", "2", target]
    call += ["--configfile", str(CONFIG)]
    subprocess.run(call, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    rows = read_table(ROOT / target, AUTOENCODER_SCORES).to_pylist()
    return {(row["scored"], row["part"], row["figure"]): row for row in rows}


def entry(name: str, scored: str, part: str, figure: str, unit: str, **beside: Any) -> Entry:
    row = scores()[scored, part, figure]
    return Entry(
        name=name, value=row["value"], unit=unit, low=row["low"], high=row["high"],
        n=row["views"], seed=seed(), **beside,
    )  # fmt: skip


def telling(name: str, scored: str, figure: str, unit: str) -> Entry:
    if scored == TRIGGERS:
        return entry(name, scored, "test", figure, unit)
    peer, own = (scores()[who, "test", figure] for who in (TRIGGERS, scored))
    fewer = (1 - peer["value"]) / max(1 - own["value"], 1 / own["views"])
    beside = {"peer": TRIGGERS, "peer_value": peer["value"], "ratio": fewer}
    return entry(name, scored, "test", figure, unit, **beside)


def over_fitted(name: str, scored: str) -> Entry:
    """How much more is told of the training part than of the test part.

    The parts share no glitch, so the ends of both intervals add up in squares.
    """
    train, test = (scores()[scored, part, "accuracy"] for part in ("train", "test"))
    gap = train["value"] - test["value"]
    below = hypot(train["value"] - train["low"], test["high"] - test["value"])
    above = hypot(train["high"] - train["value"], test["value"] - test["low"])
    return Entry(
        name=name, value=gap, unit="accuracy on the training part less that on the test part",
        low=gap - below, high=gap + above, n=test["views"], seed=seed(),
    )  # fmt: skip


for stem, scored in TELLING.items():
    for figure, unit in FIGURES.items():
        name = f"{stem}_{figure}"
        BENCHMARKS[name] = partial(telling, name, scored, figure, unit)
for name, (scored, part) in DRAWING.items():
    BENCHMARKS[name] = partial(
        entry, name, scored, part, "mse", f"mean squared error of brightness, {part} part"
    )
for stem in OVER_FITTED:
    BENCHMARKS[f"{stem}_gap"] = partial(over_fitted, f"{stem}_gap", TELLING[stem])
