"""List the loudest and the least probable events, with their pictures."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.events import choose_events, events_page
from gwmorph.run_pictures import Pictures
from gwmorph.storage import write_bytes
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.known_events import FLAGGED
from gwmorph.tables.parquet import read_table


def event_table(
    triggers: Path,
    clusters: Path,
    statuses: Path,
    flagged: Sequence[Path],
    pictures: Sequence[Path],
    window_s: int,
    events_snr: float,
    count: int,
    html: Path,
) -> None:
    chosen = choose_events(
        read_table(triggers, TRIGGERS),
        read_table(clusters, CLUSTERS),
        read_table(statuses, STATUSES),
        events_snr,
        count,
        next((read_table(path, FLAGGED) for path in flagged), None),
    )
    write_bytes(html, events_page(chosen, Pictures(pictures, window_s).of).encode())


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        event_table(
            triggers=Path(snakemake.input.triggers),
            clusters=Path(snakemake.input.clusters),
            statuses=Path(snakemake.input.statuses),
            flagged=[Path(path) for path in snakemake.input.flagged],
            pictures=[Path(path) for path in snakemake.input.pictures],
            window_s=snakemake.params.window_s,
            events_snr=snakemake.params.events_snr,
            count=snakemake.params.listed,
            html=Path(snakemake.output.html),
        )
