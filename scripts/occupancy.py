"""Draw the share of each cluster over time."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.occupancy import draw_occupancy
from gwmorph.tables.block import LEDGER
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table, read_tables


def occupancy(
    clusters: Path, view: str, ledgers: Sequence[Path], bin_s: int, figure: Path
) -> None:
    draw_occupancy(
        read_table(clusters, CLUSTERS),
        view,
        read_tables(ledgers, LEDGER),
        bin_s,
        figure,
    )


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        occupancy(
            clusters=Path(snakemake.input.clusters),
            view=snakemake.wildcards.view,
            ledgers=[Path(path) for path in snakemake.input.ledgers],
            bin_s=snakemake.params.bin_s,
            figure=Path(snakemake.output.figure),
        )
