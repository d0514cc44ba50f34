"""Draw the 2-d map of a run's windows or events."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.map import draw_map
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table


def draw(clusters: Path, view: str, figure: Path) -> None:
    draw_map(read_table(clusters, CLUSTERS), view, figure)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        draw(
            Path(snakemake.input.clusters),
            snakemake.wildcards.view,
            Path(snakemake.output.figure),
        )
