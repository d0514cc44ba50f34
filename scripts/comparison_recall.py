"""Count what the vectors of each encoder find in the comparison's campaign."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import EncoderConfig
from gwmorph.evidence.injections import read_windows
from gwmorph.evidence.recall import achieved, fit_score, limits, recall_rows
from gwmorph.evidence.statistics import register_encoder
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.storage import write_sealed_json
from gwmorph.tables.injections import RECALL
from gwmorph.tables.parquet import write_table


def comparison_recall(
    inputs: Mapping[str, Sequence[str]],
    encoders: Sequence[EncoderConfig],
    size: tuple[int, int],
    fraction: float,
    recall: Path,
    false_alarms: Path,
) -> None:
    for encoder in encoders:
        register_encoder(encoder.name, encoder, size)
    windows = {role: read_windows(paths) for role, paths in inputs.items()}
    score = fit_score(windows["reference"])
    scores = {role: score(windows[role]) for role in ("calibration", "test", "injection")}
    bounds = limits(scores["calibration"], [fraction])
    rows = recall_rows(windows["injection"], scores["injection"], bounds)
    paths = [path for part in inputs.values() for path in part]
    metadata = lineage({"false_alarm_fraction": fraction}, hashes_of(paths))
    write_table(recall, RECALL, rows, metadata)
    write_sealed_json(false_alarms, achieved(scores["calibration"], scores["test"], [fraction]))


def by_role(files: Mapping[str, Any]) -> dict[str, list[str]]:
    roles = ("reference", "calibration", "test", "injection")
    return {role: list(files[role]) for role in roles}


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        comparison_recall(
            inputs=by_role(dict(snakemake.input.items())),
            encoders=[
                EncoderConfig.model_validate({**snakemake.params.section, "name": entry["name"]})
                for entry in snakemake.params.encoders
            ],
            size=tuple(snakemake.params.size),
            fraction=snakemake.params.fraction,
            recall=Path(snakemake.output.recall),
            false_alarms=Path(snakemake.output.false_alarms),
        )
