"""Draw one block: its windows and triggers, their measurements, and the ledger of all windows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from igwn_segments import segment, segmentlist

from gwmorph.block import EventParameters, RenderParameters, draw_block
from gwmorph.grid import Grid
from gwmorph.joblog import JobLog
from gwmorph.lineage import lineage
from gwmorph.spectra.albums import kept_album
from gwmorph.strain.receipts import verified_files
from gwmorph.tables.block import LEDGER, MEASUREMENTS, TRIGGERS
from gwmorph.tables.parquet import write_table


def block(
    receipts: Sequence[Path],
    root: Path,
    detector: str,
    gps_start: int,
    segments: Sequence[tuple[int, int]],
    window: Mapping[str, int],
    rendering: Mapping[str, Mapping[str, Any]],
    events: Mapping[str, Any],
    ledger: Path,
    measurements: Path,
    triggers: Path,
    pictures: Path,
    event_views: Path,
) -> None:
    files = verified_files(receipts, root)
    science = segmentlist(segment(*span) for span in segments)
    grid = Grid(window["duration_s"], window["stride_s"], window["context_s"])
    parameters = RenderParameters.from_sections(grid.duration, **rendering)
    with kept_album(pictures, event_views) as album:
        result = draw_block(
            files,
            detector,
            gps_start,
            grid.block_windows(science, gps_start),
            science,
            grid.context,
            parameters,
            EventParameters(**events),
            album,
        )
    hashes = [file.sha256 for file in files]
    drawing = {"window": dict(window), **rendering}
    render_id = {"gwmorph.render_id": parameters.render_id}
    metadata = lineage(drawing, hashes) | render_id
    write_table(ledger, LEDGER, result.ledger, metadata)
    write_table(measurements, MEASUREMENTS, result.measurements, metadata)
    found = lineage(drawing | {"events": dict(events)}, hashes) | render_id
    write_table(triggers, TRIGGERS, result.triggers, found)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        block(
            receipts=[Path(path) for path in snakemake.input.receipts],
            root=Path(snakemake.params.root),
            detector=snakemake.wildcards.detector,
            gps_start=int(snakemake.wildcards.block),
            segments=snakemake.params.segments,
            window=snakemake.params.window,
            rendering={
                "conditioning": snakemake.params.conditioning,
                "qtransform": snakemake.params.qtransform,
                "picture": snakemake.params.picture,
            },
            events=snakemake.params.events,
            ledger=Path(snakemake.output.ledger),
            measurements=Path(snakemake.output.measurements),
            triggers=Path(snakemake.output.triggers),
            pictures=Path(snakemake.output.pictures),
            event_views=Path(snakemake.output.event_views),
        )
