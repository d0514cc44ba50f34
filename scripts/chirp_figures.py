"""Draw the report of a search for chirps."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.chirp_search import (
    draw_chirp_roc,
    draw_efficiency,
    write_chirp_page,
)
from gwmorph.report.training import draw_curves, panels_by_measure
from gwmorph.storage import read_json
from gwmorph.tables.chirp_search import (
    CHIRP_CONFUSION,
    CHIRP_EFFICIENCY,
    CHIRP_FIGURES,
    CHIRP_ROC,
)
from gwmorph.tables.parquet import read_table, read_tables
from gwmorph.tables.training import CURVES


def chirp_figures(
    efficiency: Path,
    roc: Path,
    confusion: Path,
    figures: Path,
    curves: Sequence[Path],
    match: Path,
    efficiency_figure: Path,
    roc_figure: Path,
    curves_figure: Path,
    page: Path,
) -> None:
    draw_efficiency(read_table(efficiency, CHIRP_EFFICIENCY), efficiency_figure)
    draw_chirp_roc(read_table(roc, CHIRP_ROC), roc_figure)
    draw_curves(panels_by_measure(read_tables(curves, CURVES)), curves_figure)
    numbers, counts = read_table(figures, CHIRP_FIGURES), read_table(confusion, CHIRP_CONFUSION)
    write_chirp_page(numbers, counts, read_json(match), page)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        chirp_figures(
            efficiency=Path(snakemake.input.efficiency),
            roc=Path(snakemake.input.roc),
            confusion=Path(snakemake.input.confusion),
            figures=Path(snakemake.input.figures),
            curves=[Path(path) for path in snakemake.input.curves],
            match=Path(snakemake.input.match),
            efficiency_figure=Path(snakemake.output.efficiency),
            roc_figure=Path(snakemake.output.roc),
            curves_figure=Path(snakemake.output.curves),
            page=Path(snakemake.output.page),
        )
