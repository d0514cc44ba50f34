"""Judge a run by its ledgers: fail it when too many windows were lost."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.ledger import judge
from gwmorph.storage import write_json
from gwmorph.tables.block import LEDGER
from gwmorph.tables.parquet import read_tables


def verdict(
    ledgers: Sequence[Path], detectors: Sequence[str], max_excluded_fraction: float, result: Path
) -> None:
    ledger = read_tables(ledgers, LEDGER)
    write_json(result, judge(ledger, detectors, max_excluded_fraction))


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        verdict(
            ledgers=[Path(path) for path in snakemake.input.ledgers],
            detectors=snakemake.params.detectors,
            max_excluded_fraction=snakemake.params.max_excluded_fraction,
            result=Path(snakemake.output.verdict),
        )
