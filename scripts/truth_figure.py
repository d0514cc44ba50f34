"""Draw the clusters of a simulated run against what was injected."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.truth import draw_truth
from gwmorph.tables.block import LEDGER
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table, read_tables
from gwmorph.tables.truth import TRUTH


def truth_figure(clusters: Path, truth: Path, ledgers: Sequence[Path], figure: Path) -> None:
    draw_truth(
        read_table(clusters, CLUSTERS),
        read_table(truth, TRUTH),
        read_tables(ledgers, LEDGER),
        figure,
    )


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        truth_figure(
            clusters=Path(snakemake.input.clusters),
            truth=Path(snakemake.input.truth),
            ledgers=[Path(path) for path in snakemake.input.ledgers],
            figure=Path(snakemake.output.figure),
        )
