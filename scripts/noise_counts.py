"""Count which windows of real noise, with and without injections, pass limits."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.compute as pc

from gwmorph.config import AutoencoderWeightsConfig
from gwmorph.evidence.injections import read_windows
from gwmorph.evidence.recall import fit_score, limits, noise_rows
from gwmorph.evidence.registry import labels_of, load_statistics
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.report.recall import noise_text, write_table_page
from gwmorph.tables.injections import NOISE_COUNTS
from gwmorph.tables.parquet import read_table, write_table


def noise_counts(
    parts: Mapping[str, Sequence[Path]],
    morphologies: Mapping[str, str],
    fractions: Sequence[float],
    modules: Sequence[str],
    autoencoder: AutoencoderWeightsConfig,
    counts: Path,
    html: Path,
) -> None:
    load_statistics(modules, autoencoder)
    metadata = lineage(
        {"false_alarm_fractions": list(fractions)},
        hashes_of(path for paths in parts.values() for path in paths),
    )
    rows = []
    for paths in parts.values():
        windows = read_windows(paths)
        reference, calibration, noise = (
            windows.filter(pc.equal(windows["role"], role))
            for role in ("reference", "calibration", "noise")
        )
        score = fit_score(reference)
        rows += noise_rows(noise, score(noise), limits(score(calibration), fractions))
    write_table(counts, NOISE_COUNTS, rows, metadata)
    labels = labels_of(modules, {row["statistic"] for row in rows}, autoencoder)
    text = noise_text(read_table(counts, NOISE_COUNTS), morphologies, labels)
    write_table_page("Injections into real noise", text, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        noise_counts(
            parts={
                detector: [Path(path) for path in paths]
                for detector, paths in snakemake.input.items()
            },
            morphologies=snakemake.params.morphologies,
            fractions=snakemake.params.fractions,
            modules=snakemake.params.modules,
            autoencoder=AutoencoderWeightsConfig.model_validate(snakemake.params.autoencoder),
            counts=Path(snakemake.output.counts),
            html=Path(snakemake.output.html),
        )
