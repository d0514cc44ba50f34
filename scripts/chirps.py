"""Score how like a chirp every event is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.evidence.chirps import MODEL, bright_sums, chirp_rows, joined
from gwmorph.evidence.reference import read_reference
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.pictures import read_picture
from gwmorph.tables.known_events import CHIRPS
from gwmorph.tables.parquet import shared_metadata, write_table


def chirps(
    shards: Sequence[Path],
    triggers: Path,
    folders: Sequence[Path],
    labelled: Sequence[Path],
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    gap_s: float,
    result: Path,
) -> None:
    ids = shared_metadata(shards, ["gwmorph.render_id", "gwmorph.encoder_id"])
    run = events_of_run(shards, [triggers])
    tiling = RenderParameters.from_sections(window_s, **rendering).tiling()
    where = Pictures(folders, window_s)
    keys = zip(
        *(run[n].to_pylist() for n in ("detector", "gps_start", "trigger_time")), strict=True
    )
    sums = joined(
        bright_sums(scale.energy(indices)[None], tiling.f_low, tiling.f_top)
        for indices, scale in (read_picture(where.of(*key)) for key in keys)
    )
    made = ids["gwmorph.render_id"], ids["gwmorph.encoder_id"]
    reference = next((read_reference(path, *made, "event") for path in labelled), None)
    metadata = {**ids, **lineage({"gap_s": gap_s}, hashes_of([*shards, triggers, *labelled]))}
    write_table(result, CHIRPS, chirp_rows(run, sums, reference, gap_s, MODEL), metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        chirps(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=Path(snakemake.input.triggers),
            folders=[Path(path) for path in snakemake.input.pictures],
            labelled=[Path(path) for path in snakemake.input.labelled],
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            gap_s=snakemake.params.gap_s,
            result=Path(snakemake.output.chirps),
        )
