"""Draw and list what every way to specialise every encoder is worth."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.finetune import (
    draw_confusion,
    draw_maps,
    draw_scores,
    write_scores_page,
)
from gwmorph.report.training import draw_curves, panels_by_training
from gwmorph.tables.finetune import FINETUNE_MAPS, FINETUNE_PREDICTIONS, FINETUNE_SCORES
from gwmorph.tables.parquet import read_table, read_tables
from gwmorph.tables.training import CURVES


def finetune_report(
    scores: Path,
    predictions: Sequence[Path],
    curves: Mapping[str, Path],
    maps: Path,
    outputs: Mapping[str, Path],
) -> None:
    scored = read_table(scores, FINETUNE_SCORES)
    write_scores_page(scored, outputs["html"])
    draw_scores(scored, outputs["figure"])
    draw_confusion(read_tables(predictions, FINETUNE_PREDICTIONS), outputs["confusion"])
    draw_maps(read_table(maps, FINETUNE_MAPS), outputs["maps"])
    found = {name: read_table(path, CURVES) for name, path in curves.items()}
    draw_curves(panels_by_training(found, "cross entropy"), outputs["curves"])


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        names, paths = snakemake.params.backbones, snakemake.input.curves
        finetune_report(
            scores=Path(snakemake.input.scores),
            predictions=[Path(path) for path in snakemake.input.predictions],
            curves={name: Path(path) for name, path in zip(names, paths, strict=True)},
            maps=Path(snakemake.input.maps),
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
