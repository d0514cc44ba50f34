"""Compare clusters and neighbours of found injections with what was injected."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import ClusteringConfig
from gwmorph.evidence.agreement import agreement_rows, found_windows
from gwmorph.evidence.injections import read_windows
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.report.recall import draw_agreement
from gwmorph.tables.injections import AGREEMENT, RECALL
from gwmorph.tables.parquet import read_table, write_table


def agreement(
    windows: Sequence[Path],
    scores: Path,
    recall: Path,
    clustering: Mapping[str, Any],
    seed: int,
    table: Path,
    figure: Path,
) -> None:
    metadata = lineage(
        {"clustering": dict(clustering), "seed": seed}, hashes_of([*windows, scores, recall])
    )
    found = found_windows(
        read_windows(windows), read_windows([scores]), read_table(recall, RECALL)
    )
    rows = agreement_rows(found, ClusteringConfig.model_validate(clustering), seed)
    write_table(table, AGREEMENT, rows, metadata)
    draw_agreement(read_table(table, AGREEMENT), figure)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        agreement(
            windows=[Path(path) for path in snakemake.input.windows],
            scores=Path(snakemake.input.scores),
            recall=Path(snakemake.input.recall),
            clustering=snakemake.params.clustering,
            seed=snakemake.params.seed,
            table=Path(snakemake.output.table),
            figure=Path(snakemake.output.figure),
        )
