"""Write the table and draw the figures of classifiers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gwmorph.inputs import files_of
from gwmorph.joblog import JobLog
from gwmorph.learning.labelled_pictures import read_labelled_pictures
from gwmorph.report.recall import write_table_page
from gwmorph.report.supervised import (
    best_trainings,
    draw_confusions,
    draw_mistakes,
    supervised_text,
)
from gwmorph.report.training import draw_curves, panels_by_measure
from gwmorph.storage import read_json
from gwmorph.tables.learning import PREDICTIONS, SUPERVISED
from gwmorph.tables.parquet import read_table
from gwmorph.tables.training import CURVES


def supervised_report(
    accuracy: Path,
    curves: Path,
    predictions: Mapping[str, Path],
    costs: Mapping[str, Path],
    pictures: Mapping[str, Path],
    mistakes: int,
    outputs: Mapping[str, Path],
) -> None:
    scored = read_table(accuracy, SUPERVISED)
    times = {name: read_json(path)["ms_per_picture"] for name, path in costs.items()}
    write_table_page("Classifiers compared", supervised_text(scored, times), outputs["html"])
    draw_curves(panels_by_measure(read_table(curves, CURVES)), outputs["curves"])
    best = best_trainings(scored)
    named = {row["trained"]: read_table(predictions[row["trained"]], PREDICTIONS) for row in best}
    draw_confusions(best, named, outputs["confusion"])
    first = best[0]
    draw_mistakes(
        read_labelled_pictures(pictures[first["window"]]),
        named[first["trained"]],
        mistakes,
        outputs["mistakes"],
    )


if __name__ == "__main__":

    def named(key: str, names: Sequence[str]) -> dict[str, Path]:
        return dict(zip(names, files_of(snakemake.input, key), strict=True))

    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        trainings = snakemake.params.trainings
        supervised_report(
            accuracy=Path(snakemake.input.accuracy),
            curves=Path(snakemake.input.curves),
            predictions=named("predictions", trainings),
            costs=named("costs", trainings),
            pictures=named("pictures", snakemake.params.windows),
            mistakes=snakemake.params.mistakes,
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
