"""What a file of labels holds, and what a run has of it, for the terminal."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gwmorph.errors import GwmorphError
from gwmorph.labels import FATES, NO_DETECTOR, NO_WINDOW, fates, matching_triggers
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.parquet import read_table, read_tables
from gwmorph.wording import counted

# Labels that are named one by one before it is said how many more there are.
_NAMED = 20


def print_labels(labels: pa.Table) -> None:
    """Print how many labels of each class every detector has (``LABELS``)."""
    detectors, classes = (labels[name].to_pylist() for name in ("detector", "label"))
    counts = Counter(zip(classes, detectors, strict=True))
    _print_counts(
        counted(len(labels), "label"), sorted(set(classes)), sorted(set(detectors)), counts
    )


def labels_of_run(labels: pa.Table, run: Path) -> list[str]:
    """Return what becomes of every label in a finished run; see `gwmorph.labels.fates`.

    Raises
    ------
    GwmorphError
        The run's folder has no triggers or no ledgers.
    TableError
        They were written by another version.
    """
    path, ledgers = run / "triggers.parquet", sorted((run / "ledger").glob("*.parquet"))
    if not path.is_file() or not ledgers:
        raise GwmorphError(
            f"{run}: no triggers.parquet or no ledger/ in it; run snakemake to its end first, or "
            "name another run's folder."
        )
    triggers = read_table(path, TRIGGERS)
    ledger = read_tables(ledgers, LEDGER)
    return fates(labels, ledger, matching_triggers(labels, triggers))


def print_fates(labels: pa.Table, found: Sequence[str], run: Path) -> None:
    """Print how many labels a run has, by class, and name those that lie outside of it."""
    classes = labels["label"].to_pylist()
    counts = Counter(zip(classes, found, strict=True))
    shown = [fate for fate in FATES if fate in found]
    _print_counts(f"In {run}", sorted(set(classes)), shown, counts)
    outside = [
        f"{row['detector']} GPS {row['gps_time']:.3f} {row['label']} "
        f"({row['gravityspy_id']}): {fate}"
        for row, fate in zip(labels.to_pylist(), found, strict=True)
        if fate in (NO_DETECTOR, NO_WINDOW)
    ]
    console = Console()
    for line in outside[:_NAMED]:
        console.print(Text(line), soft_wrap=True)
    if len(outside) > _NAMED:
        console.print(Text(f"and {len(outside) - _NAMED} more outside of the run"))


def _print_counts(
    title: str,
    classes: Sequence[str],
    columns: Sequence[str],
    counts: Counter[tuple[str, str]],
) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    for label in classes:
        table.add_row(Text(label), *(f"{counts[label, column]:,}" for column in columns))
    table.add_section()
    totals = (sum(counts[label, column] for label in classes) for column in columns)
    table.add_row("all", *(f"{total:,}" for total in totals))
    Console().print(table)
