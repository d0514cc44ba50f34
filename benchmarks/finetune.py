"""What labels add to an encoder, and how well a few real examples serve.

Figures on simulated views are read from `snakemake finetune` of finetune_run.yaml, which is run
first: Snakemake knows which part of it is there already. Real glitches need the folder of data
(``GWMORPH_DATA``); nothing is chosen on them. The goals are stated in GOALS.
"""

import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import yaml

from gwmorph.config import parse_config
from gwmorph.tables.comparison import ENCODER_QUALITY
from gwmorph.tables.finetune import FEW_SHOT, FINETUNE_SCORES, FULL, PROBE, TEST_PART, TRIGGERS
from gwmorph.tables.parquet import read_table
from harness import BENCHMARKS, DATA, Entry

ROOT = Path(__file__).resolve().parents[1]
CONFIG = Path(__file__).with_name("finetune_run.yaml")
CROPS = DATA / "glitch_images" / "gravityspy_crops"
STRAIN = DATA / "strain" / "O3_labelled_glitches_14s_4096Hz.hdf5"
GOALS = {"linear_probe_accuracy": 0.92}
METHODS = {
    "linear_probe": PROBE,
    "finetune": FULL,
    "trigger_columns": TRIGGERS,
    **{f"head_{n}": f"head of {n} layer{'' if n == 1 else 's'}" for n in (1, 2, 3)},
}
FIGURES = {"accuracy": "accuracy", "macro_f1": "macro_f1"}
ENCODERS = ("indomain", "indomain_finetuned", "dct", "random", "pixels", "triggers")
REAL = {"crops": ("real", CROPS), "strain": ("real_strain", STRAIN)}


@cache
def folder() -> Path:
    """Run the workflow on what data are there, and return the folder of its results."""
    raw = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    name = raw["run"]["name"]
    results = f"results/{name}/finetune"
    wanted = [f"{results}/{part}.parquet" for part in ("scores", "few_shot")]
    call = [sys.executable, "-m", "snakemake", "--cores", "1", *wanted]
    call += ["--configfile", str(CONFIG)]
    there = {}
    if CROPS.exists():
        there["glitch_pictures"] = str(CROPS)
    if STRAIN.exists():
        there["labelled_strain"] = [str(STRAIN)]
    call += ["--config", f"comparison={there}"] if there else []
    subprocess.run(call, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return ROOT / results


def configured():
    return parse_config(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))


def of_test_part(name: str, method: str, figure: str) -> Entry:
    rows = read_table(folder() / "scores.parquet", FINETUNE_SCORES).to_pylist()
    row = _only(rows, backbone="indomain", method=method, data=TEST_PART, figure=figure)
    beside = _only(rows, backbone="indomain", method=TRIGGERS, data=TEST_PART, figure=figure)
    learning = configured().learning
    peer = {}
    if method != TRIGGERS:
        wrong = max(1 - row["value"], 1 / row["pictures"])
        peer = {"peer": TRIGGERS, "peer_value": beside["value"]}
        peer["ratio"] = (1 - beside["value"]) / wrong
    of = "no picture seen" if method == TRIGGERS else "the shipped encoder"
    goal = f"; goal {GOALS[name]}" if name in GOALS else ""
    return Entry(
        name=name,
        value=row["value"],
        unit=f"{figure}, {method}, {of}, {len(learning.classes)} simulated "
        f"classes, {learning.per_class} views each, a fifth of them scored{goal}",
        low=row["low"],
        high=row["high"],
        n=row["pictures"],
        seed=learning.seed,
        **peer,
    )


def few_shot(name: str, encoder: str, kind: str) -> Entry:
    data, source = REAL[kind]
    if not source.exists():
        raise SystemExit(f"{name} needs {source}: set GWMORPH_DATA to the folder of real data.")
    rows = read_table(folder() / "few_shot.parquet", ENCODER_QUALITY).to_pylist()
    row = _only(rows, data=data, features=encoder, figure=FEW_SHOT)
    return Entry(
        name=name,
        value=row["value"],
        unit="of real glitches told by a probe that saw the others; interval over classes",
        low=row["low"],
        high=row["high"],
        n=row["pictures"],
        seed=configured().comparison.seed,
    )


def _only(rows: list[dict], **key: str) -> dict:
    (found,) = (
        row
        for row in rows
        if row["morphology"] is None and all(row[name] == key[name] for name in key)
    )
    return found


for prefix, method in METHODS.items():
    for what, figure in FIGURES.items():
        entry = f"{prefix}_{what}"
        BENCHMARKS[entry] = partial(of_test_part, entry, method, figure)
for encoder in ENCODERS:
    for kind in REAL:
        if (encoder, kind) != ("triggers", "crops"):
            entry = f"few_shot_{kind}_{encoder}"
            BENCHMARKS[entry] = partial(few_shot, entry, encoder, kind)
