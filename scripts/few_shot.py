"""Tell real glitches by a linear probe on each encoder's vectors, each glitch left out in turn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gwmorph.config import EncoderConfig, PictureConfig
from gwmorph.encoders.base import Encoder, Size
from gwmorph.encoders.registry import make_encoder, with_weights
from gwmorph.encoders.untrained import untrained_encoder
from gwmorph.evidence.comparison import PIXELS, REAL, real_pictures, real_vectors
from gwmorph.evidence.quality import pixel_components
from gwmorph.evidence.real_strain import GLITCHES
from gwmorph.inputs import files_of
from gwmorph.joblog import JobLog
from gwmorph.learning.few_shot import few_shot_rows
from gwmorph.learning.specialise import real_glitches
from gwmorph.lineage import hashes_of, lineage
from gwmorph.spectra.gravityspy import find_glitch_pictures
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.comparison import ENCODER_QUALITY, REAL_STRAIN
from gwmorph.tables.parquet import read_table, write_table


def few_shot(
    glitch_pictures: str | None,
    real_strain: Sequence[Path],
    encoders: Mapping[str, Encoder],
    picture: PictureConfig,
    penalty: float,
    seed: int,
    table: Path,
) -> None:
    size = (picture.height, picture.width)
    scale = PictureScale(picture.scale, picture.energy_max, picture.colormap)
    rows: list[dict[str, Any]] = []
    found = [] if glitch_pictures is None else find_glitch_pictures(glitch_pictures)
    if found:
        vectors = {name: real_vectors(one, found, scale, size) for name, one in encoders.items()}
        vectors[PIXELS] = pixel_components(real_pictures(found, scale, size))
        labels, glitches = (
            np.array([getattr(picture, name) for picture in found]) for name in ("label", "glitch")
        )
        rows += [
            {"data": REAL, **row}
            for row in few_shot_rows(vectors, labels, glitches, penalty, seed)
        ]
    for path in real_strain:
        views = real_glitches(read_table(path, REAL_STRAIN), scale, size)
        if len(views) < 2:
            continue
        vectors = {
            name: one.encode(views.pictures, scale, "event") for name, one in encoders.items()
        }
        vectors[PIXELS] = pixel_components(views.pictures)
        rows += [
            {"data": GLITCHES, **row}
            for row in few_shot_rows(
                vectors, views.labels, views.groups, penalty, seed, views.triggers
            )
        ]
    about = {
        "penalty": penalty,
        "seed": seed,
        "encoders": {name: one.encoder_id for name, one in encoders.items()},
    }
    metadata = lineage(about, hashes_of([*(one.path for one in found), *real_strain]))
    write_table(
        table, ENCODER_QUALITY, pa.Table.from_pylist(rows, schema=ENCODER_QUALITY), metadata
    )


def encoders_of(
    names: Sequence[str],
    section: Mapping[str, Any],
    fine_tuned: Mapping[str, str],
    size: Size,
    seed: int,
) -> dict[str, Encoder]:
    config = EncoderConfig.model_validate(section)
    found: dict[str, Encoder] = {}
    for name in names:
        if name == "random":
            found[name] = untrained_encoder(size, seed)
        else:
            found[name] = make_encoder(config.model_copy(update={"name": name}), size)
    for name, path in fine_tuned.items():
        own = config.model_copy(update={"name": "indomain"})
        found[name] = make_encoder(with_weights(own, path), size)
    return found


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        picture = PictureConfig.model_validate(snakemake.params.picture)
        few_shot(
            glitch_pictures=snakemake.params.glitch_pictures,
            real_strain=files_of(snakemake.input, "real_strain"),
            encoders=encoders_of(
                snakemake.params.encoders,
                snakemake.params.section,
                snakemake.params.fine_tuned,
                (picture.height, picture.width),
                snakemake.params.seed,
            ),
            picture=picture,
            penalty=snakemake.params.penalty,
            seed=snakemake.params.seed,
            table=Path(snakemake.output.quality),
        )
