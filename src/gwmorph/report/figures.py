"""The report's figures and tables, drawn from tables alone.

Public functions (all write one file in one step; equal input gives equal bytes):

``draw_map(clusters, path)``
    2-d map, once coloured by cluster and once by SNR.
``draw_occupancy(clusters, ledger, bin_s, path)``
    Share of analysed windows in each cluster over time, one row of axes per detector.
``choose_examples(cluster, clusters, cluster_summary, count) -> list[Example]``
    Which windows a gallery shows: the medoid, then evenly over falling probability.
``draw_gallery(cluster, examples, pictures, scale, path)``
    Contact sheet; ``pictures[i]`` is the PNG of ``examples[i]``, ``scale`` a ``GalleryScale``.
``write_cluster_csv(cluster_summary, path)``, ``write_cluster_html(cluster_summary, path)``
    The cluster table.

Tables are ``pyarrow.Table`` with the schemas CLUSTERS, LEDGER and CLUSTER_SUMMARY of
``gwmorph.tables``, rows of all detectors together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa


@dataclass(frozen=True)
class Example:
    """One window of a gallery: GPS start in seconds, Omicron SNR of its loudest tile."""

    detector: str
    gps_start: int
    snr: float
    probability: float
    is_medoid: bool


@dataclass(frozen=True)
class GalleryScale:
    """What the axes of every picture of a gallery are: seconds, Hz, and energy at palette's top."""

    duration_s: float
    low_hz: float
    high_hz: float
    energy_max: float
    colormap: str = "cividis"


def draw_map(clusters: pa.Table, path: Path | str) -> None:
    """Draw the 2-d map."""
    raise NotImplementedError


def draw_occupancy(clusters: pa.Table, ledger: pa.Table, bin_s: int, path: Path | str) -> None:
    """Draw the share of analysed windows in each cluster over time."""
    raise NotImplementedError


def choose_examples(
    cluster: int, clusters: pa.Table, cluster_summary: pa.Table, count: int
) -> list[Example]:
    """Choose at most ``count`` members of ``cluster`` to show."""
    raise NotImplementedError


def draw_gallery(
    cluster: int,
    examples: Sequence[Example],
    pictures: Sequence[Path],
    scale: GalleryScale,
    path: Path | str,
) -> None:
    """Draw the contact sheet of one cluster."""
    raise NotImplementedError


def write_cluster_csv(cluster_summary: pa.Table, path: Path | str) -> None:
    """Write the cluster table as CSV."""
    raise NotImplementedError


def write_cluster_html(cluster_summary: pa.Table, path: Path | str) -> None:
    """Write the cluster table as an HTML page."""
    raise NotImplementedError
