"""Join the triggers of all blocks: what two blocks claimed counts once."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph import tables
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.spectra.triggers import merge_triggers


def triggers(blocks: Sequence[Path], window_s: int, joined: Path) -> None:
    claimed = tables.read_tables(blocks, tables.TRIGGERS)
    metadata = {
        **lineage({"window_s": window_s}, hashes_of(blocks)),
        **tables.shared_metadata(blocks, ["gwmorph.render_id"]),
    }
    tables.write_table(joined, tables.TRIGGERS, merge_triggers(claimed, window_s), metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        triggers(
            blocks=[Path(path) for path in snakemake.input.triggers],
            window_s=snakemake.params.window_s,
            joined=Path(snakemake.output.triggers),
        )
