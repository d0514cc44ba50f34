"""Check a block's strain files where they lie, and keep their receipts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.joblog import JobLog
from gwmorph.strain.base import StrainFile
from gwmorph.strain.directory import DirectorySource
from gwmorph.strain.receipts import write_receipts


def collect(
    files: Sequence[Mapping[str, Any]], reading: Mapping[str, Any], receipts: Path
) -> None:
    offered = [StrainFile.from_json(file) for file in files]
    source = DirectorySource({file.detector: [] for file in offered}, **reading)
    write_receipts(receipts, [source.obtain(file) for file in offered])


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        collect(
            files=snakemake.params.files,
            reading=snakemake.params.reading,
            receipts=Path(snakemake.output.receipts),
        )
