"""Draw and tabulate what coincides in the detectors of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.timeslides import (
    draw_inverse_rates,
    draw_window_counts,
    write_timeslides_page,
)
from gwmorph.run_pictures import Pictures
from gwmorph.tables.parquet import read_table
from gwmorph.tables.timeslides import (
    CANDIDATES,
    EFFICIENCY,
    LIMITS,
    SEARCHED,
    SUMMARY,
    WINDOW_COUNTS,
)

_SCHEMAS = {
    "candidates": CANDIDATES,
    "summary": SUMMARY,
    "searched": SEARCHED,
    "window_counts": WINDOW_COUNTS,
    "limits": LIMITS,
    "efficiency": EFFICIENCY,
}


def slides_report(
    tables: Mapping[str, Path],
    pictures: Sequence[Path],
    window_s: int,
    listed: int,
    outputs: Mapping[str, Path],
) -> None:
    rows = {name: read_table(tables[name], schema) for name, schema in _SCHEMAS.items()}
    draw_inverse_rates(rows["candidates"], rows["summary"], outputs["rates"])
    draw_window_counts(rows["window_counts"], rows["summary"], outputs["windows"])
    write_timeslides_page(rows, Pictures(pictures, window_s), listed, outputs["html"])


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        slides_report(
            tables={name: Path(snakemake.input[name]) for name in _SCHEMAS},
            pictures=[Path(path) for path in snakemake.input.pictures],
            window_s=snakemake.params.window_s,
            listed=snakemake.params.listed,
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
