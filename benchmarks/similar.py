"""What looks like a moment, among a million events: from vectors in memory, and from the disk.

The vectors are random directions, which no encoding shortens and no order helps to find.
"""

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors

from gwmorph.ledger import analysed_row
from gwmorph.naming import span_name
from gwmorph.runs.search import hold, most_alike, rows_of, vector_of
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column
from gwmorph.tables.parquet import table_writer, write_table
from harness import Entry, benchmark, seconds

ROWS, SHARDS, GROUP = 1_000_000, 16, 1024
START, SEED = 1262288896, 1405
REPEATS, COUNT = 7, 10


@cache
def made_run() -> tuple[Path, tempfile.TemporaryDirectory]:
    """Make the folder of a run of a million events, 2 GB, which goes with what is returned."""
    held = tempfile.TemporaryDirectory()
    run, rng = Path(held.name, "million"), np.random.default_rng(SEED)
    row = analysed_row("H1", START, 32, START // 4096 * 4096)
    write_table(run / "ledger" / span_name("H1", "LEDGER", START, 4096, "parquet"), LEDGER, [row])
    with table_writer(run / "triggers.parquet", TRIGGERS) as events:
        for number in range(SHARDS):
            _shard(run, START + 65536 * number, rng, events)
    return run, held


def _shard(run: Path, start: int, rng: np.random.Generator, events) -> None:
    name = span_name("H1", "EMBEDDINGS", start, 65536, "parquet")
    metadata = {"gwmorph.render_id": "random", "gwmorph.encoder_id": "random"}
    rows = ROWS // SHARDS
    times = start + 65536 * np.arange(rows) / rows
    with table_writer(run / "embeddings" / "event" / name, EMBEDDINGS, metadata) as append:
        for first in range(0, rows, GROUP):
            part = times[first : first + GROUP]
            vectors = rng.normal(size=(len(part), 384))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            append(_columns(EMBEDDINGS, part) | {"embedding": embedding_column(vectors)})
    events(_columns(TRIGGERS, times))


def _columns(schema, times: np.ndarray) -> dict[str, object]:
    text = {"detector": "H1", "view": "event", "found_by": "tile"}
    whole = {"gps_start": times.astype(np.int64) // 32 * 32, "tiles": np.ones(len(times), int)}
    columns = {
        name: [text[name]] * len(times) if name in text else whole.get(name, times)
        for name in schema.names
        if name != "embedding"
    }
    if "tiles" in columns:
        columns["view"] = np.ones(len(times), bool)
    return columns


def asked_at() -> float:
    """Return the time of the event that is asked for, in the middle of the shards."""
    return START + 65536.0 * (SHARDS // 2)


@benchmark
def similar_million() -> Entry:
    rows = rows_of(made_run()[0], "event")
    held, vector = hold(rows), vector_of(rows, ROWS // 2)
    peer = NearestNeighbors(n_neighbors=COUNT, metric="cosine", algorithm="brute")
    peer.fit(held.vectors)

    def ours() -> np.ndarray:
        return most_alike(held.cosines(vector), COUNT, rows.counted)

    def theirs() -> np.ndarray:
        return peer.kneighbors(vector[None], return_distance=False)[0]

    assert ours().tolist() == theirs().tolist()
    pairs = np.array([(seconds(ours), seconds(theirs)) for _ in range(REPEATS)])
    return Entry(
        "similar_million",
        float(np.median(pairs[:, 0])),
        f"s to find {COUNT} of {ROWS} vectors in memory, one thread",
        *(float(end) for end in (pairs[:, 0].min(), pairs[:, 0].max())),
        peer="scikit-learn, NearestNeighbors, brute force by cosine",
        peer_value=float(np.median(pairs[:, 1])),
        ratio=float(np.median(pairs[:, 1] / pairs[:, 0])),
        n=REPEATS,
        seed=SEED,
    )


def cold() -> np.ndarray:
    """Return the seconds of each start of the command."""
    command = [
        sys.executable, "-m", "gwmorph.cli", "similar", str(made_run()[0]),
        "--detector", "H1", "--gps", str(asked_at()), "--json",
    ]  # fmt: skip

    def start() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    start()  # from then on the shards are in the system's memory, as those of a new run are
    return np.array([seconds(start) for _ in range(REPEATS)])


@benchmark
def similar_cold() -> Entry:
    took = cold()
    return Entry(
        "similar_cold",
        float(np.median(took)),
        f"s from the start of gwmorph similar to its end, {ROWS} vectors on the disk",
        float(took.min()),
        float(took.max()),
        n=REPEATS,
        seed=SEED,
    )
