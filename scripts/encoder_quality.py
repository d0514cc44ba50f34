"""Measure how well each encoder's vectors tell labelled pictures apart."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.config import ClusteringConfig, PictureConfig
from gwmorph.evidence.comparison import REAL, labelled_quality, real_quality, vectors_of
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.spectra.gravityspy import find_glitch_pictures
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.comparison import COMPARED, ENCODER_QUALITY, LABELLED
from gwmorph.tables.parquet import read_table, write_table


def encoder_quality(
    labelled: Mapping[str, Path],
    vectors: Mapping[str, Path],
    glitch_pictures: str | None,
    picture: PictureConfig,
    clustering: ClusteringConfig,
    cluster_seed: int,
    seed: int,
    quality: Path,
) -> None:
    size = (picture.height, picture.width)
    scale = PictureScale(picture.scale, picture.energy_max, picture.colormap)
    compared = {name: read_table(path, COMPARED) for name, path in vectors.items()}
    rows = []
    for data, path in labelled.items():
        views = read_table(path, LABELLED)
        own = encoded(compared, data, len(views))
        rows += labelled_quality(data, views, own, size, clustering, cluster_seed, seed)
    glitches = [] if glitch_pictures is None else find_glitch_pictures(glitch_pictures)
    if glitches:
        own = encoded(compared, REAL, len(glitches))
        rows += real_quality(glitches, own, scale, size, seed)
    read = [*labelled.values(), *vectors.values(), *(picture.path for picture in glitches)]
    about = {"clustering": clustering.model_dump(), "cluster_seed": cluster_seed, "seed": seed}
    metadata = lineage(about, hashes_of(read))
    write_table(quality, ENCODER_QUALITY, rows, metadata)


def encoded(compared: Mapping[str, pa.Table], data: str, count: int) -> dict[str, NDArray]:
    found = {name: vectors_of(table, data, count) for name, table in compared.items()}
    return {name: vectors for name, vectors in found.items() if vectors is not None}


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        encoder_quality(
            labelled={name: Path(snakemake.input[name]) for name in ("seen", "unseen")},
            vectors={
                name: Path(path)
                for name, path in zip(
                    snakemake.params.encoders, snakemake.input.vectors, strict=True
                )
            },
            glitch_pictures=snakemake.params.glitch_pictures,
            picture=PictureConfig.model_validate(snakemake.params.picture),
            clustering=ClusteringConfig.model_validate(snakemake.params.clustering),
            cluster_seed=snakemake.params.cluster_seed,
            seed=snakemake.params.seed,
            quality=Path(snakemake.output.quality),
        )
