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
from pathlib import Path
from typing import Any

import numpy as np

from clusters import ROOT, RUN, run_events
from encoders import encode_all, encoder, event_views
from gwmorph.config import Config
from gwmorph.evidence.ablation import RANDOM
from gwmorph.evidence.anomaly import COMPONENTS, UMAP
from gwmorph.evidence.intervals import Bootstrap
from gwmorph.evidence.naming import COLUMNS, VECTORS, name_run
from gwmorph.evidence.reference import read_reference
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.simulation.population import CHIRP, load_population
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table, shared_metadata
from gwmorph.tables.validation import AGREEMENTS, NAMING, NOTICED, PAIRS, REFERENCE, SURVIVAL
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
def validated() -> tuple[Path, float]:
    """Validate the run's events anew; return where it is, and the processor time (s) of it."""
    run_events()
    folder = ROOT / "results" / "cluster_run" / "validation"
    shutil.rmtree(folder, ignore_errors=True)
    before = _children_seconds()
    _snakemake(
        ["validation"], ["--configfile", str(RUN), "--config", "clustering={views: [event]}"]
    )
    return folder / "event", _children_seconds() - before


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


def _of_seeds(figure: str) -> Entry:
    rows = read_table(validated()[0] / "stability.parquet", AGREEMENTS).to_pylist()
    found = [r for r in rows if r["changed"] == "seed" and r["figure"] == figure]
    values = [row["value"] for row in found]
    unit = f"{FIGURES[figure]} of the run's clusters and those of other seeds; mean and range"
    return Entry(
        f"stability_{figure}", float(np.mean(values)), unit, min(values), max(values),
        n=len(values), seed=SEED,
    )  # fmt: skip


for _figure in FIGURES:
    BENCHMARKS[f"stability_{_figure}"] = partial(_of_seeds, _figure)


@benchmark
def stability_pairs_ami() -> Entry:
    """The same of every two of these seeds, all on the same sample of rows."""
    pairs = read_table(validated()[0] / "pairs.parquet", PAIRS).to_pylist()
    both = [
        p["ami"] for p in pairs if p["one"].startswith("seed") and p["other"].startswith("seed")
    ]
    return Entry(
        "stability_pairs_ami", float(np.mean(both)),
        "AMI of the clusters of two seeds; mean and range",
        min(both), max(both), n=len(both), seed=SEED,
    )  # fmt: skip


@benchmark
def stability_survival() -> Entry:
    """How many clusters are found in four fifths of all variants."""
    stable = read_table(validated()[0] / "survival.parquet", SURVIVAL)["stable"].to_pylist()
    unit = f"of clusters are found in {KEYS.survival:g} of the variants"
    return Entry("stability_survival", float(np.mean(stable)), unit, n=len(stable), seed=SEED)


def _of_changes(figure: str) -> dict[str, dict[str, Any]]:
    rows = read_table(validated()[0] / "ablation.parquet", AGREEMENTS).to_pylist()
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
BENCHMARKS["ablation_random_ari"] = partial(
    _changed, "ablation_random_ari", RANDOM, "ari", "of random vectors"
)


# -- names ----------------------------------------------------------------------------------


@cache
def by_another_run() -> list[dict[str, Any]]:
    """Return NAMING rows of the run's events, named by the demo's."""
    results = ROOT / "results" / "cluster_run"
    own = read_table(validated()[0] / "reference.parquet", REFERENCE)
    clusters = results / "clusters" / "event" / "clusters.parquet"
    ids = shared_metadata([clusters], ["gwmorph.render_id", "gwmorph.encoder_id"])
    shards = sorted((results / "embeddings" / "event").glob("*.parquet"))
    named = name_run(
        events_of_run(shards, [results / "triggers.parquet"]),
        read_table(clusters, CLUSTERS)["cluster"].to_numpy(),
        own,
        read_reference(
            other_reference(), ids["gwmorph.render_id"], ids["gwmorph.encoder_id"], "event"
        ),
        KEYS.similarity.neighbors,
        KEYS.similarity.gap_s,
        Bootstrap(KEYS.block_s, KEYS.repeats, SEED),
    )
    return named.scores


@cache
def by_earlier_half() -> list[dict[str, Any]]:
    return read_table(validated()[0] / "naming.parquet", NAMING).to_pylist()


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
    rows = read_table(validated()[0] / "noticed.parquet", NOTICED).to_pylist()
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
    events, took = len(run_events()[0]), validated()[1]
    return Entry(
        "validation_cost", took / embedding,
        f"of the time of embedding {VIEWS} views with DINOv2 in bf16, for {events} events",
        peer="embedding them, s of processor time", peer_value=embedding, n=1, seed=SEED,
    )  # fmt: skip
