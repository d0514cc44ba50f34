"""Draw and tabulate which clusters of one view stay."""

import json
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.stability import draw_stability, write_stability_page
from gwmorph.tables.parquet import read_metadata, read_table
from gwmorph.tables.validation import AGREEMENTS, PAIRS, SURVIVAL


def stability_report(
    agreements: Path, pairs: Path, survival: Path, share: float, figure: Path, html: Path
) -> None:
    agreed, survived = read_table(agreements, AGREEMENTS), read_table(survival, SURVIVAL)
    encoders = json.loads(read_metadata(agreements)["gwmorph.trainings"])
    draw_stability(agreed, read_table(pairs, PAIRS), survived, share, figure)
    write_stability_page(agreed, survived, share, encoders, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        stability_report(
            agreements=Path(snakemake.input.agreements),
            pairs=Path(snakemake.input.pairs),
            survival=Path(snakemake.input.survival),
            share=snakemake.params.survival,
            figure=Path(snakemake.output.figure),
            html=Path(snakemake.output.html),
        )
