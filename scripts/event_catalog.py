"""Read the events that were published, from a file or from GWOSC."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.evidence.catalog import catalog_of, read_catalog
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.strain.gwosc import GwoscSource
from gwmorph.tables.known_events import CATALOG
from gwmorph.tables.parquet import write_table


def event_catalog(
    files: Sequence[Path],
    releases: Sequence[str],
    cache: Path,
    server: Mapping[str, Any],
    catalog: Path,
) -> None:
    if files:
        found = read_catalog(files[0], releases)
    else:
        source = GwoscSource(
            host=server["host"],
            flag=server["flag"],
            sample_rate=server["sample_rate"],
            cache=cache,
            attempts=server["attempts"],
            timeout_s=server["timeout_s"],
        )
        found = catalog_of(source.event_versions(), releases, server["host"])
    write_table(catalog, CATALOG, found, lineage({"releases": list(releases)}, hashes_of(files)))


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        event_catalog(
            files=[Path(path) for path in snakemake.input.files],
            releases=snakemake.params.releases,
            cache=Path(snakemake.params.cache),
            server=snakemake.params.server,
            catalog=Path(snakemake.output.catalog),
        )
