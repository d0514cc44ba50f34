"""Draw the losses of a training."""

from math import log
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.training import draw_losses
from gwmorph.tables.parquet import read_table
from gwmorph.tables.training import LOSSES


def losses(table: Path, event_pairs: int, window_pairs: int, figure: Path) -> None:
    chance = {
        "event": log(2 * event_pairs - 1),
        "crop": log(2 * event_pairs - 1),
        "window": log(2 * window_pairs - 1),
    }
    draw_losses(read_table(table, LOSSES), chance, figure)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        losses(
            table=Path(snakemake.input.losses),
            event_pairs=snakemake.params.event_pairs,
            window_pairs=snakemake.params.window_pairs,
            figure=Path(snakemake.output.figure),
        )
