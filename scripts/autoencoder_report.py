"""Draw learning curves and reconstructions of an autoencoder, and write what it is worth."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.autoencoder import draw_reconstructions, scores_text
from gwmorph.report.recall import write_table_page
from gwmorph.report.training import draw_curves, panels_by_measure
from gwmorph.tables.autoencoder import AUTOENCODER_SCORES, RECONSTRUCTIONS
from gwmorph.tables.parquet import read_table, read_tables
from gwmorph.tables.training import CURVES


def autoencoder_report(
    curves: Sequence[Path],
    scores: Path,
    reconstructions: Path,
    colormap: str,
    learning: Path,
    gallery: Path,
    html: Path,
) -> None:
    draw_curves(panels_by_measure(read_tables(curves, CURVES)), learning)
    draw_reconstructions(read_table(reconstructions, RECONSTRUCTIONS), colormap, gallery)
    text = scores_text(read_table(scores, AUTOENCODER_SCORES))
    write_table_page("Autoencoder", text, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        autoencoder_report(
            curves=[Path(path) for path in snakemake.input.curves],
            scores=Path(snakemake.input.scores),
            reconstructions=Path(snakemake.input.reconstructions),
            colormap=snakemake.params.colormap,
            learning=Path(snakemake.output.learning),
            gallery=Path(snakemake.output.gallery),
            html=Path(snakemake.output.html),
        )
