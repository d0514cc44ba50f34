"""Encode a sample's pictures after a change of the pictures, or with another precision."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gwmorph.config import EncoderConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence import ablation
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.pictures import read_picture
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import ABLATION_SAMPLE


def recoloured(
    sample: Path,
    pictures: Sequence[Path],
    window_s: int,
    change: str,
    encoder: EncoderConfig,
    seed: int,
    vectors: Path,
) -> None:
    rows = read_table(sample, ABLATION_SAMPLE)
    view = rows["view"][0].as_py()
    shown_in = Pictures(pictures, window_s)
    keys = rows.select(["detector", "gps_start", "trigger_time"]).to_pylist()
    read = [read_picture(shown_in.of(*key.values())) for key in keys]
    before = np.stack([indices for indices, _ in read]), read[0][1]
    if change == ablation.PRECISION:
        found = ablation.with_other_precision(encoder, *before, view)
    else:
        after = ablation.RECOLOURED[change](*before, view, seed)
        made = make_encoder(encoder, before[0].shape[1:])
        found = ablation.vectors_after(made, before, after, view, encoder.batch_size)
    table = ablation.ablated_table(np.arange(len(rows)), found)
    metadata = {
        **shared_metadata([sample], ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage({"change": change, "seed": seed}, hashes_of([sample])),
    }
    write_table(vectors, table.schema, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        recoloured(
            sample=Path(snakemake.input.sample),
            pictures=[Path(path) for path in snakemake.input.pictures],
            window_s=snakemake.params.window_s,
            change=snakemake.wildcards.change,
            encoder=EncoderConfig.model_validate(snakemake.params.section),
            seed=snakemake.params.seed,
            vectors=Path(snakemake.output.vectors),
        )
