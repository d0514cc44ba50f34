"""Write the table of clusters for spreadsheets and for the report."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.cluster_table import write_cluster_csv, write_cluster_html
from gwmorph.report.flags import known_members
from gwmorph.report.names import read_names
from gwmorph.report.statuses import novel_members
from gwmorph.storage import read_json
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.clusters import CLUSTER_SUMMARY, CLUSTERS
from gwmorph.tables.known_events import FLAGGED
from gwmorph.tables.parquet import read_table


def cluster_table(
    cluster_summary: Path,
    diagnostics: Path,
    named: Sequence[Path],
    clusters: Path,
    statuses: Path,
    flagged: Sequence[Path],
    csv: Path,
    html: Path,
) -> None:
    summary = read_table(cluster_summary, CLUSTER_SUMMARY)
    names = read_names(named, summary)
    rows = read_table(clusters, CLUSTERS)
    novel = novel_members(rows, read_table(statuses, STATUSES))
    known = next((known_members(rows, read_table(path, FLAGGED)) for path in flagged), None)
    write_cluster_csv(summary, csv, names, novel, known)
    write_cluster_html(summary, read_json(diagnostics), html, names, novel, known)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        cluster_table(
            cluster_summary=Path(snakemake.input.cluster_summary),
            diagnostics=Path(snakemake.input.diagnostics),
            named=[Path(path) for path in snakemake.input.named],
            clusters=Path(snakemake.input.clusters),
            statuses=Path(snakemake.input.statuses),
            flagged=[Path(path) for path in snakemake.input.flagged],
            csv=Path(snakemake.output.csv),
            html=Path(snakemake.output.html),
        )
