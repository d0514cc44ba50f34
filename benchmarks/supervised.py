"""How well a classifier names simulated event views that it was not trained on.

Figures are read from `snakemake supervised` with the default configuration, which is run first as
far as it is needed: views and one training take some minutes on two idle cores. The network's
weights begin at random: nothing here is a figure of transfer. What chose the recipe and the epoch
is the validation part.
"""

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np

from gwmorph.config import Config
from gwmorph.learning.scoring import Estimate, accuracy_and_f1
from gwmorph.tables.learning import PREDICTIONS
from gwmorph.tables.parquet import read_table
from harness import Entry, benchmark

ROOT = Path(__file__).resolve().parents[1]
RUN = "supervised"
CONFIG = Config()
NETWORK = CONFIG.supervised.networks[0]
BATCH = CONFIG.supervised.batch_sizes[0]
TRAINED = f"trainings/{NETWORK}-{BATCH}-all-random/predictions.parquet"
TRIGGERS = "triggers/random.parquet"
PEER = "gradient boosting on the trigger columns alone, same training, validation and test views"


@cache
def figures(path: str) -> tuple[Estimate, Estimate, int]:
    """Return accuracy, macro-F1 and the number of test views of a table of predictions."""
    target = f"results/{RUN}/supervised/{path}"
    call = [sys.executable, "-m", "snakemake", "--cores", "2", target]
    call += ["--config", f"run={{'name': '{RUN}'}}"]
    subprocess.run(call, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    table = read_table(ROOT / target, PREDICTIONS)
    labels, named, groups = (
        np.array(table[name].to_pylist(), dtype=str) for name in ("label", "named", "group")
    )
    return *accuracy_and_f1(labels, named, groups, CONFIG.learning.seed), len(table)


def entry(name: str, which: int, what: str) -> Entry:
    found, peer = figures(TRAINED), figures(TRIGGERS)
    ours, theirs = found[which], peer[which]
    return Entry(
        name=name,
        value=ours.value,
        unit=f"{what}, {NETWORK} from random weights, {len(CONFIG.learning.classes)} classes at "
        f"SNRs of {CONFIG.learning.snr_low:g} to {CONFIG.learning.snr_high:g}",
        low=ours.low,
        high=ours.high,
        peer=PEER,
        peer_value=theirs.value,
        ratio=(1 - theirs.value) / max(1 - ours.value, 1 / found[2]),
        n=found[2],
        seed=CONFIG.learning.seed,
    )


@benchmark
def transfer_accuracy() -> Entry:
    return entry("transfer_accuracy", 0, "of test views named right")


@benchmark
def transfer_macro_f1() -> Entry:
    return entry("transfer_macro_f1", 1, "mean F1 score of the classes of test views")
