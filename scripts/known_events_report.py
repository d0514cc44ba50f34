"""Draw and list what is known to be in a run's data, and what is most like a chirp."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.evidence.known_events import chances
from gwmorph.joblog import JobLog
from gwmorph.report.known_events import Found, draw_chirps, known_events_page
from gwmorph.run_pictures import Pictures
from gwmorph.storage import write_bytes
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.known_events import CHIRPS, KNOWN_EVENTS, TOLD
from gwmorph.tables.parquet import read_table, read_tables
from gwmorph.tables.validation import REFERENCE


def known_events_report(
    known: Path,
    told: Path,
    ledgers: Sequence[Path],
    triggers: Path,
    chirps: Sequence[Path],
    clusters: Sequence[Path],
    labelled: Sequence[Path],
    folders: Sequence[Path],
    window_s: int,
    near_s: float,
    listed: int,
    figure: Path,
    html: Path,
) -> None:
    claimed = read_table(triggers, TRIGGERS)
    found = Found(
        known=read_table(known, KNOWN_EVENTS),
        told=read_table(told, TOLD),
        chances=chances(claimed, read_tables(ledgers, LEDGER), near_s),
        triggers=claimed,
        chirps=read_tables(chirps, CHIRPS),
        clusters=read_tables(clusters, CLUSTERS),
        classes=read_tables(labelled, REFERENCE),
    )
    draw_chirps(found, figure)
    page = known_events_page(found, Pictures(folders, window_s).of, listed)
    write_bytes(html, page.encode())


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        known_events_report(
            known=Path(snakemake.input.known),
            told=Path(snakemake.input.told),
            ledgers=[Path(path) for path in snakemake.input.ledgers],
            triggers=Path(snakemake.input.triggers),
            chirps=[Path(path) for path in snakemake.input.chirps],
            clusters=[Path(path) for path in snakemake.input.clusters],
            labelled=[Path(path) for path in snakemake.input.labelled],
            folders=[Path(path) for path in snakemake.input.pictures],
            window_s=snakemake.params.window_s,
            near_s=snakemake.params.near_s,
            listed=snakemake.params.listed,
            figure=Path(snakemake.output.figure),
            html=Path(snakemake.output.html),
        )
