"""Clustering of ten thousand to a million vectors, and what becomes of clusters cut from a part.

Vectors are drawn from a mixture of Gaussians that is fitted to the events of ``cluster_run.yaml``
in 50 principal components, mapped back with as much noise as the other components hold, and
scaled to unit length. The time is one process's own, which computes on one thread.

Run as a program this is that process: ``python million.py MODEL ROWS``.
"""

import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from time import process_time

import numpy as np
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import normalize

from clusters import run_events
from gwmorph.config import Config
from gwmorph.morphology.clustering import cluster
from gwmorph.morphology.outside import cut_without_umap
from gwmorph.morphology.partitions import agreement
from harness import BENCHMARKS, Entry, benchmark
from memory import peak_mb

DEFAULTS = Config().clustering
SEED = 2301
SIZES = {"10k": 10_000, "100k": 100_000, "million": 1_000_000}
COMPONENTS, KINDS = 50, 40
WHOLE, PART = 50_000, 10_000


def model() -> dict[str, np.ndarray]:
    """Return what vectors like the run's events are drawn from."""
    vectors = run_events()[0].astype(float)
    pca = PCA(COMPONENTS).fit(vectors)
    fitted = GaussianMixture(KINDS, reg_covar=1e-5, random_state=SEED).fit(pca.transform(vectors))
    return {
        "weights": fitted.weights_,
        "means": fitted.means_ @ pca.components_ + pca.mean_,
        "spreads": np.linalg.cholesky(fitted.covariances_).transpose(0, 2, 1) @ pca.components_,
        "noise": np.sqrt(pca.noise_variance_),
    }


def drawn(model: dict[str, np.ndarray], rows: int) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    kinds = rng.choice(len(model["weights"]), rows, p=model["weights"])
    width = model["means"].shape[1]
    vectors = np.empty((rows, width), np.float32)
    for kind, (mean, spread) in enumerate(zip(model["means"], model["spreads"], strict=True)):
        members = np.flatnonzero(kinds == kind)
        vectors[members] = mean + rng.normal(size=(len(members), len(spread))) @ spread
    for part in np.array_split(np.arange(rows), max(rows // 50_000, 1)):
        vectors[part] += model["noise"] * rng.normal(size=(len(part), width))
        vectors[part] = normalize(vectors[part])
    return vectors


@cache
def measured() -> dict[str, dict[str, float]]:
    """Return minutes, peak memory and clusters of each size."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "model.npz")
        np.savez(path, **model())
        return {size: _measured(path, rows) for size, rows in SIZES.items()}


def _measured(path: Path, rows: int) -> dict[str, float]:
    command = [sys.executable, __file__, str(path), str(rows)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _clustered(path: Path, rows: int) -> dict[str, float]:
    with np.load(path) as stored:
        vectors = drawn(dict(stored), rows)
    start = process_time()
    found = cluster(vectors, DEFAULTS, SEED)
    cut_without_umap(found, DEFAULTS, SEED)
    return {
        "minutes": (process_time() - start) / 60,
        "gb": peak_mb() / 1e3,
        "clusters": float(len(found.medoids)),
    }


def _time(size: str) -> Entry:
    found = measured()[size]
    unit = (
        f"minutes of one core for {SIZES[size]} vectors; PCA, UMAPs, clusters, without UMAP, too"
    )
    return Entry(f"cluster_{size}", found["minutes"], unit, n=1, seed=SEED)


for _size in SIZES:
    BENCHMARKS[f"cluster_{_size}"] = lambda size=_size: _time(size)


@benchmark
def cluster_million_memory() -> Entry:
    """The peak of that process, which holds the vectors as well."""
    return Entry("cluster_million_memory", measured()["million"]["gb"], "GB", n=1, seed=SEED)


@benchmark
def cluster_growth() -> Entry:
    """The exponent of the time's growth with the number of vectors, from 100,000 to 1,000,000.

    The peer is the one from 10,000 to 100,000, of which at most 50,000 are laid out.
    """
    minutes = [measured()[size]["minutes"] for size in SIZES]
    lower, upper = np.log10(np.divide(minutes[1:], minutes[:-1]))
    return Entry(
        "cluster_growth", float(upper), "exponent, 100,000 to 1,000,000 vectors",
        peer="the exponent from 10,000 to 100,000", peer_value=float(lower), n=1, seed=SEED,
    )  # fmt: skip


@cache
def in_two_ways() -> dict[str, dict[str, float]]:
    """Compare clusters of all of 50,000 vectors with those of a part, and with another seed's."""
    vectors = drawn(model(), WHOLE)
    whole = cluster(vectors, DEFAULTS, SEED).labels
    part = cluster(vectors, DEFAULTS.model_copy(update={"fit_rows": PART}), SEED).labels
    other = cluster(vectors, DEFAULTS, SEED + 1).labels
    return {"part": agreement(whole, part), "seed": agreement(whole, other)}


def _agreement(figure: str) -> Entry:
    found = in_two_ways()
    return Entry(
        f"cluster_part_{figure}", found["part"][figure],
        f"of clusters of {WHOLE} vectors, all laid out, and those of {PART} of them",
        peer="all laid out, with two seeds", peer_value=found["seed"][figure], n=WHOLE, seed=SEED,
    )  # fmt: skip


for _figure in ("ami", "ari", "macro_jaccard", "largest_share", "ari_without_largest"):
    BENCHMARKS[f"cluster_part_{_figure}"] = lambda figure=_figure: _agreement(figure)


if __name__ == "__main__":
    print(json.dumps(_clustered(Path(sys.argv[1]), int(sys.argv[2]))))
