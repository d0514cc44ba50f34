"""Say what becomes of every window of some strain files, by an atlas."""

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from igwn_segments import segment, segmentlist

from gwmorph.config import Config
from gwmorph.joblog import JobLog
from gwmorph.progress import each, left_out, timed
from gwmorph.scanner.arrivals import ArrivedFile, given_files
from gwmorph.scanner.ending import summary_of_blocks
from gwmorph.scanner.preparing import prepare
from gwmorph.scanner.records import event_lines
from gwmorph.scanner.scan import scan
from gwmorph.storage import write_bytes, write_sealed_json
from gwmorph.strain.receipts import received_files


def scan_blocks(
    receipts: Sequence[Path],
    root: Path,
    named: Sequence[Path],
    segments: Mapping[str, Sequence[tuple[int, int]]],
    atlas: Path,
    configuration: Mapping[str, Any],
    blocks: Path,
    result: Path,
    events: Path,
) -> None:
    tell = logging.getLogger(__name__).warning
    own = [
        ArrivedFile(
            Path(file.path),
            file.detector,
            file.gps_start,
            file.duration,
            file.dataset_or_channel,
            file.rank,
        )
        for file in received_files(receipts, root)
    ]
    science = {
        detector: segmentlist(segment(*span) for span in spans)
        for detector, spans in segments.items()
    }
    config = Config.model_validate(configuration)
    how = prepare(atlas, config, tell, science or None)
    source = given_files(named, tell) if named else iter(own)
    with timed("scanning"):
        found = list(each(scan(source, how, blocks, threading.Event()), "blocks", None))
    for block in found:
        left_out("windows", block.excluded)
    write_sealed_json(result, summary_of_blocks(found))
    # Nobody is told: a job may run again, and a record is delivered once.
    write_bytes(events, event_lines(blocks, found, "").encode())


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        scan_blocks(
            receipts=[Path(path) for path in snakemake.input.receipts],
            root=Path(snakemake.params.root),
            named=[Path(path) for path in snakemake.input.named],
            segments=snakemake.params.segments,
            atlas=Path(snakemake.params.atlas),
            configuration=snakemake.params.configuration,
            blocks=Path(snakemake.output.blocks),
            result=Path(snakemake.output.summary),
            events=Path(snakemake.output.events),
        )
