"""Make a block's strain file in the cache, and keep its receipt."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.joblog import JobLog
from gwmorph.strain.base import StrainFile
from gwmorph.strain.receipts import write_receipts
from gwmorph.strain.simulated import SimulatedSource


def simulate(
    files: Sequence[Mapping[str, Any]],
    cache: Path,
    simulated: Mapping[str, Any],
    receipts: Path,
) -> None:
    population = Path(simulated["population"])
    source = SimulatedSource(**{**simulated, "population": population}, cache=cache)
    obtained = [source.obtain(StrainFile.from_json(file)) for file in files]
    write_receipts(receipts, obtained, cache)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        simulate(
            files=snakemake.params.files,
            cache=Path(snakemake.params.cache),
            simulated=snakemake.params.simulated,
            receipts=Path(snakemake.output.receipts),
        )
