"""Choose quiet windows of a detector from the run: what its scores are measured against."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.evidence.known_events import without_known
from gwmorph.evidence.quiet import quiet_windows_of_run
from gwmorph.evidence.score import windows_of
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.block import MEASUREMENTS
from gwmorph.tables.embeddings import EMBEDDINGS
from gwmorph.tables.known_events import KNOWN_SPANS
from gwmorph.tables.parquet import read_table, read_tables, shared_metadata, write_table


def quiet_of_run(
    detector: str,
    measurements: Sequence[Path],
    shards: Sequence[Path],
    events_snr: float,
    windows: int,
    fewest: int,
    seed: int,
    known: Sequence[Path],
    window_s: int,
    margin_s: float,
    result: Path,
) -> None:
    made = shared_metadata(shards, ("gwmorph.render_id", "gwmorph.encoder_id"))
    own = windows_of(
        detector,
        read_tables(measurements, MEASUREMENTS),
        read_tables(shards, EMBEDDINGS),
    )
    for path in known:
        own = without_known(own, read_table(path, KNOWN_SPANS), window_s, margin_s)
    table = quiet_windows_of_run(own, events_snr, windows, fewest, seed)
    parameters = {"events_snr": events_snr, "windows": windows, "seed": seed}
    metadata = {**lineage(parameters, hashes_of([*measurements, *shards, *known])), **made}
    write_table(result, table.schema, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        quiet_of_run(
            detector=snakemake.wildcards.detector,
            measurements=[Path(path) for path in snakemake.input.measurements],
            shards=[Path(path) for path in snakemake.input.shards],
            events_snr=snakemake.params.events_snr,
            windows=snakemake.params.windows,
            fewest=snakemake.params.fewest,
            seed=snakemake.params.seed,
            known=[Path(path) for path in snakemake.input.known],
            window_s=snakemake.params.window_s,
            margin_s=snakemake.params.margin_s,
            result=Path(snakemake.output.quiet),
        )
