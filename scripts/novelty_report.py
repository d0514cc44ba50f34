"""Draw and tabulate the limits of one view, how far they hold, and what they would notice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
    judging: Mapping[str, Any],
    limits_figure: Path,
    novelty_figure: Path,
    html: Path,
) -> None:
    limits, rates = read_table(thresholds, THRESHOLDS), read_table(achieved, ACHIEVED_RATES)
    noticed = read_table(novelty, NOVELTY)
    draw_limits(read_table(reference, REFERENCE), limits, rates, judging, limits_figure)
    draw_novelty(noticed, read_table(curves, NOVELTY_ROC), judging["promise"], novelty_figure)
    drifts = [read_table(path, DRIFT) for path in drift]
    write_limits_page(limits, rates, noticed, drifts, judging, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        novelty_report(
            **{
                name: Path(getattr(snakemake.input, name))
                for name in ("reference", "thresholds", "achieved", "novelty", "curves")
            },
            drift=[Path(path) for path in snakemake.input.drift],
            judging=snakemake.params.judging,
            limits_figure=Path(snakemake.output.limits),
            novelty_figure=Path(snakemake.output.novelty),
            html=Path(snakemake.output.html),
        )
