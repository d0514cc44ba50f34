"""Write the table of clusters for spreadsheets and for the report."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.cluster_table import write_cluster_csv, write_cluster_html
from gwmorph.report.names import read_names
from gwmorph.storage import read_json
from gwmorph.tables.clusters import CLUSTER_SUMMARY
from gwmorph.tables.parquet import read_table


def cluster_table(
    cluster_summary: Path, diagnostics: Path, named: Sequence[Path], csv: Path, html: Path
) -> None:
    summary = read_table(cluster_summary, CLUSTER_SUMMARY)
    names = read_names(named, summary)
    write_cluster_csv(summary, csv, names)
    write_cluster_html(summary, read_json(diagnostics), html, names)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        cluster_table(
            cluster_summary=Path(snakemake.input.cluster_summary),
            diagnostics=Path(snakemake.input.diagnostics),
            named=[Path(path) for path in snakemake.input.named],
            csv=Path(snakemake.output.csv),
            html=Path(snakemake.output.html),
        )
