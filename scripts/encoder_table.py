"""Write the table and draw the figure of what each encoder is worth."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.comparison import comparison_text, draw_comparison, recall_by_snr
from gwmorph.report.recall import write_table_page
from gwmorph.storage import read_json
from gwmorph.tables.comparison import ENCODER_QUALITY
from gwmorph.tables.injections import RECALL
from gwmorph.tables.parquet import read_table, read_tables


def encoder_table(
    quality: Sequence[Path],
    recall: Path,
    costs: Mapping[str, Path],
    weights_mb: Mapping[str, float],
    html: Path,
    figure: Path,
) -> None:
    measured = read_tables(quality, ENCODER_QUALITY)
    found = recall_by_snr(read_table(recall, RECALL))
    times = {name: read_json(path)["ms_per_picture"] for name, path in costs.items()}
    text = comparison_text(measured, found, times, weights_mb)
    write_table_page("Encoders compared", text, html)
    draw_comparison(measured, found, figure)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        names = snakemake.params.encoders
        encoder_table(
            quality=[Path(path) for path in snakemake.input.quality],
            recall=Path(snakemake.input.recall),
            costs={
                name: Path(path) for name, path in zip(names, snakemake.input.costs, strict=True)
            },
            weights_mb=snakemake.params.weights_mb,
            html=Path(snakemake.output.html),
            figure=Path(snakemake.output.figure),
        )
