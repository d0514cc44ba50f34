"""Draw a contact sheet of example pictures for each of the largest clusters and for outliers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.joblog import JobLog
from gwmorph.report.gallery import (
    Example,
    GalleryScale,
    Heading,
    choose_examples,
    choose_outliers,
    draw_gallery,
)
from gwmorph.report.names import read_names
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.tiling import tiling_within_band
from gwmorph.tables.clusters import CLUSTER_SUMMARY, CLUSTERS
from gwmorph.tables.parquet import read_table


def galleries(
    clusters: Path,
    cluster_summary: Path,
    named: Sequence[Path],
    view: str,
    pictures: Sequence[Path],
    scale: GalleryScale,
    count: int,
    largest: int,
    folder: Path,
) -> None:
    members = read_table(clusters, CLUSTERS)
    summary = read_table(cluster_summary, CLUSTER_SUMMARY)
    names = read_names(named, summary)
    shown_in = Pictures(pictures, int(scale.window_s))
    folder.mkdir(parents=True)

    def draw(name: str, heading: Heading, examples: Sequence[Example]) -> None:
        shown = [shown_in.of(e.detector, e.gps_start, e.trigger_time) for e in examples]
        draw_gallery(heading, view, examples, shown, scale, folder / f"cluster_{name}.png")

    for row in summary.to_pylist()[:largest]:
        cluster = row["cluster"]
        doubts = row["supported"], row["outside_umap"]
        heading = Heading.of_cluster(cluster, *doubts, names[cluster] if names else None)
        draw(f"{cluster:03d}", heading, choose_examples(cluster, members, summary, count))
    if outliers := choose_outliers(members, count):
        draw("outliers", Heading.of_outliers(), outliers)


def gallery_scale(
    window_s: int,
    conditioning: Mapping[str, Any],
    qtransform: Mapping[str, Any],
    picture: Mapping[str, Any],
) -> GalleryScale:
    tiling = tiling_within_band(window_s, conditioning, qtransform)
    look = {key: picture[key] for key in ("energy_max", "scale", "colormap")}
    return GalleryScale(window_s, tiling.f_low, tiling.f_top, **look)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        galleries(
            clusters=Path(snakemake.input.clusters),
            cluster_summary=Path(snakemake.input.cluster_summary),
            named=[Path(path) for path in snakemake.input.named],
            view=snakemake.wildcards.view,
            pictures=[Path(path) for path in snakemake.input.pictures],
            scale=gallery_scale(
                snakemake.params.window_s,
                snakemake.params.conditioning,
                snakemake.params.qtransform,
                snakemake.params.picture,
            ),
            count=snakemake.params.pictures_each,
            largest=snakemake.params.largest,
            folder=Path(snakemake.output.galleries),
        )
