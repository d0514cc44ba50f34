"""Draw event views of one class of signals, for networks to learn from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.config import EventsConfig
from gwmorph.evidence.labelled import Draws, classes_for, labelled_views
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.comparison import LABELLED
from gwmorph.tables.parquet import write_table


def learning_views(
    name: str,
    snrs: tuple[float, float],
    draws: Mapping[str, Any],
    population: str,
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    events: Mapping[str, Any],
    views: Path,
) -> None:
    classes = classes_for("learning", [name], snrs, population, draws["detector"])
    parameters = RenderParameters.from_sections(window_s, **rendering)
    table = labelled_views(
        classes, Draws(**draws), parameters, EventsConfig.model_validate(events)
    )
    about = {"name": name, "snrs": list(snrs), "draws": dict(draws), "events": events}
    metadata = {
        **lineage(about, hashes_of([population])),
        "gwmorph.render_id": parameters.render_id,
    }
    write_table(views, LABELLED, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        learning_views(
            name=snakemake.wildcards.morphology,
            snrs=tuple(snakemake.params.snrs),
            draws=snakemake.params.draws,
            population=snakemake.input.population,
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            events=snakemake.params.events,
            views=Path(snakemake.output.views),
        )
