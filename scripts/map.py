"""Draw the 2-d map of a run."""

from pathlib import Path

from gwmorph import tables
from gwmorph.joblog import JobLog
from gwmorph.report.figures import draw_map


def draw(clusters: Path, figure: Path) -> None:
    draw_map(tables.read_table(clusters, tables.CLUSTERS), figure)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        draw(Path(snakemake.input.clusters), Path(snakemake.output.figure))
