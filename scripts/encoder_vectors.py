"""Encode all labelled pictures with one encoder, and take the time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import EncoderConfig, PictureConfig
from gwmorph.encoders.base import Encoder, Size
from gwmorph.encoders.registry import make_encoder
from gwmorph.encoders.untrained import untrained_encoder
from gwmorph.evidence.comparison import (
    REAL,
    compared_rows,
    encoder_for_unseen,
    real_vectors,
    timed_vectors,
)
from gwmorph.evidence.labelled import pictures_of
from gwmorph.evidence.real_strain import GLITCHES, with_view
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.spectra.gravityspy import find_glitch_pictures
from gwmorph.spectra.pictures import PictureScale
from gwmorph.storage import write_sealed_json
from gwmorph.tables.comparison import LABELLED, REAL_STRAIN
from gwmorph.tables.parquet import read_table, shared_metadata, write_table


def encoder_vectors(
    labelled: Mapping[str, Path],
    real_strain: Sequence[Path],
    glitch_pictures: str | None,
    encoders: Mapping[str, Encoder],
    batch_size: int,
    picture: PictureConfig,
    vectors: Path,
    cost: Path,
) -> None:
    size = (picture.height, picture.width)
    scale = PictureScale(picture.scale, picture.energy_max, picture.colormap)
    found, times = {}, {}
    for data, path in labelled.items():
        if data in encoders:
            views = pictures_of(read_table(path, LABELLED), size)
            found[data], times[data] = timed_vectors(
                encoders[data], views, scale, "event", batch_size
            )
    for path in real_strain:
        glitches_with_view = with_view(read_table(path, REAL_STRAIN))
        if len(glitches_with_view):
            views = pictures_of(glitches_with_view, size)
            found[GLITCHES] = encoders["seen"].encode(views, scale, "event")
    glitches = [] if glitch_pictures is None else find_glitch_pictures(glitch_pictures)
    if glitches:
        found[REAL] = real_vectors(encoders["seen"], glitches, scale, size)
    read = [*labelled.values(), *real_strain, *(picture.path for picture in glitches)]
    metadata = {
        **lineage({"batch_size": batch_size}, hashes_of(read)),
        **shared_metadata([*labelled.values(), *real_strain], ["gwmorph.render_id"]),
        "gwmorph.encoder_id": encoders["seen"].encoder_id,
    }
    rows = compared_rows(found)
    write_table(vectors, rows.schema, rows, metadata)
    write_sealed_json(cost, {"ms_per_picture": min(times.values())})


def encoders_of(
    name: str,
    section: Mapping[str, Any],
    held_out: str | None,
    unseen: Sequence[str],
    size: Size,
    seed: int,
) -> dict[str, Encoder]:
    if name == "random":
        return dict.fromkeys(("seen", "unseen", "naming"), untrained_encoder(size, seed))
    config = EncoderConfig.model_validate({**section, "name": name})
    other = encoder_for_unseen(config, held_out, unseen)
    made = dict.fromkeys(("seen", "naming"), make_encoder(config, size))
    return made if other is None else {**made, "unseen": make_encoder(other, size)}


def given(files: str | Sequence[str]) -> list[str]:
    """Return the files of a rule's input, of which there may be one or none."""
    return [files] if isinstance(files, str) else list(files)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        picture = PictureConfig.model_validate(snakemake.params.picture)
        section = snakemake.params.section
        encoder_vectors(
            labelled={
                name: Path(path)
                for name in ("seen", "unseen", "naming")
                for path in given(snakemake.input[name])
            },
            real_strain=[Path(path) for path in given(snakemake.input.real_strain)],
            glitch_pictures=snakemake.params.glitch_pictures,
            encoders=encoders_of(
                snakemake.wildcards.encoder,
                section,
                snakemake.params.held_out,
                snakemake.params.unseen,
                (picture.height, picture.width),
                snakemake.params.seed,
            ),
            batch_size=section["batch_size"],
            picture=picture,
            vectors=Path(snakemake.output.vectors),
            cost=Path(snakemake.output.cost),
        )
