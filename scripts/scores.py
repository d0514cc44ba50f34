"""Score every window of a run against the quiet windows of its detector."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gwmorph import tables
from gwmorph.errors import TableError
from gwmorph.evidence.score import load_background, score_windows
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage

SAME = ("gwmorph.render_id", "gwmorph.encoder_id")
KEY = ["detector", "gps_start"]


def scores(
    quiet: Mapping[str, Path],
    measurements: Sequence[Path],
    shards: Sequence[Path],
    false_alarm_fraction: float,
    result: Path,
) -> None:
    made = tables.shared_metadata(shards, SAME)
    tables.shared_metadata([*shards, *measurements], SAME[:1])
    measured = tables.read_tables(measurements, tables.MEASUREMENTS)
    embedded = tables.read_tables(shards, tables.EMBEDDINGS).select([*KEY, "embedding"])
    scored = [
        score_windows(
            joined(measured, embedded, detector),
            *load_background(path, made[SAME[0]], made[SAME[1]]),
            false_alarm_fraction,
        )
        for detector, path in quiet.items()
    ]
    hashes = hashes_of([*quiet.values(), *measurements, *shards])
    metadata = {**lineage({"false_alarm_fraction": false_alarm_fraction}, hashes), **made}
    tables.write_table(result, tables.SCORES, pa.concat_tables(scored), metadata)


def joined(measured: pa.Table, embedded: pa.Table, detector: str) -> pa.Table:
    """Return the windows of one detector in order of time, with their vectors."""
    own, vectors = (
        table.filter(pc.equal(table["detector"], detector)).sort_by("gps_start")
        for table in (measured, embedded)
    )
    if own["gps_start"].to_pylist() != vectors["gps_start"].to_pylist():
        raise TableError(
            f"{detector}: {own.num_rows} measured windows, but {vectors.num_rows} embedded ones, "
            "or others. Remove the run's embeddings and run the workflow again."
        )
    return own.append_column("embedding", vectors["embedding"])


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        scores(
            quiet=dict(
                zip(
                    snakemake.params.detectors,
                    (Path(path) for path in snakemake.input.quiet),
                    strict=True,
                )
            ),
            measurements=[Path(path) for path in snakemake.input.measurements],
            shards=[Path(path) for path in snakemake.input.shards],
            false_alarm_fraction=snakemake.params.false_alarm_fraction,
            result=Path(snakemake.output.scores),
        )
