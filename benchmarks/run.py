"""Run benchmarks by name (all by default) and store them in ``benchmarks/results.json``."""

import argparse
from dataclasses import replace

import autoencoder  # noqa: F401  (these modules register their benchmarks)
import chirp_recall  # noqa: F401
import chirp_search  # noqa: F401
import chirps  # noqa: F401
import clusters  # noqa: F401
import encoders  # noqa: F401
import events  # noqa: F401
import faults  # noqa: F401
import finetune  # noqa: F401
import fuzzing  # noqa: F401
import harness
import indomain  # noqa: F401
import injections  # noqa: F401
import jobs  # noqa: F401
import memory  # noqa: F401
import million  # noqa: F401
import neighbors  # noqa: F401
import observing_run  # noqa: F401
import opening  # noqa: F401
import quality  # noqa: F401
import scale  # noqa: F401
import scan  # noqa: F401
import similar  # noqa: F401
import slurm  # noqa: F401
import spectra  # noqa: F401
import supervised  # noqa: F401
import timeslides  # noqa: F401
import unknown  # noqa: F401
import validation  # noqa: F401
import views  # noqa: F401


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *harness.BENCHMARKS], metavar="NAME")
    names = parser.parse_args().names or list(harness.BENCHMARKS)
    for name in names:
        try:
            measured = harness.BENCHMARKS[name]()
        except harness.NotHereError as error:
            print(f"{name}: not measured: {error}", flush=True)
            continue
        entry = replace(measured, command=f"make bench BENCH={name}", machine=harness.machine())
        harness.store([entry])
        print(_line(entry), flush=True)


def _line(entry: harness.Entry) -> str:
    text = f"{entry.name}: {entry.value:.3g} {entry.unit}"
    if entry.low is not None:
        text += f" [{entry.low:.3g}, {entry.high:.3g}]"
    if entry.ratio is not None:
        text += f", {entry.ratio:.1f} times better than {entry.peer} ({entry.peer_value:.3g})"
    return text


if __name__ == "__main__":
    main()
