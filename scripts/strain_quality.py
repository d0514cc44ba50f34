"""Measure what real glitches are taken for, by other real ones and by simulated views."""

from collections.abc import Mapping
from pathlib import Path

from gwmorph import tables
from gwmorph.config import PictureConfig
from gwmorph.evidence.comparison import vectors_of
from gwmorph.evidence.real_strain import (
    REAL_STRAIN,
    real_strain_quality,
    trigger_rows,
    with_view,
)
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage


def strain_quality(
    naming: Path,
    real_strain: Path,
    vectors: Mapping[str, Path],
    picture: PictureConfig,
    seed: int,
    quality: Path,
    named: Path,
) -> None:
    simulated = tables.read_table(naming, tables.LABELLED)
    glitches = tables.read_table(real_strain, tables.REAL_STRAIN)
    found = {}
    for name, path in vectors.items():
        table = tables.read_table(path, tables.COMPARED)
        found[name] = (
            vectors_of(table, REAL_STRAIN, len(with_view(glitches))),
            vectors_of(table, "naming", len(simulated)),
        )
    size = (picture.height, picture.width)
    rows, names = real_strain_quality(glitches, simulated, found, size, seed)
    metadata = lineage({"seed": seed}, hashes_of([naming, real_strain, *vectors.values()]))
    rows += trigger_rows(glitches, seed)
    tables.write_table(quality, tables.ENCODER_QUALITY, rows, metadata)
    tables.write_table(named, tables.NAMED, names, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
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
