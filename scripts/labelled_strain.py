"""Draw event views of real glitches from files of labelled strain."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.config import EventsConfig
from gwmorph.evidence.real_strain import real_strain_views
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.strain.labelled import read_labelled_strain
from gwmorph.tables.comparison import REAL_STRAIN
from gwmorph.tables.parquet import write_table


def labelled_strain(
    strain: Sequence[str],
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    events: Mapping[str, Any],
    views: Path,
) -> None:
    parameters = RenderParameters.from_sections(window_s, **rendering)
    table = real_strain_views(
        read_labelled_strain(strain), parameters, EventsConfig.model_validate(events)
    )
    metadata = {
        **lineage({"events": events}, hashes_of(strain)),
        "gwmorph.render_id": parameters.render_id,
    }
    write_table(views, REAL_STRAIN, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        labelled_strain(
            strain=list(snakemake.input.strain),
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            events=snakemake.params.events,
            views=Path(snakemake.output.views),
        )
