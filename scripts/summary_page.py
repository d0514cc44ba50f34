"""Write the summary of a run as a page."""

import json
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.summary_page import summary_page
from gwmorph.storage import write_bytes


def write_page(summary: Path, view: str, view_map: Path, html: Path) -> None:
    content = json.loads(summary.read_text(encoding="utf-8"))
    write_bytes(html, summary_page(content, view, view_map).encode())


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        write_page(
            summary=Path(snakemake.input.summary),
            view=snakemake.params.view,
            view_map=Path(snakemake.input.map),
            html=Path(snakemake.output.html),
        )
