"""Fetch a block's strain files from GWOSC into the cache, and keep their receipts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.joblog import JobLog
from gwmorph.progress import each
from gwmorph.strain.base import StrainFile
from gwmorph.strain.gwosc import GwoscSource
from gwmorph.strain.receipts import write_receipts


def download(
    files: Sequence[Mapping[str, Any]], cache: Path, server: Mapping[str, Any], receipts: Path
) -> None:
    source = GwoscSource(
        host=server["host"],
        flag=server["flag"],
        sample_rate=server["sample_rate"],
        cache=cache,
        attempts=server["attempts"],
        timeout_s=server["timeout_s"],
        file_hosts=server["file_hosts"],
    )
    wanted = [StrainFile.from_json(file) for file in files]
    obtained = [source.obtain(file) for file in each(wanted, "files", len(wanted))]
    write_receipts(receipts, obtained, cache)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        download(
            files=snakemake.params.files,
            cache=Path(snakemake.params.cache),
            server=snakemake.params.server,
            receipts=Path(snakemake.output.receipts),
        )
