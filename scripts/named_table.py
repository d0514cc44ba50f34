"""List what each real glitch is taken for."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.report.comparison import named_text
from gwmorph.report.recall import write_table_page
from gwmorph.tables.comparison import NAMED, REAL_STRAIN
from gwmorph.tables.parquet import read_table


def named_table(named: Path, real_strain: Path, html: Path) -> None:
    text = named_text(
        read_table(real_strain, REAL_STRAIN),
        read_table(named, NAMED),
    )
    write_table_page("Real glitches", text, html)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        named_table(
            named=Path(snakemake.input.named),
            real_strain=Path(snakemake.input.real_strain),
            html=Path(snakemake.output.html),
        )
