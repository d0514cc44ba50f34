"""Lay the vectors of the test part out on flat maps, before and after full fine-tuning."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from gwmorph.config import ClusteringConfig
from gwmorph.joblog import JobLog
from gwmorph.learning.feature_maps import map_rows
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.finetune import FINETUNE_FEATURES, FINETUNE_MAPS
from gwmorph.tables.parquet import read_table, write_table


def feature_maps(
    features: Mapping[str, Path],
    maps: Sequence[str],
    clustering: ClusteringConfig,
    seed: int,
    table: Path,
) -> None:
    rows = []
    for backbone, path in features.items():
        vectors = read_table(path, FINETUNE_FEATURES)
        for when in ("before", "after"):
            chosen = vectors.filter(pa.array(np.array(vectors["when"].to_pylist()) == when))
            found = map_rows(
                when,
                embedding_matrix(chosen),
                chosen["row"].to_numpy(),
                chosen["label"].to_pylist(),
                maps,
                clustering,
                seed,
            )
            rows += [{"backbone": backbone, **row} for row in found]
    about = {"maps": list(maps), "clustering": clustering.model_dump(), "seed": seed}
    metadata = lineage(about, hashes_of(features.values()))
    write_table(table, FINETUNE_MAPS, pa.Table.from_pylist(rows, schema=FINETUNE_MAPS), metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        names, paths = snakemake.params.backbones, snakemake.input.features
        feature_maps(
            features={name: Path(path) for name, path in zip(names, paths, strict=True)},
            maps=snakemake.params.maps,
            clustering=ClusteringConfig.model_validate(snakemake.params.clustering),
            seed=snakemake.params.seed,
            table=Path(snakemake.output.maps),
        )
