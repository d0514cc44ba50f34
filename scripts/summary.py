"""Sum a run up: livetimes, losses, triggers and clusters."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.ledger import livetimes
from gwmorph.report.summary import summarise
from gwmorph.storage import read_json, write_sealed_json
from gwmorph.tables.block import LEDGER, MEASUREMENTS, TRIGGERS
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.clusters import CLUSTER_SUMMARY
from gwmorph.tables.known_events import FLAGGED
from gwmorph.tables.parquet import read_table, read_tables
from gwmorph.tables.scores import ABOVE_LIMIT, SCORES


def summary(
    run: str,
    science_s: Mapping[str, int],
    events_snr: float,
    false_alarm_fraction: float | None,
    ledgers: Sequence[Path],
    measurements: Sequence[Path],
    triggers: Path,
    scores: Sequence[Path],
    above_limit: Sequence[Path],
    cluster_summaries: Mapping[str, Path],
    diagnostics: Mapping[str, Path],
    statuses: Mapping[str, Path],
    flagged: Sequence[Path],
    result: Path,
) -> None:
    ledger = read_tables(ledgers, LEDGER)
    content = summarise(
        run=run,
        livetimes=livetimes(ledger, science_s),
        ledger=ledger,
        measurements=read_tables(measurements, MEASUREMENTS),
        triggers=read_table(triggers, TRIGGERS),
        scores=read_tables(scores, SCORES),
        above_limit=read_tables(above_limit, ABOVE_LIMIT),
        events_snr=events_snr,
        false_alarm_fraction=false_alarm_fraction,
        cluster_summaries={
            view: read_table(path, CLUSTER_SUMMARY) for view, path in cluster_summaries.items()
        },
        clusterings={view: read_json(path) for view, path in diagnostics.items()},
        statuses={view: read_table(path, STATUSES) for view, path in statuses.items()},
        flagged=next((read_table(path, FLAGGED) for path in flagged), None),
    )
    write_sealed_json(result, content)


def by_view(paths: Sequence[str]) -> dict[str, Path]:
    return dict(zip(snakemake.params.views, (Path(path) for path in paths), strict=True))


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        summary(
            run=snakemake.wildcards.run,
            science_s=snakemake.params.science_s,
            events_snr=snakemake.params.events_snr,
            false_alarm_fraction=snakemake.params.false_alarm_fraction,
            ledgers=[Path(path) for path in snakemake.input.ledgers],
            measurements=[Path(path) for path in snakemake.input.measurements],
            triggers=Path(snakemake.input.triggers),
            scores=[Path(path) for path in snakemake.input.scores],
            above_limit=[Path(path) for path in snakemake.input.above_limit],
            cluster_summaries=by_view(snakemake.input.cluster_summaries),
            diagnostics=by_view(snakemake.input.diagnostics),
            statuses=by_view(snakemake.input.statuses),
            flagged=[Path(path) for path in snakemake.input.flagged],
            result=Path(snakemake.output.summary),
        )
