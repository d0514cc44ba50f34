"""Measure what real glitches are taken for, by other real ones and by simulated views."""

from collections.abc import Mapping
from pathlib import Path

from gwmorph.config import PictureConfig
from gwmorph.evidence.comparison import vectors_of
from gwmorph.evidence.real_strain import (
    GLITCHES,
    real_strain_quality,
    trigger_rows,
    with_view,
)
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.comparison import COMPARED, ENCODER_QUALITY, LABELLED, NAMED, REAL_STRAIN
from gwmorph.tables.parquet import read_table, write_table


def strain_quality(
    naming: Path,
    real_strain: Path,
    vectors: Mapping[str, Path],
    picture: PictureConfig,
    seed: int,
    quality: Path,
    named: Path,
) -> None:
    simulated = read_table(naming, LABELLED)
    glitches = read_table(real_strain, REAL_STRAIN)
    found = {}
    for name, path in vectors.items():
        table = read_table(path, COMPARED)
        found[name] = (
            vectors_of(table, GLITCHES, len(with_view(glitches))),
            vectors_of(table, "naming", len(simulated)),
        )
    size = (picture.height, picture.width)
    rows, names = real_strain_quality(glitches, simulated, found, size, seed)
    metadata = lineage({"seed": seed}, hashes_of([naming, real_strain, *vectors.values()]))
    rows += trigger_rows(glitches, seed)
    write_table(quality, ENCODER_QUALITY, rows, metadata)
    write_table(named, NAMED, names, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        strain_quality(
            naming=Path(snakemake.input.naming),
            real_strain=Path(snakemake.input.real_strain),
            vectors={
                name: Path(path)
                for name, path in zip(
                    snakemake.params.encoders, snakemake.input.vectors, strict=True
                )
            },
            picture=PictureConfig.model_validate(snakemake.params.picture),
            seed=snakemake.params.seed,
            quality=Path(snakemake.output.quality),
            named=Path(snakemake.output.named),
        )
