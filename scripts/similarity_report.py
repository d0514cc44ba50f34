"""Draw and tabulate what clusters of one view are like, and how far their names can be trusted."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.similarity import draw_similarity, write_similarity_page
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import CONFUSION, NAMED_CLUSTERS, NAMING


def similarity_report(
    clusters: Path, scores: Path, confusion: Path, figure: Path, html: Path
) -> None:
    named, scored = read_table(clusters, NAMED_CLUSTERS), read_table(scores, NAMING)
    draw_similarity(scored, read_table(confusion, CONFUSION), figure)
    write_similarity_page(named, scored, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        similarity_report(
            clusters=Path(snakemake.input.clusters),
            scores=Path(snakemake.input.scores),
            confusion=Path(snakemake.input.confusion),
            figure=Path(snakemake.output.figure),
            html=Path(snakemake.output.html),
        )
