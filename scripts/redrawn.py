"""Draw a sample's pictures again from strain, with one thing changed, and encode them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from igwn_segments import segment, segmentlist

from gwmorph.block import RenderParameters
from gwmorph.config import EncoderConfig
from gwmorph.evidence import ablation
from gwmorph.grid import Grid, block_of
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.progress import each
from gwmorph.strain.receipts import verified_files
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import ABLATION_SAMPLE


def redrawn(
    sample: Path,
    blocks: Sequence[Mapping[str, Any]],
    root: Path,
    window: Mapping[str, int],
    rendering: Mapping[str, Mapping[str, Any]],
    change: str,
    encoder: EncoderConfig,
    vectors: Path,
) -> None:
    rows = read_table(sample, ABLATION_SAMPLE)
    grid = Grid(window["duration_s"], window["stride_s"], window["context_s"])
    parameters = RenderParameters.from_sections(grid.duration, **rendering)
    places = np.array([block_of(start) for start in rows["gps_start"].to_pylist()])
    found: dict[int, ablation.Pictures] = {}
    view = rows["view"][0].as_py()
    applies = ablation.redraw_applies(change, parameters, encoder.name, view)
    for block in each(blocks, "blocks", len(blocks)) if applies else ():
        detector, start = block["detector"], block["block"]
        own = np.flatnonzero(
            (places == start) & pc.equal(rows["detector"], detector).to_numpy(zero_copy_only=False)
        )
        if not len(own):
            continue
        science = segmentlist(segment(*span) for span in block["segments"])
        files = verified_files([Path(path) for path in block["receipts"]], root)
        drawn = ablation.redrawn(
            change,
            rows.take(pa.array(own)),
            files,
            start,
            grid.block_windows(science, start),
            science,
            grid.context,
            parameters,
        )
        found |= {int(own[number]): picture.copy() for number, picture in drawn}
    kept, made = ablation.encode_redrawn(change, found, parameters, encoder, view)
    table = ablation.ablated_table(kept, made)
    metadata = {
        **shared_metadata([sample], ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage({"change": change, "window": dict(window), **rendering}, hashes_of([sample])),
    }
    write_table(vectors, table.schema, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        redrawn(
            sample=Path(snakemake.input.sample),
            blocks=snakemake.params.blocks,
            root=Path(snakemake.params.root),
            window=snakemake.params.window,
            rendering=snakemake.params.rendering,
            change=snakemake.wildcards.change,
            encoder=EncoderConfig.model_validate(snakemake.params.section),
            vectors=Path(snakemake.output.vectors),
        )
