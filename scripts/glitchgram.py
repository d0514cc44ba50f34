"""Draw the triggers of a run over time and frequency."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.glitchgram import draw_glitchgram
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.parquet import read_table, read_tables


def glitchgram(triggers: Path, ledgers: Sequence[Path], figure: Path) -> None:
    draw_glitchgram(read_table(triggers, TRIGGERS), read_tables(ledgers, LEDGER), figure)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        glitchgram(
            triggers=Path(snakemake.input.triggers),
            ledgers=[Path(path) for path in snakemake.input.ledgers],
            figure=Path(snakemake.output.figure),
        )
