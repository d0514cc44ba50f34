"""How well a classifier names simulated event views that it was not trained on.

Figures are read from `snakemake supervised` with the default configuration, and for batch sizes
and windows with that of sweep_run.yaml; each is run first as far as it is needed. Networks'
weights begin at random: nothing here is a figure of transfer. What chose the recipe and the epoch
is the validation part.
"""

import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
import yaml
from numpy.typing import NDArray

from gwmorph.config import Config
from gwmorph.config.parsing import parse_config
from gwmorph.learning.classification import Looks, ms_per_picture
from gwmorph.learning.networks import KINDS, make_classifier, parameters_of, side_of
from gwmorph.learning.scoring import Estimate, accuracy_and_f1
from gwmorph.tables.learning import LABELLED_PICTURES, PREDICTIONS
from gwmorph.tables.parquet import read_table
from harness import BENCHMARKS, Entry, benchmark

ROOT = Path(__file__).resolve().parents[1]
RUN = "supervised"
SWEEP = Path(__file__).with_name("sweep_run.yaml")
CONFIG = Config()
NETWORK = CONFIG.supervised.networks[0]
BATCH = CONFIG.supervised.batch_sizes[0]
TRAINED = f"trainings/{NETWORK}-{BATCH}-all-random/predictions.parquet"
PICTURES = f"results/{RUN}/learning/pictures/all.parquet"
LOUD = 16
TRIGGERS = "triggers/random.parquet"
PEER = "gradient boosting on the trigger columns alone, same training, validation and test views"


@cache
def swept() -> Config:
    return parse_config(yaml.safe_load(SWEEP.read_text(encoding="utf-8")))


@cache
def default(path: str) -> tuple[Estimate, Estimate, int]:
    """Return `scores` of a table of the default configuration."""
    return scores(RUN, path, CONFIG.learning.seed, "--config", f"run={{'name': '{RUN}'}}")


def scores(run: str, path: str, seed: int, *settings: str) -> tuple[Estimate, Estimate, int]:
    """Make a table of predictions; return its accuracy, macro-F1 and number of test views."""
    target = f"results/{run}/supervised/{path}"
    call = [sys.executable, "-m", "snakemake", "--cores", "1", target, *settings]
    subprocess.run(call, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    table = read_table(ROOT / target, PREDICTIONS)
    return *accuracy_and_f1(*named_of(table), seed), len(table)


def named_of(table: pa.Table) -> list[NDArray[np.str_]]:
    """Return labels, names and groups of predictions."""
    return [np.array(table[name].to_pylist(), dtype=str) for name in ("label", "named", "group")]


def named_right(
    name: str, found: Estimate, count: int, what: str, config: Config = CONFIG, **beside: Any
) -> Entry:
    """Return the entry of an accuracy among so many test views; ``what`` tells which, and how."""
    return Entry(
        name=name,
        value=found.value,
        unit=f"of test views named right{what}",
        low=found.low,
        high=found.high,
        n=count,
        seed=config.learning.seed,
        **beside,
    )


def entry(name: str, which: int, what: str) -> Entry:
    found, peer = default(TRAINED), default(TRIGGERS)
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


@benchmark
def transfer_accuracy_temporal() -> Entry:
    """By the temporal split, which of simulated views asks no more than the random one."""
    found, _, count = default(TRAINED.replace("random", "temporal"))
    what = f", temporal split, {NETWORK} from random weights"
    return named_right("transfer_accuracy_temporal", found, count, what)


@benchmark
def transfer_accuracy_300() -> Entry:
    """With more views: what is tried for the goal beside the default."""
    settings = ("--config", "run={'name': 'supervised_300'}", "learning={'per_class': 300}")
    found, _, count = scores("supervised_300", TRAINED, CONFIG.learning.seed, *settings)
    what = f", {NETWORK} from random weights, 300 views a class"
    return named_right("transfer_accuracy_300", found, count, what)


@benchmark
def transfer_accuracy_loud() -> Entry:
    """Whether loud views are named better than faint ones: is it noise that limits, or classes?"""
    default(TRAINED)
    snrs = read_table(ROOT / PICTURES, LABELLED_PICTURES)["trigger_snr"].to_numpy()
    table = read_table(ROOT / f"results/{RUN}/supervised/{TRAINED}", PREDICTIONS)
    loud = pc.greater_equal(pa.array(snrs[table["row"].to_numpy()]), LOUD)
    seed = CONFIG.learning.seed
    (above, _), (below, _) = (
        accuracy_and_f1(*named_of(table.filter(which)), seed) for which in (loud, pc.invert(loud))
    )
    return named_right(
        "transfer_accuracy_loud",
        above,
        pc.sum(loud).as_py(),
        f" whose trigger has an SNR of {LOUD} or more, {NETWORK} from random weights",
        peer=f"test views whose trigger has less than {LOUD}",
        peer_value=below.value,
    )


def of_sweep(name: str, batch: int, window: str, what: str) -> Entry:
    config = swept()
    path = f"trainings/{NETWORK}-{batch}-{window}-random/predictions.parquet"
    settings = ("--configfile", str(SWEEP))
    found, _, count = scores(config.run.name, path, config.learning.seed, *settings)
    told = f", {NETWORK} from random weights, {what}, {config.learning.per_class} views a class"
    return named_right(name, found, count, told, config)


for _batch in swept().supervised.batch_sizes:
    _name = f"sweep_batch_{_batch}"
    BENCHMARKS[_name] = partial(of_sweep, _name, _batch, "all", f"batches of {_batch}")
for _window in swept().supervised.windows:
    if _window != "all":
        _name = f"sweep_window_{_window}"
        BENCHMARKS[_name] = partial(of_sweep, _name, BATCH, _window, f"{_window} s")


def picture_time(name: str, network: str) -> Entry:
    """Milliseconds that a network takes for a picture, one thread, beside the default network."""
    ours, peer = _timed(network), _timed(NETWORK)
    parameters = parameters_of(make_classifier(network, len(CONFIG.learning.classes)))
    return Entry(
        name=name,
        value=ours,
        unit=f"ms per picture, one thread, float32, {parameters / 1e6:.2f} million parameters",
        peer=NETWORK,
        peer_value=peer,
        ratio=peer / ours,
        seed=CONFIG.learning.seed,
    )


def _timed(network: str) -> float:
    torch.manual_seed(CONFIG.learning.seed)
    made = make_classifier(network, len(CONFIG.learning.classes)).eval()
    side = side_of(network)
    looks = Looks(CONFIG.picture.colormap, side, torch.device("cpu"))
    pictures = np.random.default_rng(CONFIG.learning.seed).integers(0, 256, (4, side, side))
    return ms_per_picture(made, pictures.astype(np.uint8), looks)


for _network in KINDS:
    if _network != NETWORK:
        BENCHMARKS[f"picture_time_{_network}"] = partial(
            picture_time, f"picture_time_{_network}", _network
        )
