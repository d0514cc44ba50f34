"""Count which injections into real noise stand out from all its other windows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gwmorph import tables
from gwmorph.evidence.injections import read_windows
from gwmorph.evidence.recall import noise_rows
from gwmorph.evidence.registry import load_statistics
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.report.recall import noise_text, write_table_page


def noise_counts(
    windows: Sequence[Path],
    morphologies: Mapping[str, str],
    modules: Sequence[str],
    counts: Path,
    html: Path,
) -> None:
    labels = {name: entry.label for name, entry in load_statistics(modules).items()}
    metadata = lineage({}, hashes_of(windows))
    rows = noise_rows(read_windows(windows))
    tables.write_table(counts, tables.NOISE_COUNTS, rows, metadata)
    text = noise_text(tables.read_table(counts, tables.NOISE_COUNTS), morphologies, labels)
    write_table_page("Injections into real noise", text, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        noise_counts(
            windows=[Path(path) for path in snakemake.input.windows],
            morphologies=snakemake.params.morphologies,
            modules=snakemake.params.modules,
            counts=Path(snakemake.output.counts),
            html=Path(snakemake.output.html),
        )
