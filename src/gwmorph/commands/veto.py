"""``gwmorph veto``: segments around some of a run's events."""

import argparse
from pathlib import Path
from typing import Any

from gwmorph.commands.unfinished import warn_of_unfinished


def add_veto(commands: Any) -> None:
    """Add the command to those of ``gwmorph``, an argparse object for sub-commands."""
    veto = commands.add_parser(
        "veto",
        help="write veto segments around the events of a cluster, class or status",
        description="Write veto segments around the events of a cluster, class or status: for "
        "each detector segwizard text, LIGO_LW XML, and their figures as JSON.",
    )
    veto.add_argument("run", type=Path, help="the run's folder, results/NAME")
    chosen = veto.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--cluster", type=int, help="number of the cluster of events")
    chosen.add_argument(
        "--class", dest="named", metavar="NAME", help="class that events are most like"
    )
    chosen.add_argument("--status", help="NOVEL, AMBIGUOUS or KNOWN")
    veto.add_argument("--out", type=Path, default=Path(), help="folder for the files (here)")
    veto.add_argument(
        "--padding",
        type=float,
        help="seconds that are vetoed before an event's first tile and after its last one (0.1)",
    )
    veto.add_argument(
        "--whole-seconds",
        action="store_true",
        help="move edges outward to whole seconds, as data-quality flags have them; else to "
        "milliseconds",
    )
    veto.set_defaults(command=_veto)


def _veto(options: argparse.Namespace) -> None:
    from gwmorph.report.vetoes import SAFETY, Choice, summary_of, write_veto
    from gwmorph.runs.vetoes import PADDING_S, vetoes_of

    column, value = next(
        (name, given)
        for name in ("cluster", "named", "status")
        if (given := getattr(options, name)) is not None
    )
    kind = "class" if column == "named" else column
    padding = PADDING_S if options.padding is None else options.padding
    choice = Choice(str(options.run), kind, value, padding, options.whole_seconds)
    found = vetoes_of(options.run, column, value, padding, options.whole_seconds)
    for detector, veto in found.items():
        if not veto.segments:
            print(f"{detector}: no event of {kind} {value}, so no veto.")
            continue
        paths = write_veto(veto, options.out, choice)
        print(f"{detector}: {summary_of(veto)}.")
        print("\n".join(f"  {path}" for path in paths))
    print(SAFETY)
    warn_of_unfinished(options.run)
