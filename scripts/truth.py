"""Join the truth tables that lie beside a run's simulated strain files."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph import tables
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.simulation.blocks import truth_path
from gwmorph.strain.receipts import verified_files


def truth(receipts: Sequence[Path], joined: Path) -> None:
    sources = [truth_path(file.path) for file in verified_files(receipts)]
    rows = tables.read_tables(sources, tables.TRUTH)
    tables.write_table(joined, tables.TRUTH, rows, lineage({}, hashes_of(sources)))


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        truth(
            receipts=[Path(path) for path in snakemake.input.receipts],
            joined=Path(snakemake.output.truth),
        )
