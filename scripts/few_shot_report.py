"""List and draw how well real glitches are told by a few examples."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.finetune import draw_few_shot, write_few_shot_page
from gwmorph.tables.comparison import ENCODER_QUALITY
from gwmorph.tables.parquet import read_table


def few_shot_report(quality: Path, html: Path, figure: Path) -> None:
    measured = read_table(quality, ENCODER_QUALITY)
    write_few_shot_page(measured, html)
    draw_few_shot(measured, figure)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        few_shot_report(
            quality=Path(snakemake.input.quality),
            html=Path(snakemake.output.html),
            figure=Path(snakemake.output.figure),
        )
