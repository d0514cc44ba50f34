"""Simulate quiet windows of a detector: what a score of its windows is measured against."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.config import EncoderConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence.quiet import quiet_windows
from gwmorph.joblog import JobLog
from gwmorph.lineage import lineage
from gwmorph.progress import counting
from gwmorph.storage import atomic_path, content_hash, keep
from gwmorph.tables.parquet import write_table


def quiet(
    detector: str,
    windows: int,
    seed: int,
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    encoder: EncoderConfig,
    code: str,
    cache: Path,
    result: Path,
) -> None:
    parameters = RenderParameters.from_sections(window_s, **rendering)
    made = make_encoder(encoder, (parameters.height, parameters.width))
    about = {"detector": detector, "windows": windows, "seed": seed}
    ids = {
        "gwmorph.render_id": parameters.render_id,
        "gwmorph.encoder_id": made.encoder_id,
    }

    def simulate(path: Path) -> None:
        with counting(f"quiet windows of {detector}", windows) as progress:
            table = quiet_windows(detector, windows, seed, parameters, made, progress.add)
        write_table(path, table.schema, table, lineage(about, []) | ids)

    # The same for every run: kept under all that the windows depend on.
    kept = cache / "quiet" / f"{detector}-{content_hash([about, ids, code])}.parquet"
    keep(kept, simulate)
    with atomic_path(result) as partial:
        shutil.copyfile(kept, partial)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        quiet(
            detector=snakemake.wildcards.detector,
            windows=snakemake.params.windows,
            seed=snakemake.params.seed,
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            encoder=EncoderConfig.model_validate(snakemake.params.section),
            code=snakemake.params.code,
            cache=Path(snakemake.params.cache),
            result=Path(snakemake.output.quiet),
        )
