"""Join what is known to be in a run's data: published events, and injections by files' masks."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.evidence.known_events import injected_in, known_spans, told_row
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.strain.receipts import received_files
from gwmorph.tables.known_events import CATALOG, KNOWN_SPANS, TOLD
from gwmorph.tables.parquet import read_tables, write_table


def spans_of_run(
    catalog: Sequence[Path],
    receipts: Sequence[Path],
    root: Path,
    detectors: Sequence[str],
    kinds: Sequence[str],
    spans: Path,
    told: Path,
) -> None:
    # The blocks' own jobs check them; only the masks are read here.
    files = received_files(receipts, root)
    held = {
        name: injected_in(name, [file for file in files if file.detector == name], kinds)
        for name in detectors
    }
    injected = [span for found in held.values() for span in found.spans]
    known = known_spans(read_tables(catalog, CATALOG), injected, list(detectors))
    metadata = lineage({"injections": list(kinds)}, hashes_of([*catalog, *receipts]))
    write_table(spans, KNOWN_SPANS, known, metadata)
    write_table(told, TOLD, [told_row(name, found) for name, found in held.items()], metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        spans_of_run(
            catalog=[Path(path) for path in snakemake.input.catalog],
            receipts=[Path(path) for path in snakemake.input.receipts],
            root=Path(snakemake.params.root),
            detectors=snakemake.params.detectors,
            kinds=snakemake.params.kinds,
            spans=Path(snakemake.output.spans),
            told=Path(snakemake.output.told),
        )
