"""Keep what the source said of segments and files, and what was settled about the encoder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.joblog import JobLog
from gwmorph.storage import write_json


def plan(content: Mapping[str, Mapping[str, Any]], files: Sequence[Path]) -> None:
    for path in files:
        write_json(path, content[path.name])


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        plan(snakemake.params.content, [Path(path) for path in snakemake.output])
