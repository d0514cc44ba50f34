"""``gwmorph costs``: the time and the memory that a run's jobs took, by rule."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any


def add_costs(commands: Any) -> None:
    """Add the command to those of ``gwmorph``, an argparse object for sub-commands."""
    costs = commands.add_parser(
        "costs",
        help="say what time and memory a run's jobs took, by rule",
        description="Sum the benchmark files of a run's jobs by rule, most processor time first.",
    )
    costs.add_argument("run", type=Path, help="the run's folder, results/NAME")
    costs.add_argument(
        "--workflow",
        type=Path,
        default=Path("workflow"),
        help="folder of the workflow that made the run (workflow)",
    )
    costs.add_argument("--json", action="store_true", help="print JSON, for other programs")
    costs.set_defaults(command=_costs)


def _costs(options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    from gwmorph.batch.costs import HEADINGS, MEANING, costs_of, rows_of
    from gwmorph.batch.rules import rules_of

    found = costs_of(options.run, rules_of(options.workflow / "rules"))
    if options.json:
        print(json.dumps({"run": str(options.run), **asdict(found)}, indent=2))
        return
    table = Table(title=f"Run {options.run.resolve().name}", title_justify="left")
    for heading, _ in HEADINGS:
        table.add_column(heading, justify="right" if table.columns else "left")
    *rules, total = rows_of(found)
    for row in rules:
        table.add_row(*row)
    table.add_section()
    table.add_row(*total)
    console = Console()
    console.print(table)
    console.print(MEANING, highlight=False)
