"""What validation says of a run whose events nothing was chosen on, and what it costs.

The run is that of ``cluster_run.yaml``. The reference of ``similarity_top1`` is another run, the
demo; of ``similarity_top1_split`` it is the earlier half of the same run.
"""

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache, partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from clusters import ROOT, RUN, SEEDS, each_seed, found, run_events
from encoders import encode_all, encoder, event_views
from gwmorph.config import Config
from gwmorph.evidence.ablation import RANDOM
from gwmorph.evidence.anomaly import COMPONENTS, UMAP
from gwmorph.evidence.intervals import Bootstrap
from gwmorph.evidence.naming import COLUMNS, VECTORS, score_names
from gwmorph.evidence.recall import wilson
from gwmorph.evidence.reference import read_reference
from gwmorph.morphology.clustering import cluster
from gwmorph.morphology.partitions import agreement
from gwmorph.simulation.population import CHIRP, load_population
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_table, shared_metadata
from gwmorph.tables.validation import (
    ABLATED,
    ABLATION_SAMPLE,
    AGREEMENTS,
    NAMING,
    NOTICED,
    PAIRS,
    REFERENCE,
    SURVIVAL,
)
from harness import BENCHMARKS, Entry, benchmark

DEFAULTS = Config()
KEYS = DEFAULTS.validation
SEED = KEYS.seed
FIGURES = {
    "ami": "AMI",
    "ari": "ARI",
    "macro_jaccard": "macro-Jaccard",
    "largest_share": "share of rows in the largest cluster",
    "ari_without_largest": "ARI without the largest cluster",
}
# What should change nothing.
HARMLESS = ("gain_low", "gain_high", "context", "size", "q_range", "precision")
VIEWS = 10_000
CLASSES = (*load_population(ROOT / "config" / "population.yaml").glitches, CHIRP)


@cache
def validated() -> Path:
    """Validate the run's events, where they are not; return where the tables are."""
    run_events()
    options = ["--configfile", str(RUN), "--config", "clustering={views: [event]}"]
    _snakemake(["validation"], options)
    return ROOT / "results" / "cluster_run" / "validation" / "event"


@cache
def other_reference() -> Path:
    path = "results/demo/validation/event/reference.parquet"
    _snakemake([path], [])
    return ROOT / path


def _snakemake(targets: Iterable[str], options: Iterable[str]) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *options, "--", *targets]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# -- agreement ------------------------------------------------------------------------------


def _labels_of_seed(vectors: np.ndarray, seed: int) -> np.ndarray:
    return found(vectors, seed).labels


@cache
def of_seeds() -> list[dict[str, float]]:
    """Return how far the clusters of all the run's events agree for every two of ten seeds."""
    labels = each_seed(partial(_labels_of_seed, run_events()[0]))
    return [agreement(one, other) for one, other in combinations(labels, 2)]


def _of_seeds(figure: str) -> Entry:
    values = [pair[figure] for pair in of_seeds()]
    unit = f"{FIGURES[figure]} of the clusters of two of ten seeds; mean and range of pairs"
    return Entry(
        f"stability_{figure}", float(np.mean(values)), unit, min(values), max(values),
        n=len(values), seed=SEEDS[0],
    )  # fmt: skip


for _figure in FIGURES:
    BENCHMARKS[f"stability_{_figure}"] = partial(_of_seeds, _figure)


@benchmark
def stability_sample_ami() -> Entry:
    """The same for a sample of the events, as the stage clusters it."""
    pairs = read_table(validated() / "pairs.parquet", PAIRS).to_pylist()
    values = [
        pair["ami"]
        for pair in pairs
        if pair["one"].startswith("seed") and pair["other"].startswith("seed")
    ]
    return Entry(
        "stability_sample_ami", float(np.mean(values)),
        f"AMI of the clusters of two of ten seeds, of {KEYS.rows} of the events; mean and range",
        min(values), max(values), n=len(values), seed=SEED,
    )  # fmt: skip


@benchmark
def stability_survival() -> Entry:
    """How many clusters that the sample shows are found in four fifths of all variants."""
    held = read_table(validated() / "survival.parquet", SURVIVAL)["stable"]
    stable = held.drop_null().to_pylist()
    unit = f"of clusters are found in {KEYS.survival:g} of the variants"
    value, interval = float(np.mean(stable)), wilson(sum(stable), len(stable))
    return Entry("stability_survival", value, unit, *interval, n=len(stable), seed=SEED)


def _of_changes(figure: str) -> dict[str, dict[str, Any]]:
    rows = read_table(validated() / "ablation.parquet", AGREEMENTS).to_pylist()
    return {row["variant"]: row for row in rows if row["figure"] == figure}


def _changed(name: str, change: str, figure: str, text: str) -> Entry:
    row = _of_changes(figure)[change]
    unit = f"{FIGURES[figure]} of the sample's clusters and those {text}"
    return Entry(name, row["value"], unit, row["low"], row["high"], n=row["rows"], seed=SEED)


def _worst(figure: str) -> Entry:
    found = {name: _of_changes("ami")[name]["value"] for name in HARMLESS}
    worst = min((name for name in found if np.isfinite(found[name])), key=lambda name: found[name])
    text = f"after {worst}, the worst of {', '.join(HARMLESS)}"
    return _changed(f"ablation_{figure}", worst, figure, text)


for _figure in FIGURES:
    BENCHMARKS[f"ablation_{_figure}"] = partial(_worst, _figure)


def _partitions_after(method: str, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return rows and clusters of the sample after every harmless change, and of itself."""
    folder = validated() / "ablation"
    clustering = DEFAULTS.clustering.model_copy(update={"method": method})
    sample = embedding_matrix(read_table(folder / "sample.parquet", ABLATION_SAMPLE))
    held = {name: read_table(folder / f"{name}.parquet", ABLATED) for name in HARMLESS}
    vectors = {"": (np.arange(len(sample)), sample)} | {
        name: (table["row"].to_numpy(), embedding_matrix(table))
        for name, table in held.items()
        if len(table)
    }
    return {
        name: (rows, cluster(made, clustering, seed).labels)
        for name, (rows, made) in vectors.items()
    }


@benchmark
def ablation_communities_ami() -> Entry:
    """The worst of these changes where communities of the neighbour graph are the clusters."""
    found_after = _partitions_after("communities", DEFAULTS.run.seed)
    _, before = found_after.pop("")
    values = {
        name: agreement(before[rows], after)["ami"] for name, (rows, after) in found_after.items()
    }
    worst = min(values, key=lambda name: values[name])
    unit = f"AMI of the sample's communities and those after {worst}, the worst"
    return Entry("ablation_communities_ami", values[worst], unit, n=len(before), seed=SEED)


@benchmark
def ablation_seed_ami() -> Entry:
    """What another seed alone does to the clusters of that sample: mean and range of five."""
    sample = embedding_matrix(
        read_table(validated() / "ablation" / "sample.parquet", ABLATION_SAMPLE)
    )
    labels = [found(sample, seed).labels for seed in (DEFAULTS.run.seed, *SEEDS[:5])]
    values = [agreement(labels[0], other)["ami"] for other in labels[1:]]
    return Entry(
        "ablation_seed_ami", float(np.mean(values)),
        "AMI of the sample's clusters and those of another seed; mean and range",
        min(values), max(values), n=len(values), seed=SEED,
    )  # fmt: skip


BENCHMARKS["ablation_random_ari"] = partial(
    _changed, "ablation_random_ari", RANDOM, "ari", "of random vectors"
)


# -- names ----------------------------------------------------------------------------------


@cache
def by_another_run() -> list[dict[str, Any]]:
    """Return NAMING rows of the run's events, named by the demo's."""
    own = validated() / "reference.parquet"
    ids = shared_metadata([own], ["gwmorph.render_id", "gwmorph.encoder_id"])
    scores, _ = score_names(
        read_table(own, REFERENCE),
        read_reference(
            other_reference(), ids["gwmorph.render_id"], ids["gwmorph.encoder_id"], "event"
        ),
        KEYS.similarity.neighbors,
        KEYS.similarity.gap_s,
        Bootstrap(KEYS.block_s, KEYS.repeats, SEED),
    )
    return scores


@cache
def by_earlier_half() -> list[dict[str, Any]]:
    return read_table(validated() / "naming.parquet", NAMING).to_pylist()


def _named(name: str, of: Any, label: str | None, text: str) -> Entry:
    found = {
        row["features"]: row for row in of() if row["figure"] == "top1" and row["label"] == label
    }
    ours, peer = found[VECTORS], found[COLUMNS]
    return Entry(
        name, ours["value"], text, ours["low"], ours["high"],
        peer="trigger columns alone", peer_value=peer["value"], n=ours["rows"],
    )  # fmt: skip


_BY = f"{KEYS.similarity.neighbors} neighbours"
BENCHMARKS["similarity_top1"] = partial(
    _named, "similarity_top1", by_another_run, None,
    f"of events named right by {_BY} of another run",
)  # fmt: skip
BENCHMARKS["similarity_top1_split"] = partial(
    _named, "similarity_top1_split", by_earlier_half, None,
    f"of the later half's events named right by {_BY} of the earlier",
)  # fmt: skip
for _name in CLASSES:
    BENCHMARKS[f"similarity_top1_{_name}"] = partial(
        _named, f"similarity_top1_{_name}", by_another_run, _name,
        f"of this class's events named right by {_BY} of another run",
    )  # fmt: skip


# -- what is new ----------------------------------------------------------------------------


def _noticed() -> dict[tuple[str, str | None], dict[str, Any]]:
    rows = read_table(validated() / "noticed.parquet", NOTICED).to_pylist()
    return {(row["space"], row["left_out"]): row for row in rows}


@benchmark
def anomaly_noticed() -> Entry:
    """The mean over classes of the share called anomalous when the class is new, and its range."""
    found = _noticed()
    kinds = sorted({name for _, name in found if name})
    ours, peer = ([found[s, k]["value"] for k in kinds] for s in (COMPONENTS, UMAP))
    rate = KEYS.anomaly.rate
    return Entry(
        "anomaly_noticed", float(np.mean(ours)),
        f"of a new class called anomalous at a rate of {rate:g}; mean and range of classes",
        min(ours), max(ours), peer="the density in UMAP's space",
        peer_value=float(np.mean(peer)), n=len(kinds), seed=SEED,
    )  # fmt: skip


@benchmark
def anomaly_achieved() -> Entry:
    """The share of all rows called anomalous."""
    row = _noticed()[COMPONENTS, None]
    unit = f"of all events called anomalous at a rate of {KEYS.anomaly.rate:g}"
    return Entry(
        "anomaly_achieved", row["value"], unit, row["low"], row["high"], n=row["rows"], seed=SEED
    )


# -- cost -----------------------------------------------------------------------------------


@benchmark
def validation_cost() -> Entry:
    """All of validation over embedding 10,000 views once, both in processor time."""
    made, pictures = encoder("bf16"), event_views()[:64].repeat(4, axis=0)
    encode_all(made, pictures)
    before = resource.getrusage(resource.RUSAGE_SELF)
    encode_all(made, pictures)
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    embedding = used * VIEWS / len(pictures)
    events = len(run_events()[0])
    shutil.rmtree(ROOT / "results" / "cluster_run" / "validation", ignore_errors=True)
    validated.cache_clear()
    start = _children_seconds()
    validated()
    took = _children_seconds() - start
    return Entry(
        "validation_cost", took / embedding,
        f"of the time of embedding {VIEWS} views with DINOv2 in bf16, for {events} events",
        peer="embedding them, s of processor time", peer_value=embedding, n=1, seed=SEED,
    )  # fmt: skip
