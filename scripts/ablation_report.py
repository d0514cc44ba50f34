"""Draw and tabulate how far clusters depend on choices of the pipeline."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.ablation import draw_ablation, write_ablation_page
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import AGREEMENTS


def ablation_report(agreements: Path, figure: Path, html: Path) -> None:
    agreed = read_table(agreements, AGREEMENTS)
    draw_ablation(agreed, figure)
    write_ablation_page(agreed, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        ablation_report(
            agreements=Path(snakemake.input.agreements),
            figure=Path(snakemake.output.figure),
            html=Path(snakemake.output.html),
        )
