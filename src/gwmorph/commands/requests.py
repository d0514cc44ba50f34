"""``gwmorph requests``: what jobs ask a batch system for, by what finished runs needed."""

import argparse
from pathlib import Path
from typing import Any


def add_requests(commands: Any) -> None:
    """Add the command to those of ``gwmorph``, an argparse object for sub-commands."""
    requests = commands.add_parser(
        "requests",
        help="say what jobs should ask a batch system for, by what runs needed",
        description="Say what memory and time jobs should ask a batch system for, by the "
        "benchmark files of finished runs, and write it into the profiles for batch systems.",
    )
    requests.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="finished runs' folders, results/NAME"
    )
    requests.add_argument(
        "--workflow", type=Path, default=Path("workflow"), help="the workflow's folder (workflow)"
    )
    requests.add_argument(
        "--memory", type=_factor, help="ask for this many times the largest job's memory (1.5)"
    )
    requests.add_argument(
        "--time", type=_factor, help="ask for this many times the longest job's time (3)"
    )
    requests.add_argument(
        "--write", action="store_true", help="write it into the profiles, and what was measured"
    )
    requests.set_defaults(command=_requests)


def _factor(text: str) -> float:
    value = float(text)
    if not 1 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: less than was needed; give 1 or more")
    return value


def _requests(options: argparse.Namespace) -> None:
    from gwmorph.batch.measured import measured, write_measured
    from gwmorph.batch.profiles import MEASURED, headroom_of, write_profiles
    from gwmorph.batch.requests import requests
    from gwmorph.batch.rules import rules_of

    rules = rules_of(options.workflow / "rules")
    found = measured(options.runs, rules)
    headroom = headroom_of(vars(options))
    print(f"{'rule':<22}{'jobs':>6}{'longest':>11}{'largest':>10}{'asks for':>22}")
    for one in requests(rules, found, headroom):
        of_rule = found.get(one.rule)
        if of_rule is not None and one.mem_mb is not None and one.runtime is not None:
            print(
                f"{one.rule:<22}{of_rule.jobs:>6}{of_rule.longest_s:>9.0f} s"
                f"{of_rule.largest_mb:>7.0f} MB{one.mem_mb:>12} MB{one.runtime:>5} min"
            )
    if options.write:
        folder = options.workflow / "profiles"
        write_measured(folder / MEASURED, found.values())
        for path in (folder / MEASURED, *write_profiles(folder, rules, found, headroom)):
            print(f"Written: {path}")
