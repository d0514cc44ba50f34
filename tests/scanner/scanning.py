"""A small atlas, and strain to scan with it."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from gwmorph.config import parse_config
from gwmorph.encoders.dct import DctEncoder
from gwmorph.errors import GwmorphError
from gwmorph.morphology.atlas import Atlas, limit_rows, read_atlas, write_atlas
from gwmorph.morphology.manifest import About
from gwmorph.morphology.thresholds import limits_of
from gwmorph.scanner.arrivals import ArrivedFile
from gwmorph.scanner.scan import Scan, scan
from gwmorph.scanner.settings import settings_of
from gwmorph.scanner.summary import BlockSummary
from gwmorph.tables.calibration import THRESHOLDS
from gwmorph.tables.embeddings import embedding_column
from gwmorph.tables.parquet import write_table
from gwmorph.tables.validation import REFERENCE
from gwosc_files import gwosc_file_name, write_gwosc_file

RATE = 2048
BLOCK = 4096 * 300000
SIZE = (56, 56)
RAW: dict[str, Any] = {
    "run": {"gps_start": BLOCK, "gps_end": BLOCK + 4096},
    "conditioning": {"sample_rate": RATE},
    "picture": {"height": SIZE[0], "width": SIZE[1]},
    "encoder": {"name": "dct"},
    "score": {"background": "none"},
    "scan": {
        "workers": 1,
        "queue_blocks": 0,
        "max_wait_s": 0.0,
        "pieces_wait_s": 0.0,
        "novel_alarm": 1000,
    },
}
CONFIG = parse_config(RAW)
SETTINGS = settings_of(CONFIG)


def make_atlas(
    folder: Path,
    views: Iterable[str] = ("event",),
    raw: dict[str, Any] = RAW,
    like: np.ndarray | None = None,
    **about: Any,
) -> Atlas:
    """An atlas of one class of rows that are all alike, and like nothing that is scanned.

    ``raw`` is the configuration that it is made with; ``like`` is a vector that they are to be
    like.
    """
    config = parse_config(raw)
    size = config.picture.height, config.picture.width
    rng = np.random.default_rng(5)
    centre = rng.normal(size=384) if like is None else like
    vectors = centre + 0.01 * rng.normal(size=(40, 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    told = About(
        **{
            "run": "t",
            "detectors": ("H1", "L1"),
            "gps_start": BLOCK - 4096,
            "gps_end": BLOCK,
            "render_id": settings_of(config).rendering.render_id,
            "encoder_id": DctEncoder(size).encoder_id,
            "config_hash": "c",
            "classes": "labels",
            "promise": "overall",
            "rate": 0.05,
            "agreeing": 0.6,
            "neighbors": 5,
            "views": tuple(views),
            **about,
        }
    )
    ids = {"gwmorph.render_id": told.render_id, "gwmorph.encoder_id": told.encoder_id}
    tables = {}
    for view in told.views:
        files = {name: folder / f"{view}-{name}" for name in ("reference", "thresholds")}
        labels = ["known"] * 40
        columns = {
            "detector": ["H1"] * 40,
            "gps_start": range(40),
            "view": [view] * 40,
            "trigger_time": np.arange(40.0) if view == "event" else pa.nulls(40, pa.float64()),
            "label": labels,
            **{f"tile_{n}": np.ones(40) for n in ("time", "frequency", "q", "energy", "snr")},
            "duration": np.ones(40),
            "bandwidth": np.ones(40),
            "embedding": embedding_column(vectors.astype(np.float32)),
        }
        limits = limits_of(vectors.astype(np.float32), np.array(labels), 0.05, 1)
        write_table(files["reference"], REFERENCE, pa.table(columns, schema=REFERENCE), ids)
        write_table(files["thresholds"], THRESHOLDS, limit_rows(limits, labels, 0.05), ids)
        tables[view] = files
    write_atlas(folder / "atlas", told, tables, {}, yaml.safe_dump(raw))
    return read_atlas(folder / "atlas")


class Here:
    """Workers that work at once, in this process."""

    processes = ()

    def __init__(self, count, work):
        self._work = work

    def submit(self, task):
        done = Future()
        try:
            done.set_result(self._work(task))
        except GwmorphError as error:
            done.set_exception(error)
        return done

    def close(self):
        pass


def noise(seconds: int, glitches: Iterable[float] = (), seed: int = 1) -> np.ndarray:
    """White strain with loud sine-Gaussians at some seconds."""
    values = np.random.default_rng(seed).standard_normal(seconds * RATE)
    times = np.arange(len(values)) / RATE
    for at in glitches:
        values += 15 * np.exp(-(((times - at) / 0.02) ** 2)) * np.cos(900 * (times - at))
    return 1e-21 * values


def write_file(
    folder: Path, start: int, values: np.ndarray, detector: str = "H1", **masks: Any
) -> ArrivedFile:
    seconds = len(values) // RATE
    name = gwosc_file_name(detector, start, duration=seconds, sample_rate=RATE)
    path = write_gwosc_file(folder / name, detector, start, values, RATE, **masks)
    return ArrivedFile(path, detector, start, seconds)


def scanned(
    source: Iterable[ArrivedFile | None],
    atlas: Atlas,
    folder: Path,
    stop: threading.Event | None = None,
    tell=lambda text: None,
    segments=None,
    **settings: Any,
) -> Iterator[BlockSummary]:
    how = Scan(
        atlas=atlas,
        make_encoder=lambda: DctEncoder(SIZE),
        settings=replace(SETTINGS, **settings),
        configuration=CONFIG.model_dump(mode="json"),
        segments=segments,
        tell=tell,
    )
    return scan(iter(source), how, folder, stop or threading.Event())
