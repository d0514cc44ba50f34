"""Say what became of everything known, and which windows and events show it."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.evidence.known_events import find_known, flag
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.known_events import FLAGGED, KNOWN_EVENTS, KNOWN_SPANS
from gwmorph.tables.parquet import read_table, read_tables, write_table


def known_events(
    spans: Path,
    ledgers: Sequence[Path],
    triggers: Path,
    run_span: tuple[int, int],
    detectors: Sequence[str],
    near_s: float,
    known: Path,
    flagged: Path,
) -> None:
    ledger = read_tables(ledgers, LEDGER)
    found = find_known(
        read_table(spans, KNOWN_SPANS),
        ledger,
        read_table(triggers, TRIGGERS),
        run_span,
        detectors,
        near_s,
    )
    metadata = lineage({"near_s": near_s}, hashes_of([spans, *ledgers, triggers]))
    write_table(known, KNOWN_EVENTS, found, metadata)
    write_table(flagged, FLAGGED, flag(found, ledger), metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        known_events(
            spans=Path(snakemake.input.spans),
            ledgers=[Path(path) for path in snakemake.input.ledgers],
            triggers=Path(snakemake.input.triggers),
            run_span=tuple(snakemake.params.span),
            detectors=snakemake.params.detectors,
            near_s=snakemake.params.near_s,
            known=Path(snakemake.output.known),
            flagged=Path(snakemake.output.flagged),
        )
