"""Score what each classifier named of the test part."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.learning.scoring import scored_row
from gwmorph.lineage import hashes_of, lineage
from gwmorph.storage import read_json
from gwmorph.tables.learning import PREDICTIONS, SUPERVISED
from gwmorph.tables.parquet import read_table, read_tables, write_table
from gwmorph.tables.training import CURVES


def supervised_scores(
    predictions: Sequence[Path],
    facts: Sequence[Path],
    curves: Sequence[Path],
    seed: int,
    accuracy: Path,
    joined: Path,
) -> None:
    rows = [
        scored_row(read_json(told), read_table(named, PREDICTIONS), seed)
        for told, named in zip(facts, predictions, strict=True)
    ]
    read = [*predictions, *facts]
    write_table(accuracy, SUPERVISED, rows, lineage({"seed": seed}, hashes_of(read)))
    write_table(joined, CURVES, read_tables(curves, CURVES), lineage({}, hashes_of(curves)))


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        supervised_scores(
            predictions=[Path(path) for path in snakemake.input.predictions],
            facts=[Path(path) for path in snakemake.input.facts],
            curves=[Path(path) for path in snakemake.input.curves],
            seed=snakemake.params.seed,
            accuracy=Path(snakemake.output.accuracy),
            joined=Path(snakemake.output.curves),
        )
