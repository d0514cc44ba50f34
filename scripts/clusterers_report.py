"""Draw and tabulate how several ways to cut one view agree with the known classes."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.clusterers import draw_clusterers, write_clusterers_page
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import CLUSTERERS


def clusterers_report(clusterers: Path, figure: Path, html: Path) -> None:
    compared = read_table(clusterers, CLUSTERERS)
    draw_clusterers(compared, figure)
    write_clusterers_page(compared, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        clusterers_report(
            clusterers=Path(snakemake.input.clusterers),
            figure=Path(snakemake.output.figure),
            html=Path(snakemake.output.html),
        )
