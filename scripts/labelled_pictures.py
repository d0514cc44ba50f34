"""Put labelled pictures of one window length together, from wherever they come."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.config import LearningConfig, PictureConfig
from gwmorph.inputs import files_of
from gwmorph.joblog import JobLog
from gwmorph.labels import read_labels
from gwmorph.learning.labelled_pictures import (
    LabelledPictures,
    in_window,
    write_labelled_pictures,
)
from gwmorph.learning.picture_sources import (
    folder_pictures,
    hdf5_pictures,
    run_event_pictures,
    simulated_pictures,
)
from gwmorph.lineage import hashes_of, lineage
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.comparison import LABELLED
from gwmorph.tables.parquet import read_table, read_tables, shared_metadata
from gwmorph.tables.truth import TRUTH


def labelled_pictures(
    settings: LearningConfig,
    picture: PictureConfig,
    window_s: int,
    window: str,
    views: Sequence[Path],
    metadata: Path | None,
    triggers: Path | None,
    events: Sequence[Path],
    labels: Path | None,
    truth: Path | None,
    read: Sequence[str],
    pictures: Path,
) -> None:
    size = (picture.height, picture.width)
    scale = PictureScale(picture.scale, picture.energy_max, picture.colormap)

    def found() -> LabelledPictures:
        if settings.source == "folder":
            return folder_pictures(settings.folder, window, scale, size, metadata)
        if settings.source == "hdf5":
            return hdf5_pictures(settings.hdf5, window, scale, size, metadata)
        if settings.source == "run":
            made = run_event_pictures(
                read_table(triggers, TRIGGERS),
                Pictures(events, window_s),
                scale,
                size,
                read_labels(labels) if labels is not None else None,
                read_table(truth, TRUTH) if truth is not None else None,
            )
        else:
            made = simulated_pictures(read_tables(views, LABELLED), scale, size)
        return in_window(made, window)

    # The triggers speak for the pictures of a run, in whatever they are kept.
    tables_read = [path for path in map(Path, read) if path.is_file() and path not in events]
    drawn = [*views, *([triggers] if triggers is not None else [])]
    about = {"source": settings.source, "window": window}
    write_labelled_pictures(
        pictures,
        found(),
        {
            **lineage(about, hashes_of(tables_read)),
            **shared_metadata(drawn, ["gwmorph.render_id"]),
        },
    )


if __name__ == "__main__":

    def one(name: str) -> Path | None:
        return next(iter(files_of(snakemake.input, name)), None)

    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        labelled_pictures(
            settings=LearningConfig.model_validate(snakemake.params.section),
            picture=PictureConfig.model_validate(snakemake.params.picture),
            window_s=snakemake.params.window_s,
            window=snakemake.wildcards.window,
            views=files_of(snakemake.input, "views"),
            metadata=one("metadata"),
            triggers=one("triggers"),
            events=files_of(snakemake.input, "events"),
            labels=one("labels"),
            truth=one("truth"),
            read=list(snakemake.input),
            pictures=Path(snakemake.output.pictures),
        )
