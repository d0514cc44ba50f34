"""Draw event views of one class of signals, for networks to learn from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.evidence.labelled import Draws, classes_for, write_labelled_views
from gwmorph.joblog import JobLog


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
    write_labelled_views(
        views,
        {"name": name, "snrs": list(snrs)},
        classes_for("learning", [name], snrs, population, draws["detector"]),
        Draws(**draws),
        RenderParameters.from_sections(window_s, **rendering),
        events,
        population,
    )


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
