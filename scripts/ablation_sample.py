"""Draw the rows of one view whose pictures are changed."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.evidence.ablation import sample_rows
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.embeddings import of_width
from gwmorph.tables.keys import row_keys
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import ABLATION_SAMPLE


def ablation_sample(
    shards: Sequence[Path],
    triggers: Sequence[Path],
    blocks: Collection[tuple[str, int]],
    validation: Mapping[str, Any],
    sample: Path,
) -> None:
    found_by = {
        key: name
        for table in (read_table(path, TRIGGERS) for path in triggers)
        for key, name in zip(
            row_keys(table, "peak_time"), table["found_by"].to_pylist(), strict=True
        )
    }
    embeddings = events_of_run(shards, triggers)
    rows = sample_rows(
        embeddings, found_by, blocks, validation["ablation"]["rows"], validation["seed"]
    )
    metadata = {
        **shared_metadata(shards, ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage(dict(validation), hashes_of([*shards, *triggers])),
    }
    width = embeddings["embedding"].type.list_size
    write_table(sample, of_width(ABLATION_SAMPLE, width), rows, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        ablation_sample(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=[Path(path) for path in snakemake.input.triggers],
            blocks={(detector, start) for detector, start in snakemake.params.blocks},
            validation=snakemake.params.validation,
            sample=Path(snakemake.output.sample),
        )
