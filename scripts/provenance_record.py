"""Record how a run was made: its crate, the lists of its files, and its words for a paper."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gwmorph
from gwmorph.joblog import JobLog
from gwmorph.provenance.gathering import gather, whole_folders
from gwmorph.provenance.record import copy_code, write_record


def provenance_record(
    folder: Path,
    configuration: Mapping[str, Any],
    results: Mapping[str, Sequence[str]],
    folders: Sequence[str],
    records: Mapping[str, Sequence[str]],
    checkout: Path,
    strain_root: Path,
    weights: Sequence[Path],
    shipped_weights: Path,
    code: Path,
) -> None:
    facts, hashed = gather(
        folder,
        configuration,
        whole_folders(folder, results, folders),
        records,
        checkout,
        strain_root,
        weights,
        shipped_weights,
    )
    copy_code(checkout, Path(gwmorph.__file__).parent, code)
    write_record(folder, facts, hashed)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        provenance_record(
            folder=Path(snakemake.params.folder),
            configuration=snakemake.params.configuration,
            results=snakemake.params.results,
            folders=snakemake.params.folders,
            records=snakemake.params.records,
            checkout=Path(snakemake.params.checkout),
            strain_root=Path(snakemake.params.strain_root),
            weights=[Path(path) for path in snakemake.params.weights],
            shipped_weights=Path(snakemake.params.shipped_weights),
            code=Path(snakemake.output.code),
        )
