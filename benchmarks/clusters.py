"""How well clusters follow known classes, and what they make of noise; ten seeds each.

Each figure is the mean over seeds and its interval their range, since clusters differ more from
seed to seed than a bootstrap of one clustering says. Balanced views and quiet windows are drawn
anew for each seed; the run is one, whose clustering has ten seeds, and the small runs are ten
stretches of it. The peer is the mixture as it was: the
covariance of all points as each component's prior, 20 components, nothing joined. The shares,
purities and numbers of clusters that stand beside AMI and ARI are entries of their own.
"""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow.compute as pc
import yaml
from sklearn.decomposition import PCA
from sklearn.mixture import BayesianGaussianMixture
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits
from umap import UMAP

from gwmorph.block import RenderParameters
from gwmorph.config import Config, parse_config
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence.agreement import cluster_agreement
from gwmorph.evidence.labelled import Draws, labelled_views, pictures_of
from gwmorph.evidence.quiet import quiet_windows
from gwmorph.evidence.truth import classes_of
from gwmorph.morphology.cluster_tables import only_events_of
from gwmorph.morphology.clustering import Clustering, cluster
from gwmorph.simulation.population import load_population
from gwmorph.simulation.signals import population_classes
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.block import TILE, TRIGGERS
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_matrix
from gwmorph.tables.parquet import read_table, read_tables
from gwmorph.tables.truth import TRUTH
from harness import BENCHMARKS, Entry

ROOT = Path(__file__).resolve().parents[1]
RUN = Path(__file__).with_name("cluster_run.yaml")
DEFAULTS = Config()
# Of noise, of signals and of the clustering; methods were chosen on others.
SEEDS = tuple(range(2101, 2111))
PER_CLASS = 96
QUIET = 1000
SMALL = (50, 150, 350)
Found = TypeVar("Found")
EARLIER = "the mixture as it was: prior of all points' covariance, 20 components"
FIGURES = {
    "ami": "AMI of clusters and classes",
    "ari": "ARI of clusters and classes",
    "purity": "mean share of a cluster's commonest class",
    "largest_share": "of events in the largest cluster",
    "clusters": "clusters that hold events of known class",
}


def rendering() -> RenderParameters:
    sections = ("conditioning", "qtransform", "picture")
    return RenderParameters.from_sections(
        DEFAULTS.window.duration_s, *(getattr(DEFAULTS, name).model_dump() for name in sections)
    )


def encoder():
    return make_encoder(DEFAULTS.encoder, (DEFAULTS.picture.height, DEFAULTS.picture.width))


def found(vectors: np.ndarray, seed: int) -> Clustering:
    return cluster(vectors, DEFAULTS.clustering, seed)


def earlier_labels(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Cluster as before: cosine of centred components, UMAP 10-d, scikit-learn's own prior."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        components = PCA(min(50, len(vectors) - 1), svd_solver="covariance_eigh").fit_transform(
            vectors.astype(float)
        )
        components = components.astype(np.float32)
        near = NearestNeighbors(n_neighbors=min(29, len(vectors) - 2), algorithm="brute").fit(
            normalize(components)
        )
        distances, indices = near.kneighbors()
        own = np.arange(len(vectors))[:, None]
        knn = (
            np.hstack([own, indices]).astype(np.int32),
            np.hstack([np.zeros_like(own), distances**2 / 2]).astype(np.float32),
        )
        space = UMAP(
            n_components=min(10, len(vectors) // 4),
            n_neighbors=knn[0].shape[1],
            min_dist=0.0,
            metric="cosine",
            precomputed_knn=knn,
            random_state=seed,
            n_jobs=1,
        ).fit_transform(components)
        starts = [
            BayesianGaussianMixture(
                n_components=components_of(space),
                weight_concentration_prior=1 / components_of(space),
                max_iter=1000,
                init_params=beginning,
                random_state=start_seed,
            ).fit(space.astype(float))
            for beginning, start_seed in zip(
                ("kmeans", "random", "random_from_data", "k-means++", "kmeans"),
                np.random.SeedSequence(seed).generate_state(5).tolist(),
                strict=True,
            )
        ]
        best = max(starts, key=lambda start: start.lower_bound_)
        return np.unique(best.predict(space.astype(float)), return_inverse=True)[1]


def components_of(space: np.ndarray) -> int:
    rows, dimensions = space.shape
    return min(20, max(1, rows // (dimensions + 1)))


# -- what is clustered ----------------------------------------------------------------------


def balanced(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors and classes of as many views of every class, SNR 12 to 50."""
    settings = DEFAULTS.comparison
    classes = population_classes(
        load_population(ROOT / settings.population),
        settings.detector,
        settings.classes,
        settings.snr_low,
        settings.snr_high,
    )
    draws = Draws(settings.detector, seed, PER_CLASS)
    views = labelled_views(classes, draws, rendering(), DEFAULTS.events)
    picture = DEFAULTS.picture
    scale = PictureScale(picture.scale, picture.energy_max, picture.colormap)
    pictures = pictures_of(views, (picture.height, picture.width))
    one = encoder()
    parts = [one.encode(pictures[i : i + 64], scale, "event") for i in range(0, len(views), 64)]
    return np.concatenate(parts), np.array(views["morphology"].to_pylist())


@cache
def run_events() -> tuple[np.ndarray, np.ndarray]:
    """Return vectors and classes of the run's triggers of ``events.snr``, in order of time.

    Events of no class (none was injected there) are clustered and not scored: class ''.
    """
    name = yaml.safe_load(RUN.read_text(encoding="utf-8"))["run"]["name"]
    folder = ROOT / "results" / name
    wanted = [f"results/{name}/{path}" for path in ("triggers.parquet", "truth.parquet")]
    wanted.append(f"results/{name}/clusters/event/clusters.parquet")
    call = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", str(RUN), "--"]
    subprocess.run([*call, *wanted], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    triggers = read_table(folder / "triggers.parquet", TRIGGERS)
    loud = triggers.filter(
        pc.and_(
            pc.greater_equal(triggers["snr"], parse_config({}).events.snr),
            pc.equal(triggers["found_by"], TILE),
        )
    )
    shards = sorted((folder / "embeddings" / "event").glob("*.parquet"))
    embedded = only_events_of(loud, read_tables(shards, EMBEDDINGS))
    embedded = embedded.sort_by([("trigger_time", "ascending"), ("detector", "ascending")])
    truth = read_table(folder / "truth.parquet", TRUTH)
    return embedding_matrix(embedded), classes_of(embedded, truth)


def scored(labels: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    known = classes != ""
    return cluster_agreement(labels[known], classes[known])


# -- the figures ----------------------------------------------------------------------------


def _balanced_figures(seed: int) -> dict[str, float]:
    vectors, classes = balanced(seed)
    ours = scored(found(vectors, seed).labels, classes)
    theirs = scored(earlier_labels(vectors, seed), classes)
    return ours | {f"earlier_{name}": value for name, value in theirs.items()}


def _run_figures(vectors: np.ndarray, classes: np.ndarray, seed: int) -> dict[str, float]:
    ours = found(vectors, seed)
    figures = scored(ours.labels, classes) | _trust(ours, classes)
    theirs = scored(earlier_labels(vectors, seed), classes)
    return figures | {f"earlier_{name}": value for name, value in theirs.items()}


def _trust(ours: Clustering, classes: np.ndarray) -> dict[str, float]:
    """Return how often sure and unsure members are of their cluster's commonest class."""
    known = classes != ""
    labels, sure = ours.labels[known], ours.probabilities[known] >= 0.9
    common = {
        label: max(set(own := classes[known][labels == label].tolist()), key=own.count)
        for label in np.unique(labels)
    }
    right = np.array([common[label] for label in labels]) == classes[known]
    return {
        "sure_right": float(right[sure].mean()),
        "unsure_right": float(right[~sure].mean()),
        "sure": float(sure.mean()),
    }


def _small_figures(
    vectors: np.ndarray, classes: np.ndarray, rows: int, seed: int
) -> dict[str, float]:
    """Figures of one stretch of the run with so many events."""
    start = SEEDS.index(seed) * (len(vectors) // len(SEEDS))
    part = slice(start, start + rows)
    ours = scored(found(vectors[part], seed).labels, classes[part])
    theirs = scored(earlier_labels(vectors[part], seed), classes[part])
    return ours | {f"earlier_{name}": value for name, value in theirs.items()}


def _null_figures(seed: int) -> dict[str, float]:
    quiet = quiet_windows("H1", QUIET, seed, rendering(), encoder())
    ours = found(embedding_matrix(quiet), seed)
    supported = int(ours.supported.sum())
    return {"none": float(supported == 0), "clusters": float(len(ours.medoids))}


def each_seed(of_seed: Callable[[int], Found]) -> list[Found]:
    """Return what each of the ten seeds gives, two seeds at a time."""
    workers = min(2, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return list(pool.map(of_seed, SEEDS))


def over_seeds(of_seed: Callable[[int], dict[str, float]]) -> dict[str, np.ndarray]:
    """Return every figure of all ten seeds."""
    rows = each_seed(of_seed)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@cache
def balanced_over_seeds() -> dict[str, np.ndarray]:
    return over_seeds(_balanced_figures)


@cache
def run_over_seeds() -> dict[str, np.ndarray]:
    return over_seeds(partial(_run_figures, *run_events()))


@cache
def small_over_seeds(rows: int) -> dict[str, np.ndarray]:
    return over_seeds(partial(_small_figures, *run_events(), rows))


@cache
def null_over_seeds() -> dict[str, np.ndarray]:
    return over_seeds(_null_figures)


def entry(
    name: str, figures: Callable[[], dict[str, np.ndarray]], figure: str, unit: str
) -> Entry:
    values = figures()
    peer = values.get(f"earlier_{figure}")
    return Entry(
        name=name,
        value=float(values[figure].mean()),
        unit=f"{unit}; mean and range of {len(SEEDS)} seeds",
        low=float(values[figure].min()),
        high=float(values[figure].max()),
        peer=None if peer is None else EARLIER,
        peer_value=None if peer is None else float(peer.mean()),
        n=len(SEEDS),
        seed=SEEDS[0],
    )


def run_gain() -> Entry:
    """AMI over the earlier mixture's on the same vectors, seed by seed.

    The interval is a bootstrap of the clusterings' seeds: of one run, it says nothing of others.
    """
    values = run_over_seeds()
    gains = values["ami"] - values["earlier_ami"]
    drawn = np.random.default_rng(SEEDS[0]).integers(len(gains), size=(2000, len(gains)))
    low, high = np.percentile(gains[drawn].mean(axis=1), [2.5, 97.5])
    return Entry(
        name="cluster_run_ami_gain",
        value=float(gains.mean()),
        unit="AMI of the run's events more than the earlier mixture's, same vectors and seed",
        low=float(low),
        high=float(high),
        peer=EARLIER,
        peer_value=float(values["earlier_ami"].mean()),
        n=len(gains),
        seed=SEEDS[0],
    )


def register(prefix: str, figures: Callable[[], dict[str, np.ndarray]], names: dict[str, str]):
    for figure, unit in names.items():
        name = f"{prefix}_{figure}"
        BENCHMARKS[name] = partial(entry, name, figures, figure, unit)


register("cluster_balanced", balanced_over_seeds, FIGURES)
register("cluster_run", run_over_seeds, FIGURES)
BENCHMARKS["cluster_run_ami_gain"] = run_gain
register(
    "cluster_run",
    run_over_seeds,
    {
        "sure_right": "of members of probability 0.9 and more are of their cluster's class",
        "unsure_right": "of less probable members are of their cluster's class",
        "sure": "of members have a probability of 0.9 and more",
    },
)
for rows in SMALL:
    register(f"cluster_{rows}_events", partial(small_over_seeds, rows), FIGURES)
BENCHMARKS["cluster_null"] = partial(
    entry,
    "cluster_null",
    null_over_seeds,
    "none",
    f"of sets of {QUIET} quiet windows have no supported cluster",
)
