"""Score what every way to specialise every encoder said."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from gwmorph.joblog import JobLog
from gwmorph.learning.classified import prediction_scores
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.finetune import FINETUNE_PREDICTIONS, FINETUNE_SCORES, FULL
from gwmorph.tables.parquet import read_tables, write_table


def finetune_scores(predictions: Sequence[Path], seed: int, table: Path) -> None:
    said = read_tables(predictions, FINETUNE_PREDICTIONS)
    rows = prediction_scores(said, FULL, seed)
    metadata = lineage({"seed": seed}, hashes_of(predictions))
    write_table(
        table, FINETUNE_SCORES, pa.Table.from_pylist(rows, schema=FINETUNE_SCORES), metadata
    )


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        finetune_scores(
            predictions=[Path(path) for path in snakemake.input.predictions],
            seed=snakemake.params.seed,
            table=Path(snakemake.output.scores),
        )
