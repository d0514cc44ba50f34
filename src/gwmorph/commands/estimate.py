"""``gwmorph estimate``: what a longer run would take, by what finished ones took."""

import argparse
from pathlib import Path
from typing import Any


def add_estimate(commands: Any) -> None:
    """Add the command to those of ``gwmorph``, an argparse object for sub-commands."""
    estimate = commands.add_parser(
        "estimate",
        help="say what a longer run would take, by what finished ones took",
        description="Extrapolate time, memory and disk from finished runs, which are best of two "
        "or more sizes: what a run takes once is then told from what each block takes. Run them "
        "with all cores busy, on the machine in question.",
    )
    estimate.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="finished runs' folders, results/NAME"
    )
    estimate.add_argument(
        "--blocks",
        type=_count,
        nargs="+",
        required=True,
        help="blocks of 4096 s of all detectors together: 21 a day and detector",
    )
    estimate.add_argument("--cores", type=_count, nargs="+", default=[1], help="cores (1)")
    estimate.add_argument(
        "--workflow", type=Path, default=Path("workflow"), help="the workflow's folder (workflow)"
    )
    estimate.set_defaults(command=_estimate)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: give 1 or more")
    return value


def _estimate(options: argparse.Namespace) -> None:
    from gwmorph.batch.estimate import estimate, sample_of
    from gwmorph.batch.rules import rules_of

    rules = rules_of(options.workflow / "rules")
    samples = [sample_of(run, rules) for run in options.runs]
    print(
        f"{'blocks':>8}{'cores':>7}{'core hours':>12}{'wall hours':>12}{'memory':>12}{'disk':>11}"
    )
    for blocks in options.blocks:
        for cores in options.cores:
            found = estimate(samples, rules, blocks, cores)
            print(
                f"{blocks:>8}{cores:>7}{found.core_h:>12.2f}{found.wall_h:>12.2f}"
                f"{found.memory_gb:>9.1f} GB{found.disk_gb:>8.1f} GB"
            )
    print(
        "Extrapolated along straight lines. Wall hours and memory are upper bounds; strain is not "
        "in the disk."
    )
