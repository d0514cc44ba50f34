"""The command ``gwmorph verify``."""

import argparse
from pathlib import Path

from gwmorph.provenance.verify import RecordError, check, describe, recorded_files, size_of

DIFFERENT_CODE = 3


def add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of ``gwmorph``."""
    verify = commands.add_parser(
        "verify",
        help="say whether a run and what it read are still what its record says",
        description="Hash the inputs and outputs of a run once more, and say what differs from "
        "the record that `snakemake provenance` made, what is missing, and what is new.",
        epilog="Exit codes: 0 all is the same; 1 an error; 2 the command line; "
        f"{DIFFERENT_CODE} something differs, is missing or is new.",
    )
    verify.add_argument(
        "crate", type=Path, help="a run's folder, results/NAME, or its ro-crate-metadata.json"
    )
    verify.add_argument(
        "--base", type=Path, default=Path(), help="folder that snakemake was run in (this one)"
    )
    verify.add_argument(
        "--cache", type=Path, help="source.cache, if it lies elsewhere than the configuration says"
    )
    verify.add_argument(
        "--no-inputs", action="store_true", help="leave out strain, weights and other inputs"
    )
    verify.set_defaults(command=_verify)


def _verify(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    if not options.crate.exists():
        raise RecordError(f"{options.crate}: no such file or folder; name results/NAME.")
    folder = options.crate if options.crate.is_dir() else options.crate.parent
    recorded = recorded_files(folder, options.base, options.cache)
    if options.no_inputs:
        recorded = [one for one in recorded if not one.is_input]
    # Only in a terminal (disable=None).
    with tqdm(
        total=size_of(recorded), unit="B", unit_scale=True, disable=None, desc="hashing"
    ) as bar:
        checked = check(recorded, folder, bar.update)
    print("\n".join([f"{folder}", *describe(checked)]))
    return DIFFERENT_CODE if checked.differences else 0
