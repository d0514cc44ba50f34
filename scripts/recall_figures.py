"""Draw recall curves, and write the tables of 50 % recall and of achieved false alarms."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.config import AutoencoderWeightsConfig
from gwmorph.evidence.registry import labels_of
from gwmorph.joblog import JobLog
from gwmorph.report.recall import (
    achieved_text,
    draw_recall,
    half_recall_text,
    write_table_page,
)
from gwmorph.storage import read_json
from gwmorph.tables.injections import HALF_RECALL, RECALL
from gwmorph.tables.parquet import read_table


def recall_figures(
    recall: Path,
    half_recall: Path,
    achieved: Path,
    families: Mapping[str, Mapping[str, str]],
    snrs: Sequence[float],
    modules: Sequence[str],
    autoencoder: AutoencoderWeightsConfig,
    curves: Path,
    half_html: Path,
    achieved_html: Path,
) -> None:
    points = read_table(recall, RECALL)
    labels = labels_of(modules, points["statistic"].unique().to_pylist(), autoencoder)
    curves.mkdir(parents=True)
    for family, morphologies in families.items():
        chosen = points.filter(pc.is_in(points["morphology"], pa.array(list(morphologies))))
        name = family.lower().replace(" ", "_").replace("-", "_")
        draw_recall(chosen, morphologies, labels, curves / f"{name}.svg")
    everything = {name: label for part in families.values() for name, label in part.items()}
    half = read_table(half_recall, HALF_RECALL)
    text = half_recall_text(half, snrs, everything, labels)
    write_table_page("SNR of 50 % recall", text, half_html)
    text = achieved_text(read_json(achieved), labels)
    write_table_page("Achieved false alarms", text, achieved_html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        recall_figures(
            recall=Path(snakemake.input.recall),
            half_recall=Path(snakemake.input.half_recall),
            achieved=Path(snakemake.input.achieved),
            families=snakemake.params.families,
            snrs=snakemake.params.snrs,
            modules=snakemake.params.modules,
            autoencoder=AutoencoderWeightsConfig.model_validate(snakemake.params.autoencoder),
            curves=Path(snakemake.output.curves),
            half_html=Path(snakemake.output.half_html),
            achieved_html=Path(snakemake.output.achieved_html),
        )
