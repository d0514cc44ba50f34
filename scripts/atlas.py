"""Bundle what new data are judged by."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gwmorph.joblog import JobLog
from gwmorph.morphology.atlas import write_atlas
from gwmorph.morphology.manifest import About
from gwmorph.storage import content_hash
from gwmorph.tables.parquet import shared_metadata


def atlas(
    references: Mapping[str, Path],
    thresholds: Mapping[str, Path],
    quiet: Mapping[str, Path],
    configuration: Mapping[str, Any],
    judging: Mapping[str, Any],
    folder: Path,
) -> None:
    ids = shared_metadata(
        [*references.values(), *thresholds.values()], ["gwmorph.render_id", "gwmorph.encoder_id"]
    )
    run = configuration["run"]
    about = About(
        run=run["name"],
        detectors=tuple(run["detectors"]),
        gps_start=run["gps_start"],
        gps_end=run["gps_end"],
        render_id=ids["gwmorph.render_id"],
        encoder_id=ids["gwmorph.encoder_id"],
        config_hash=content_hash(dict(configuration)),
        **judging,
        views=tuple(references),
    )
    tables = {
        view: {"reference": references[view], "thresholds": thresholds[view]}
        for view in references
    }
    text = yaml.safe_dump(dict(configuration), sort_keys=False)
    write_atlas(folder, about, tables, quiet, text)


def by_name(names: Sequence[str], paths: Sequence[str]) -> dict[str, Path]:
    return dict(zip(names, map(Path, paths), strict=True))


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        atlas(
            references=by_name(snakemake.params.views, snakemake.input.references),
            thresholds=by_name(snakemake.params.views, snakemake.input.thresholds),
            quiet=by_name(snakemake.params.quiet_of, snakemake.input.quiet),
            configuration=snakemake.params.configuration,
            judging=snakemake.params.judging,
            folder=Path(snakemake.output.atlas),
        )
