"""Score the same windows by a trained network, or by the matched filter."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from gwmorph.evidence.chirp_evaluation import (
    MATCHED_FILTER,
    Score,
    Slides,
    injection_scores,
    quiet_scores,
    slide_scores,
)
from gwmorph.evidence.chirp_noise import read_noise
from gwmorph.evidence.chirp_windows import Look, Spectra, read_signals
from gwmorph.evidence.matched_filter import MatchedFilter, bank_of, binaries_of
from gwmorph.joblog import JobLog
from gwmorph.learning.chirp_search import scores_of
from gwmorph.learning.chirp_weights import load_chirp_network
from gwmorph.lineage import hashes_of, lineage
from gwmorph.progress import timed
from gwmorph.tables.chirp_search import CHIRP_SCORES, TEMPLATES
from gwmorph.tables.parquet import read_table, write_table


def chirp_scores(
    noise: Path,
    signals: Path,
    searcher: Path,
    search: str,
    look: Look,
    windows: int,
    snrs: Sequence[float],
    slides: Mapping[str, Any],
    seed: int,
    threads: int,
    scores: Path,
) -> None:
    torch.set_num_threads(threads)
    spectra, noises = read_noise(noise, look)
    score = searching(search, searcher, look, spectra)
    slid = Slides(**slides)
    with timed("noise"):
        tables = [
            quiet_scores(score, noises[role], role, windows, seed)
            for role in ("calibration", "test")
        ]
    with timed("signals"):
        held = read_signals(signals)
        tables.append(injection_scores(score, noises["test"], held, snrs, look, seed))
    with timed("slides"):
        tables.append(slide_scores(score, noises["slides"], slid, look, seed))
    about = {"windows": windows, "snrs": list(snrs), "slides": dict(slides), "seed": seed}
    metadata = lineage(about, hashes_of([noise, signals, searcher]))
    write_table(scores, CHIRP_SCORES, pa.concat_tables(tables), metadata)


def searching(search: str, searcher: Path, look: Look, spectra: Spectra) -> Score:
    if search == MATCHED_FILTER:
        binaries = binaries_of(read_table(searcher, TEMPLATES))
        matched = MatchedFilter(bank_of(binaries, look, spectra))
        return lambda windows: {MATCHED_FILTER: matched(windows)}
    network = load_chirp_network(searcher).network
    return lambda windows: {
        f"{search}_{kind}": values for kind, values in scores_of(network, windows).items()
    }


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        chirp_scores(
            noise=Path(snakemake.input.noise),
            signals=Path(snakemake.input.signals),
            searcher=Path(snakemake.input.searcher),
            search=snakemake.wildcards.search,
            look=Look.from_section(snakemake.params.look),
            windows=snakemake.params.windows,
            snrs=snakemake.params.snrs,
            slides=snakemake.params.slides,
            seed=snakemake.params.seed,
            threads=snakemake.threads,
            scores=Path(snakemake.output.scores),
        )
