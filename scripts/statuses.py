"""Say what becomes of each window, or of each event, of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.encoders.base import View
from gwmorph.evidence.judging import judge_rows, quiet_of, status_of_events, status_of_windows
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.atlas import limits_in
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.calibration import STATUSES, THRESHOLDS
from gwmorph.tables.parquet import read_table, read_tables, shared_metadata, write_table
from gwmorph.tables.scores import SCORES
from gwmorph.tables.validation import REFERENCE


def statuses(
    shards: Sequence[Path],
    triggers: Path,
    ledgers: Sequence[Path],
    scores: Sequence[Path],
    reference: Path,
    thresholds: Path,
    view: View,
    settings: Mapping[str, Any],
    result: Path,
) -> None:
    ids = shared_metadata([*shards, reference], ["gwmorph.render_id", "gwmorph.encoder_id"])
    run = events_of_run(shards, [triggers] if view == "event" else [])
    judged = judge_rows(
        run,
        read_table(reference, REFERENCE),
        limits_in(read_table(thresholds, THRESHOLDS)),
        settings["promise"],
        settings["neighbors"],
    )
    if view == "event":
        found = status_of_events(run, judged, settings["agreeing"])
    else:
        planned = read_tables(ledgers, LEDGER)
        scored = next((read_table(path, SCORES) for path in scores), None)
        known = read_table(triggers, TRIGGERS)
        quiet = quiet_of(planned, known, scored, settings["events_snr"])
        found = status_of_windows(planned, quiet, run, judged, settings["agreeing"])
    hashes = hashes_of([*shards, triggers, *ledgers, *scores, reference, thresholds])
    write_table(result, STATUSES, found, {**ids, **lineage(dict(settings), hashes)})


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        statuses(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=Path(snakemake.input.triggers),
            ledgers=[Path(path) for path in snakemake.input.ledgers],
            scores=[Path(path) for path in snakemake.input.scores],
            reference=Path(snakemake.input.reference),
            thresholds=Path(snakemake.input.thresholds),
            view=snakemake.wildcards.view,
            settings={**snakemake.params.judging, "events_snr": snakemake.params.events_snr},
            result=Path(snakemake.output.statuses),
        )
