"""Draw the 2-d map of a run's windows or events."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.map import draw_map
from gwmorph.report.names import read_names
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table


def draw(clusters: Path, named: Sequence[Path], view: str, figure: Path) -> None:
    rows = read_table(clusters, CLUSTERS)
    names = read_names(named, rows)
    draw_map(rows, view, figure, names)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        draw(
            Path(snakemake.input.clusters),
            [Path(path) for path in snakemake.input.named],
            snakemake.wildcards.view,
            Path(snakemake.output.figure),
        )
