"""Let a trained chirp network look at a campaign's windows once more."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gwmorph.block import RenderParameters
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import read_windows, simulated_backgrounds, write_windows
from gwmorph.joblog import JobLog
from gwmorph.learning.chirp_statistic import with_network_score
from gwmorph.learning.chirp_weights import load_chirp_network
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.parquet import read_metadata


def chirp_windows(
    windows: Path,
    weights: Path,
    job: Mapping[str, Any],
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    threads: int,
    searched: Path,
) -> None:
    torch.set_num_threads(threads)
    parameters = RenderParameters.from_sections(window_s, **rendering)
    whole = Job.from_params(job)
    table = with_network_score(
        read_windows([windows]),
        whole,
        simulated_backgrounds(whole, parameters),
        parameters,
        load_chirp_network(weights),
    )
    made_as = read_metadata(windows)
    metadata = {
        **lineage({"job": dict(job)}, hashes_of([windows, weights])),
        **{name: made_as[name] for name in ("gwmorph.render_id", "gwmorph.encoder_id")},
    }
    write_windows(searched, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        chirp_windows(
            windows=Path(snakemake.input.windows),
            weights=Path(snakemake.input.weights[0]),
            job=snakemake.params.job,
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            threads=snakemake.threads,
            searched=Path(snakemake.output.searched),
        )
