"""``gwmorph status``: how far a run is."""

import argparse
from pathlib import Path
from typing import Any


def add_status(commands: Any) -> None:
    """Add the command to those of ``gwmorph``, an argparse object for sub-commands."""
    status = commands.add_parser(
        "status", help="say how far a run is, what failed, and about how long the rest will take"
    )
    status.add_argument("run", type=Path, help="the run's folder, results/NAME")
    status.set_defaults(command=_status)


def _status(options: argparse.Namespace) -> None:
    from gwmorph.report.status import lines_of, progress_of

    print("\n".join(lines_of(progress_of(options.run), options.run)))
