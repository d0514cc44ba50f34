"""Join the triggers of all blocks of a run without scores: events are loud tiles alone."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.evidence.events import admit_tiles
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.parquet import read_tables, shared_metadata, write_table


def tile_triggers(blocks: Sequence[Path], window_s: int, events_snr: float, joined: Path) -> None:
    shared = shared_metadata(blocks, ["gwmorph.render_id"])
    found = admit_tiles(read_tables(blocks, TRIGGERS), events_snr, window_s)
    parameters = {"window_s": window_s, "events_snr": events_snr}
    metadata = {**lineage(parameters, hashes_of(blocks)), **shared}
    write_table(joined, TRIGGERS, found, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        tile_triggers(
            blocks=[Path(path) for path in snakemake.input.triggers],
            window_s=snakemake.params.window_s,
            events_snr=snakemake.params.events_snr,
            joined=Path(snakemake.output.triggers),
        )
