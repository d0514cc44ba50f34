"""Score every window of a run against the quiet windows of its detector."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from gwmorph.evidence.score import read_quiet, score_windows, windows_of
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.block import MEASUREMENTS
from gwmorph.tables.embeddings import EMBEDDINGS
from gwmorph.tables.parquet import read_tables, shared_metadata, write_table
from gwmorph.tables.scores import SCORES

SAME = ("gwmorph.render_id", "gwmorph.encoder_id")
KEY = ["detector", "gps_start"]


def scores(
    quiet: Mapping[str, Path],
    measurements: Sequence[Path],
    shards: Sequence[Path],
    false_alarm_fraction: float,
    result: Path,
) -> None:
    made = shared_metadata(shards, SAME)
    shared_metadata([*shards, *measurements], SAME[:1])
    measured = read_tables(measurements, MEASUREMENTS)
    embedded = read_tables(shards, EMBEDDINGS).select([*KEY, "embedding"])
    scored = [
        score_windows(
            windows_of(detector, measured, embedded),
            read_quiet(path, made[SAME[0]], made[SAME[1]]),
            false_alarm_fraction,
        )
        for detector, path in quiet.items()
    ]
    hashes = hashes_of([*quiet.values(), *measurements, *shards])
    metadata = {**lineage({"false_alarm_fraction": false_alarm_fraction}, hashes), **made}
    write_table(result, SCORES, pa.concat_tables(scored), metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
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
