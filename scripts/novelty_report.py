"""Draw and tabulate the limits of one view, how far they hold, and what they would notice."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.limits import draw_limits, draw_novelty, write_limits_page
from gwmorph.tables.calibration import ACHIEVED_RATES, DRIFT, NOVELTY, NOVELTY_ROC, THRESHOLDS
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import REFERENCE


def novelty_report(
    reference: Path,
    thresholds: Path,
    achieved: Path,
    novelty: Path,
    curves: Path,
    drift: Sequence[Path],
    rate: float,
    promise: str,
    limits_figure: Path,
    novelty_figure: Path,
    html: Path,
) -> None:
    limits, rates = read_table(thresholds, THRESHOLDS), read_table(achieved, ACHIEVED_RATES)
    noticed = read_table(novelty, NOVELTY)
    draw_limits(read_table(reference, REFERENCE), limits, rates, rate, limits_figure)
    draw_novelty(noticed, read_table(curves, NOVELTY_ROC), promise, novelty_figure)
    write_limits_page(limits, rates, noticed, [read_table(path, DRIFT) for path in drift], html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        novelty_report(
            **{
                name: Path(getattr(snakemake.input, name))
                for name in ("reference", "thresholds", "achieved", "novelty", "curves")
            },
            drift=[Path(path) for path in snakemake.input.drift],
            rate=snakemake.params.rate,
            promise=snakemake.params.promise,
            limits_figure=Path(snakemake.output.limits),
            novelty_figure=Path(snakemake.output.novelty),
            html=Path(snakemake.output.html),
        )
