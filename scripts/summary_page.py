"""Write the summary of a run as a page."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.summary_page import summary_page
from gwmorph.storage import read_json, write_bytes


def write_page(summary: Path, view: str, view_map: Path, html: Path) -> None:
    write_bytes(html, summary_page(read_json(summary), view, view_map).encode())


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        write_page(
            summary=Path(snakemake.input.summary),
            view=snakemake.params.view,
            view_map=Path(snakemake.input.map),
            html=Path(snakemake.output.html),
        )
