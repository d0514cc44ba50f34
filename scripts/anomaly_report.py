"""Draw and tabulate which clusters are anomalous, and which kinds would be noticed as new."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.anomaly import draw_noticed, write_anomaly_page
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import ANOMALOUS_CLUSTERS, NOTICED


def anomaly_report(clusters: Path, noticed: Path, rate: float, figure: Path, html: Path) -> None:
    rows, found = read_table(noticed, NOTICED), read_table(clusters, ANOMALOUS_CLUSTERS)
    draw_noticed(rows, rate, figure)
    write_anomaly_page(found, rows, rate, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        anomaly_report(
            clusters=Path(snakemake.input.clusters),
            noticed=Path(snakemake.input.noticed),
            rate=snakemake.params.rate,
            figure=Path(snakemake.output.figure),
            html=Path(snakemake.output.html),
        )
