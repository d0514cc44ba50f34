"""Join the triggers of all blocks, and make events of the candidates that the score bears out."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.evidence.events import admit
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.parquet import read_table, read_tables, shared_metadata, write_table
from gwmorph.tables.scores import ABOVE_LIMIT, SCORES


def triggers(
    blocks: Sequence[Path],
    scores: Path,
    window_s: int,
    events_snr: float,
    parts: Sequence[str],
    joined: Path,
    above_limit: Path,
) -> None:
    shared = shared_metadata([*blocks, scores], ["gwmorph.render_id"])
    found, above = admit(
        read_tables(blocks, TRIGGERS),
        read_table(scores, SCORES),
        events_snr,
        parts,
        window_s,
    )
    parameters = {"window_s": window_s, "events_snr": events_snr, "parts": list(parts)}
    metadata = {**lineage(parameters, hashes_of([*blocks, scores])), **shared}
    write_table(joined, TRIGGERS, found, metadata)
    write_table(above_limit, ABOVE_LIMIT, above, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        triggers(
            blocks=[Path(path) for path in snakemake.input.triggers],
            scores=Path(snakemake.input.scores),
            window_s=snakemake.params.window_s,
            events_snr=snakemake.params.events_snr,
            parts=snakemake.params.parts,
            joined=Path(snakemake.output.triggers),
            above_limit=Path(snakemake.output.above_limit),
        )
