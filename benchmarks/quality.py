"""How well encoders tell morphologies apart.

Figures on simulated views are read from a comparison that is run first. Snakemake knows which part
of it is there already: the first entry takes some minutes, the others seconds. Real pictures need
no simulation; their figures are made here, as a comparison makes them.
"""

import subprocess
import sys
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path

import yaml

from gwmorph.config import EncoderConfig, parse_config
from gwmorph.encoders.registry import make_encoder
from gwmorph.encoders.untrained import untrained_encoder
from gwmorph.evidence.comparison import real_quality, real_vectors
from gwmorph.evidence.quality import BASELINES
from gwmorph.spectra.gravityspy import find_glitch_pictures
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.comparison import ENCODER_QUALITY
from gwmorph.tables.parquet import read_table
from harness import BENCHMARKS, DATA, Entry

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config" / "comparison.yaml"
GLITCHES = DATA / "glitch_images" / "gravityspy_crops"
LABELLED_STRAIN = DATA / "strain" / "O3_labelled_glitches_14s_4096Hz.hdf5"
# Weights whose training left the unseen shapes out, where somebody trained them.
HELD_OUT = ROOT / "results" / "held_out" / "training" / "encoder.safetensors"
OURS, PEER = "indomain", "dct"
FEATURES = (OURS, PEER, "pixels", "triggers", "random")
TOP1 = {
    "top1_simulated": ("seen", "top1", "of views told by 5 neighbours, population's classes"),
    "top1_unseen": ("unseen", "top1", "of views told by 5 neighbours, shapes never trained on"),
    "top1_real": ("real", "top1_any", "of pictures told by 1 neighbour, any window length"),
    "top1_real_same": ("real", "top1_same", "of pictures told by 1 neighbour, same length"),
}
CLUSTERS = {
    "cluster_ami": "AMI of clusters and classes, K not given",
    "cluster_ari": "ARI of clusters and classes, K not given",
    "cluster_largest_share": "of views in the largest cluster",
}
# Of real glitches from labelled strain, by the name of the figure and of the entry.
STRAIN = {
    "real_strain_top1": "of real glitches whose nearest other one is of their class",
    "simulated_to_real_top1": "of real glitches named by 5 neighbours among simulated views",
}
# As encoders are compared, where real glitches are named by default from views of another kind.
OF_POPULATION = "real_strain_of_population"
POPULATION_NAMING = {
    "population": "config/population.yaml",
    "snr_low": 12.0,
    "snr_high": 50.0,
}
# Of the triggers of real glitches, by the name of the entry.
TRIGGERED = {
    "real_trigger_found": ("has_trigger", "of labelled real glitches have a trigger"),
    "real_trigger_snr_ratio": ("snr_ratio", "SNR of the trigger over the label's, median"),
}
GAINS = {"real": "top1_any", "real_same": "top1_same"}


def quality(data: str) -> dict[tuple[str, str, str], dict]:
    """Return the figures on ``data``, among others, by features, data and figure."""
    if data == "real":
        return _of_real_pictures()
    if data == OF_POPULATION:
        found = _of_population()
        return {(features, data, name): row for (features, _, name), row in found.items()}
    return _of_run("strain_quality" if data == "real_strain" else "quality")


@cache
def _of_real_pictures() -> dict[tuple[str, str, str], dict]:
    config = parse_config(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    found = find_glitch_pictures(GLITCHES)
    size = (config.picture.height, config.picture.width)
    scale = PictureScale(config.picture.scale, config.picture.energy_max, config.picture.colormap)
    made = {name: make_encoder(EncoderConfig(name=name), size) for name in (OURS, PEER)}
    made["random"] = untrained_encoder(size, config.comparison.seed)
    vectors = {name: real_vectors(encoder, found, scale, size) for name, encoder in made.items()}
    rows = real_quality(found, vectors, scale, size, config.comparison.seed)
    return _by_figure(rows)


@cache
def _of_run(part: str) -> dict[tuple[str, str, str], dict]:
    raw = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return _made(part, raw["run"]["name"], {})


@cache
def _of_population() -> dict[tuple[str, str, str], dict]:
    return _made("strain_quality", "comparison_population", {"naming": POPULATION_NAMING})


def _made(part: str, run: str, change: dict) -> dict[tuple[str, str, str], dict]:
    """Make a table of a comparison, in a run of this name with these keys of its section."""
    target = f"results/{run}/comparison/{part}.parquet"
    call = [sys.executable, "-m", "snakemake", "--cores", "2", target]
    call += ["--configfile", str(CONFIG)]
    given = {"glitch_pictures": GLITCHES, "held_out": HELD_OUT}
    there: dict = change | {name: str(path) for name, path in given.items() if path.exists()}
    if LABELLED_STRAIN.exists():
        there["labelled_strain"] = [str(LABELLED_STRAIN)]
    call += ["--config", f"run={{'name': '{run}'}}", f"comparison={there}"]
    subprocess.run(call, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    rows = read_table(ROOT / target, ENCODER_QUALITY).to_pylist()
    return _by_figure(rows)


def _by_figure(rows: Iterable[dict]) -> dict[tuple[str, str, str], dict]:
    return {
        (row["features"], row["data"], row["figure"]): row
        for row in rows
        if row["morphology"] is None
    }


def figure(features: str, data: str, name: str) -> dict:
    found = quality(data)
    if (features, data, name) not in found:
        raise SystemExit(
            f"no {name} of {features} on {data} pictures: it needs the encoder in "
            f"comparison.encoders, for real pictures {GLITCHES}, for real strain "
            f"{LABELLED_STRAIN}, and for unseen shapes {HELD_OUT} (snakemake train_encoder "
            "--configfile config/held_out.yaml)"
        )
    return found[features, data, name]


def entry(name: str, features: str, data: str, measured: str, unit: str) -> Entry:
    row = figure(features, data, measured)
    return Entry(
        name=name,
        value=row["value"],
        unit=unit,
        low=row["low"],
        high=row["high"],
        n=row["pictures"],
        seed=parse_config(yaml.safe_load(CONFIG.read_text(encoding="utf-8"))).comparison.seed,
        **(_beside(row, data, measured) if features != PEER else {}),
    )


def _beside(row: dict, data: str, measured: str) -> dict:
    """Return the peer's value; for shares that are right, how many times fewer errors we make."""
    peer = quality(data).get((PEER, data, measured))
    if peer is None:
        return {}
    beside = {"peer": PEER, "peer_value": peer["value"]}
    if "top1" in measured:
        beside["ratio"] = (1 - peer["value"]) / max(1 - row["value"], 1 / row["pictures"])
    return beside


def register(name: str, features: str, data: str, measured: str, unit: str) -> None:
    BENCHMARKS[name] = partial(entry, name, features, data, measured, unit)


for features in FEATURES:
    for what, (data, measured, unit) in TOP1.items():
        if (features, data) != ("triggers", "real"):
            register(f"{features}_{what}", features, data, measured, unit)
    if features != "triggers":
        for measured, unit in CLUSTERS.items():
            # The run's own encoder makes the clusters that users see.
            name = f"event_{measured}" if features == OURS else f"{features}_{measured}"
            register(name, features, "seen", measured, unit)
    for what, unit in STRAIN.items():
        # As above: without a prefix, the run's own encoder.
        register(
            what if features == OURS else f"{features}_{what}", features, "real_strain", what, unit
        )
    register(
        f"{features}_simulated_to_real_of_population",
        features,
        OF_POPULATION,
        "simulated_to_real_top1",
        STRAIN["simulated_to_real_top1"],
    )
for what, (measured, unit) in TRIGGERED.items():
    register(what, "trigger", "real_strain", measured, unit)
for what, measured in GAINS.items():
    for baseline in BASELINES:
        register(
            f"{OURS}_minus_{baseline}_{what}",
            OURS,
            "real",
            f"{measured}_minus_{baseline}",
            "difference of top-1, paired",
        )
