"""Say whether rows are still as like an atlas's labelled rows as those are to each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.encoders.base import View
from gwmorph.evidence.drift import drift_of_run
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.tables.calibration import DRIFT
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import REFERENCE


def drift(
    shards: Sequence[Path],
    triggers: Path,
    reference: Path,
    view: View,
    settings: Mapping[str, Any],
    result: Path,
) -> None:
    ids = shared_metadata([*shards, reference], ["gwmorph.render_id", "gwmorph.encoder_id"])
    run = events_of_run(shards, [triggers] if view == "event" else [])
    row = drift_of_run(
        read_table(reference, REFERENCE),
        run,
        settings["block_s"],
        settings["drift"],
        settings["seed"],
    )
    hashes = hashes_of([*shards, triggers, reference])
    write_table(result, DRIFT, [row], {**ids, **lineage(dict(settings), hashes)})


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        drift(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=Path(snakemake.input.triggers),
            reference=Path(snakemake.input.reference),
            view=snakemake.wildcards.view,
            settings=snakemake.params.settings,
            result=Path(snakemake.output.drift),
        )
