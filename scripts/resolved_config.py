"""Write the configuration that made a run, every key resolved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gwmorph.joblog import JobLog
from gwmorph.storage import write_bytes


def resolved_config(configuration: Mapping[str, Any], path: Path) -> None:
    write_bytes(path, yaml.safe_dump(dict(configuration), sort_keys=False).encode())


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        resolved_config(snakemake.params.configuration, Path(snakemake.output.config))
