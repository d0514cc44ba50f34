"""Join the truth tables that lie beside a run's simulated strain files."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.simulation.blocks import truth_path
from gwmorph.strain.receipts import verified_files
from gwmorph.tables.parquet import read_tables, write_table
from gwmorph.tables.truth import TRUTH


def truth(receipts: Sequence[Path], root: Path, joined: Path) -> None:
    sources = [truth_path(file.path) for file in verified_files(receipts, root)]
    rows = read_tables(sources, TRUTH)
    write_table(joined, TRUTH, rows, lineage({}, hashes_of(sources)))


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        truth(
            receipts=[Path(path) for path in snakemake.input.receipts],
            root=Path(snakemake.params.root),
            joined=Path(snakemake.output.truth),
        )
