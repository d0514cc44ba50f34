"""Draw the 2-d map of a run's windows or events, coloured by what becomes of them."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.statuses import draw_statuses
from gwmorph.tables.calibration import STATUSES, THRESHOLDS
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table

if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        draw_statuses(
            read_table(snakemake.input.clusters, CLUSTERS),
            read_table(snakemake.input.statuses, STATUSES),
            read_table(snakemake.input.thresholds, THRESHOLDS),
            snakemake.params.judging["promise"],
            snakemake.wildcards.view,
            Path(snakemake.output.figure),
        )
