"""Record the configuration that made a run, every key resolved, once its results are there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.joblog import JobLog
from gwmorph.results import record_config, remove_strays


def resolved_config(
    configuration: Mapping[str, Any], kept: Sequence[Path], stale: Sequence[Path], path: Path
) -> None:
    remove_strays(kept)
    for other in stale:
        other.unlink(missing_ok=True)
    record_config(path, configuration)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        resolved_config(
            configuration=snakemake.params.configuration,
            kept=[Path(file) for file in snakemake.params.kept],
            stale=[Path(file) for file in snakemake.params.stale],
            path=Path(snakemake.output.config),
        )
