"""Compare what coincides in the detectors of a run with what does so by chance."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.config import TimeslidesConfig
from gwmorph.evidence.coincidences import Observed, compare, efficiencies, rate_limits
from gwmorph.evidence.known_events import shows_known
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.embeddings import EMBEDDINGS
from gwmorph.tables.injections import RECALL
from gwmorph.tables.known_events import KNOWN_SPANS
from gwmorph.tables.parquet import read_table, read_tables, shared_metadata, write_table
from gwmorph.tables.scores import SCORES
from gwmorph.tables.timeslides import (
    CANDIDATES,
    EFFICIENCY,
    LIMITS,
    SEARCHED,
    SUMMARY,
    WINDOW_COUNTS,
)
from gwmorph.tables.truth import TRUTH


def slides(
    inputs: Mapping[str, Sequence[Path]],
    detectors: Sequence[str],
    window_s: int,
    settings: TimeslidesConfig,
    margin_s: float,
    outputs: Mapping[str, Path],
) -> None:
    read = [path for paths in inputs.values() for path in paths]
    metadata = {
        **shared_metadata(inputs["shards"], ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage(settings.model_dump(mode="json"), hashes_of(read)),
    }
    (triggers,) = (read_table(path, TRIGGERS) for path in inputs["triggers"])
    # Of a run without scores a window is anomalous where it has a trigger.
    anomalous = triggers
    for path in inputs["scores"]:
        scores = read_table(path, SCORES)
        anomalous = scores.filter(pc.greater(scores["score"], scores["limit"]))
    ledger = read_tables(inputs["ledger"], LEDGER)
    spans = read_tables(inputs["known"], KNOWN_SPANS)
    run = Observed(
        ledger,
        triggers,
        read_tables(inputs["shards"], EMBEDDINGS),
        anomalous,
        shows_known(_as_events(triggers), spans, window_s, margin_s),
        shows_known(ledger, spans, window_s, margin_s),
    )
    found = compare(run, detectors, window_s, settings)
    recall = next((read_table(path, RECALL) for path in inputs["recall"]), None)
    truth = (read_table(path, TRUTH) for path in inputs["truth"])
    rows = {
        "candidates": (CANDIDATES, found.candidates),
        "summary": (SUMMARY, found.summary),
        "searched": (SEARCHED, found.searched),
        "window_counts": (WINDOW_COUNTS, found.window_counts),
        "limits": (LIMITS, rate_limits(found, settings.p_value, recall)),
        "efficiency": (EFFICIENCY, [r for t in truth for r in efficiencies(run, found, t)]),
    }
    for name, (schema, made) in rows.items():
        write_table(outputs[name], schema, made, metadata)


def _as_events(triggers: pa.Table) -> pa.Table:
    """Return when and where triggers are, by the names that event views have."""
    columns = {"detector": "detector", "gps_start": "gps_start", "trigger_time": "peak_time"}
    return pa.table({name: triggers[column] for name, column in columns.items()})


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        slides(
            inputs={
                name: [Path(path) for path in snakemake.input[name]]
                for name in ("triggers", "shards", "ledger", "scores", "truth", "recall", "known")
            },
            detectors=snakemake.params.detectors,
            window_s=snakemake.params.window_s,
            settings=TimeslidesConfig.model_validate(snakemake.params.settings),
            margin_s=snakemake.params.margin_s,
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
