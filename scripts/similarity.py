"""Score the names that labelled rows of one view give those whose class is known."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.encoders.base import View
from gwmorph.evidence.intervals import Bootstrap
from gwmorph.evidence.naming import score_names
from gwmorph.evidence.reference import read_reference
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import CONFUSION, NAMING, REFERENCE


def similarity(
    own: Path,
    others: Sequence[Path],
    view: View,
    settings: Mapping[str, Any],
    scores: Path,
    confusion: Path,
) -> None:
    ids = shared_metadata([own], ["gwmorph.render_id", "gwmorph.encoder_id"])
    render_id, encoder_id = ids["gwmorph.render_id"], ids["gwmorph.encoder_id"]
    scored, confused = score_names(
        read_table(own, REFERENCE),
        next((read_reference(path, render_id, encoder_id, view) for path in others), None),
        settings["neighbors"],
        settings["gap_s"],
        Bootstrap(settings["block_s"], settings["repeats"], settings["seed"]),
    )
    metadata = {**ids, **lineage(dict(settings), hashes_of([own, *others]))}
    write_table(scores, NAMING, scored, metadata)
    write_table(confusion, CONFUSION, confused, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        similarity(
            own=Path(snakemake.input.own),
            others=[Path(path) for path in snakemake.input.others],
            view=snakemake.wildcards.view,
            settings=snakemake.params.similarity,
            scores=Path(snakemake.output.scores),
            confusion=Path(snakemake.output.confusion),
        )
