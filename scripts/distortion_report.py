"""Draw and tabulate what UMAP did to distances, and how separate clusters are without it."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.distortion import draw_distortion, write_distortion_page
from gwmorph.tables.clusters import CLUSTER_SUMMARY
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import DISTORTION, SEPARATION


def distortion_report(
    distortion: Path, separation: Path, cluster_summary: Path, figure: Path, html: Path
) -> None:
    left, apart = read_table(distortion, DISTORTION), read_table(separation, SEPARATION)
    summary = read_table(cluster_summary, CLUSTER_SUMMARY)
    draw_distortion(left, apart, summary, figure)
    write_distortion_page(left, apart, summary, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        distortion_report(
            distortion=Path(snakemake.input.distortion),
            separation=Path(snakemake.input.separation),
            cluster_summary=Path(snakemake.input.cluster_summary),
            figure=Path(snakemake.output.figure),
            html=Path(snakemake.output.html),
        )
