"""Write the explorer of a run: one page with every window and event."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.joblog import JobLog
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.morphology.neighbors import nearest_others
from gwmorph.report.explorer.contents import ViewTables, vectors_of
from gwmorph.report.explorer.folder import about_run, write_explorer
from gwmorph.report.names import read_names
from gwmorph.runs.vetoes import cluster_vetoes
from gwmorph.strain.receipts import received_files
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table, read_tables
from gwmorph.tables.validation import NAMED_ROWS


def tables_of(files: Mapping[str, Sequence[Path]], neighbors: int, among: int) -> ViewTables:
    clusters = read_table(files["clusters"][0], CLUSTERS)
    vectors = vectors_of(clusters, events_of_run(files["shards"], []))
    return ViewTables(
        clusters,
        nearest_others(vectors, neighbors, among),
        read_names(files["named_clusters"], clusters),
        next((read_table(path, NAMED_ROWS) for path in files["named_rows"]), None),
        next((read_table(path, STATUSES) for path in files["statuses"]), None),
    )


def explorer(
    views: Mapping[str, Mapping[str, Sequence[Path]]],
    neighbors: int,
    among: int,
    about: Mapping[str, Any],
    pictures: Sequence[Path],
    triggers: Sequence[Path],
    ledger: Sequence[Path],
    folder: Path,
) -> None:
    tables = {view: tables_of(files, neighbors, among) for view, files in views.items()}
    vetoes = {}
    if "event" in tables:
        vetoes = cluster_vetoes(
            tables["event"].clusters,
            read_tables(triggers, TRIGGERS),
            read_tables(ledger, LEDGER),
        )
    write_explorer(folder, about, tables, vetoes, pictures)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        pictures = [Path(path) for path in snakemake.input.pictures]
        kinds = ("clusters", "shards", "named_clusters", "named_rows", "statuses")
        explorer(
            views={
                view: {
                    kind: [Path(path) for path in snakemake.input.get(f"{view}_{kind}", [])]
                    for kind in kinds
                }
                for view in snakemake.params.views
            },
            neighbors=snakemake.params.neighbors,
            among=snakemake.params.among,
            about=about_run(
                snakemake.wildcards.run,
                snakemake.params.window_s,
                pictures,
                received_files(snakemake.input.receipts, Path(snakemake.params.strain_root)),
            ),
            pictures=pictures,
            triggers=[Path(path) for path in snakemake.input.triggers],
            ledger=[Path(path) for path in snakemake.input.ledger],
            folder=Path(snakemake.output.folder),
        )
