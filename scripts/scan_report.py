"""Draw and list what a scan made of its blocks."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.scan import draw_scan, scan_page
from gwmorph.scanner.summary import BlockSummary
from gwmorph.storage import read_json, write_bytes


def scan_report(summary: Path, figure: Path, html: Path) -> None:
    blocks = [BlockSummary.from_json(block) for block in read_json(summary)["blocks"]]
    draw_scan(blocks, figure)
    write_bytes(html, scan_page(blocks).encode())


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        scan_report(
            summary=Path(snakemake.input.summary),
            figure=Path(snakemake.output.figure),
            html=Path(snakemake.output.html),
        )
