"""Score all windows of a campaign, set limits, and count what passes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import AutoencoderWeightsConfig
from gwmorph.evidence.injections import read_windows, write_windows
from gwmorph.evidence.recall import (
    achieved,
    fit_score,
    half_recall_rows,
    limits,
    recall_rows,
    with_scores,
)
from gwmorph.evidence.registry import load_statistics
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.storage import write_sealed_json
from gwmorph.tables.injections import HALF_RECALL, RECALL
from gwmorph.tables.parquet import read_table, shared_metadata, write_table


def recall(
    inputs: Mapping[str, Sequence[str]],
    fractions: Sequence[float],
    modules: Sequence[str],
    autoencoder: AutoencoderWeightsConfig,
    outputs: Mapping[str, str],
) -> None:
    load_statistics(modules, autoencoder)
    paths = [Path(path) for part in inputs.values() for path in part]
    metadata = {
        **shared_metadata(paths, ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage({"false_alarm_fractions": list(fractions)}, hashes_of(paths)),
    }
    windows = {role: read_windows(part) for role, part in inputs.items()}
    score = fit_score(windows.pop("reference"))
    scores = {role: score(table) for role, table in windows.items()}
    bounds = limits(scores["calibration"], fractions)
    rows = recall_rows(windows["injection"], scores["injection"], bounds)
    write_table(outputs["recall"], RECALL, rows, metadata)
    half = half_recall_rows(read_table(outputs["recall"], RECALL))
    write_table(outputs["half_recall"], HALF_RECALL, half, metadata)
    write_windows(outputs["scores"], with_scores(windows, scores), metadata)
    write_sealed_json(
        outputs["achieved"], achieved(scores["calibration"], scores["test"], fractions)
    )


def by_role(files: Mapping[str, Any]) -> dict[str, list[str]]:
    roles = ("reference", "calibration", "test", "injection")
    return {role: list(files[role]) for role in roles}


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        recall(
            inputs=by_role(dict(snakemake.input.items())),
            fractions=snakemake.params.fractions,
            modules=snakemake.params.modules,
            autoencoder=AutoencoderWeightsConfig.model_validate(snakemake.params.autoencoder),
            outputs=dict(snakemake.output.items()),
        )
