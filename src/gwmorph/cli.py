"""The command ``gwmorph``: what is not a workflow stage."""

import argparse
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from gwmorph.commands.costs import add_costs
from gwmorph.commands.estimate import add_estimate
from gwmorph.commands.requests import add_requests
from gwmorph.commands.similar import add_similar
from gwmorph.commands.status import add_status
from gwmorph.commands.unfinished import warn_of_unfinished
from gwmorph.commands.verify import add_verify
from gwmorph.commands.veto import add_veto
from gwmorph.errors import GwmorphError

if TYPE_CHECKING:  # what starts slowly is imported where it is needed
    import threading

    from gwmorph.config import Config
    from gwmorph.scanner.summary import BlockSummary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0, or 1 after an error of the user's; `scan`, `watch` and `verify` have more of their own.
    """
    # A notebook names a backend that may not be installed here, and nothing here needs any.
    os.environ["MPLBACKEND"] = "agg"
    if isinstance(sys.stdout, io.TextIOWrapper):  # whose encoding may lack a sign that is printed
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        code = options.command(options)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads, such as head, has enough: what is left goes nowhere
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return 0
    # What the system says of a path that nothing else has looked at: too long, no permission.
    except (GwmorphError, OSError) as error:
        print(f"gwmorph: error: {error}", file=sys.stderr)
        return 1
    return code or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gwmorph", description="Maps of gravitational-wave transient morphologies."
    )
    parser.add_argument("--version", action="version", version=f"gwmorph {version('gwmorph')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    show = commands.add_parser("show", help="draw one moment of a strain file")
    show.add_argument("file", type=Path, help="HDF5 (GWOSC's layout or plain) or frame file")
    show.add_argument("--gps", type=float, required=True, help="GPS time to look at")
    show.add_argument(
        "--seconds",
        type=_seconds,
        default=32,
        help="how much to draw around it, 0.1 to 508 seconds (32)",
    )
    show.add_argument(
        "--detector", type=_detector, help="for files that do not say it: H1, L1, V1, K1 or G1"
    )
    show.add_argument("--dataset", help="data set of a plain HDF5 file")
    show.add_argument("--channel", help="channel of a frame file")
    show.add_argument(
        "--out",
        type=Path,
        help="PNG, PDF or SVG to write (<IFO>-GWMORPH_SHOW-<GPS>-<SECONDS>.png)",
    )
    show.add_argument(
        "--configfile", type=Path, help="take conditioning, tiling and palette from this file"
    )
    show.set_defaults(command=_show)

    summary = commands.add_parser("summary", help="print the summary of a finished run")
    summary.add_argument("run", type=Path, help="the run's folder, results/NAME")
    summary.set_defaults(command=_summary)

    labels = commands.add_parser(
        "labels", help="check a file of labels, and count what a run has of them"
    )
    labels.add_argument("file", type=Path, help="CSV with the columns of Gravity Spy's releases")
    labels.add_argument("run", type=Path, nargs="?", help="a run's folder, results/NAME")
    labels.set_defaults(command=_labels)

    atlas = commands.add_parser("atlas", help="check an atlas, and print what it holds")
    atlas.add_argument("folder", type=Path, help="results/NAME/calibration/atlas, or a copy of it")
    atlas.set_defaults(command=_atlas)

    scan = commands.add_parser(
        "scan",
        help="say what becomes of every window of some strain files",
        description="Say what becomes of every window of some strain files, by an atlas.",
        epilog="Exit codes: 0 all is scanned; 1 an error; 2 the command line; 3 a block FAILED; "
        "4 an alarm; 130 or 143 interrupted: the same command goes on from there.",
    )
    scan.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="strain files, or folders of them"
    )
    _add_scan_options(scan)
    scan.set_defaults(command=_scan)

    watch = commands.add_parser(
        "watch",
        help="scan strain files as they appear",
        description="Say what becomes of every window of strain files as they appear, by an "
        "atlas, until it is told to stop (Ctrl-C, SIGTERM).",
        epilog="Exit codes: 0 it was told to stop; 1 an error; 2 the command line; 3 it was told "
        "to stop, and some block is FAILED.",
    )
    watch.add_argument(
        "where",
        metavar="DIR",
        help="folder in which files appear, or the address of a server that speaks GWOSC's API",
    )
    _add_scan_options(watch)
    watch.add_argument(
        "--since",
        type=int,
        help="of a server: GPS second from which on files are asked for (where an earlier watch "
        "stopped, else the newest file)",
    )
    _add_page_options(watch)
    watch.set_defaults(command=_watch)

    triggers = commands.add_parser("triggers", help="write a run's triggers for other programs")
    triggers.add_argument("run", type=Path, help="the run's folder, results/NAME")
    triggers.add_argument(
        "--out",
        type=Path,
        required=True,
        help="file to write: .h5, .hdf5 or .hdf as Omicron does, .xml for LIGO_LW (sngl_burst)",
    )
    triggers.add_argument(
        "--detector", type=_detector, help="write those of one detector: H1, L1, V1, K1 or G1"
    )
    triggers.set_defaults(command=_triggers)

    _add_from_modules(commands)

    fetch = commands.add_parser(
        "fetch-weights", help="fetch and check DINOv2's weights; print the keys that pin them"
    )
    fetch.add_argument(
        "--configfile", type=Path, help="take encoder.weights from this file (hub_id, path, …)"
    )
    fetch.add_argument("--revision", help="commit of the hub repository, 40 hexadecimal digits")
    fetch.set_defaults(command=_fetch_weights)

    config = commands.add_parser(
        "config", help="print all keys with their defaults, or check a configuration file"
    )
    chosen = config.add_mutually_exclusive_group()
    chosen.add_argument(
        "file", type=Path, nargs="?", help="file to check: faults name their line or their key"
    )
    chosen.add_argument(
        "--write",
        action="store_true",
        help="in a checkout: regenerate config/config.yaml, the JSON Schema, the table of keys",
    )
    config.set_defaults(command=_config)

    return parser


def _add_from_modules(commands: Any) -> None:
    add_costs(commands)
    add_estimate(commands)
    add_requests(commands)
    add_similar(commands)
    add_status(commands)
    add_verify(commands)
    add_veto(commands)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\s*[0-9]{1,4}(\.[0-9]*)?\s*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"expected seconds, as in 32 or 0.5, got {text!r}")
    return float(text)


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port, 0 to 65535, got {text!r}")
    return int(text)


def _detector(text: str) -> str:
    from gwmorph.config import Detector

    known = get_args(Detector)
    if text not in known:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(known)}, got {text!r}")
    return text


def _show(options: argparse.Namespace) -> None:
    from gwmorph.block import RenderParameters
    from gwmorph.config import load_yaml, parse_config
    from gwmorph.naming import span_name
    from gwmorph.report.moment import (
        describe_candidates,
        describe_drawn,
        draw_moment,
        look_at,
        require_drawable,
        whole_seconds,
    )
    from gwmorph.strain.base import LocalFile, StrainFile
    from gwmorph.strain.files import describe

    require_drawable(options.seconds, options.out)
    raw = load_yaml(options.configfile) if options.configfile else {}
    config = parse_config(raw, str(options.configfile))
    found = describe(options.file, "auto", options.channel, options.dataset)
    parameters = RenderParameters.of(config)
    rate = min(parameters.sample_rate, found.sample_rate)
    parameters = whole_seconds(replace(parameters, sample_rate=rate), options.seconds)
    detector = found.detector or options.detector
    if detector is None:
        raise GwmorphError(f"{options.file}: does not say its detector; pass --detector.")
    if options.detector not in (None, detector):
        raise GwmorphError(
            f"{options.file}: holds strain of {detector}, not of {options.detector}. Leave out "
            "--detector, or name another file, --dataset or --channel."
        )
    file = LocalFile.receipt(
        StrainFile(
            detector, found.gps_start, found.duration, found.sample_rate, str(options.file)
        ),
        options.file,
        found.layout,
        found.dataset_or_channel,
    )
    moment = look_at(file, options.gps, parameters, config.events.candidates.model_dump())
    name = span_name(detector, "SHOW", moment.gps_start, moment.window_s, "png")
    path = options.out or Path(name)
    draw_moment(moment, options.gps, options.seconds, parameters.picture_scale, path)
    print(
        f"{path}: {detector} GPS {moment.gps_start} to {moment.gps_start + moment.window_s}; "
        f"loudest tile at GPS {moment.tile_time:.4f}, {moment.tile_frequency:.1f} Hz, "
        f"Q {moment.tile_q:.1f}, energy {moment.tile_energy:.1f}, SNR {moment.tile_snr:.1f}"
    )
    if drawn := describe_drawn(moment, options.gps, options.seconds):
        print(drawn)
    print("\n".join(describe_candidates(moment)) or "no box, track or chirp above the noise")


def _summary(options: argparse.Namespace) -> None:
    from gwmorph.report.summary import print_summary
    from gwmorph.storage import read_json

    path = options.run / "summary.json"
    if not path.is_file():
        raise GwmorphError(
            f"{path}: no such file; run snakemake to its end first, or name another run's folder."
        )
    content = read_json(path)
    if not isinstance(content, dict):
        raise GwmorphError(f"{path}: is no summary of a run. Remove it and run snakemake again.")
    try:
        print_summary(content, options.run)
    except KeyError as missing:
        raise GwmorphError(
            f"{path}: is no summary of a run, or one of another version: it lacks {missing}. "
            "Remove it and run snakemake again."
        ) from missing
    warn_of_unfinished(options.run)
    if not (options.run / "verdict.json").is_file():
        log = options.run / "logs" / "verdict.log"
        print(f"No verdict: the run is not finished, or lost too many windows ({log} says which).")


def _labels(options: argparse.Namespace) -> None:
    from gwmorph.labels import read_labels
    from gwmorph.report.labels import labels_of_run, print_fates, print_labels

    labels = read_labels(options.file)
    print_labels(labels)
    if options.run is not None:
        print_fates(labels, labels_of_run(labels, options.run), options.run)
        warn_of_unfinished(options.run)


def _atlas(options: argparse.Namespace) -> None:
    from gwmorph.morphology.atlas import describe, read_atlas

    print(describe(read_atlas(options.folder)))


def _add_page_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--serve", action="store_true", help="serve the live page")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address that the page is served at (127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=_port, default=8765, help="its port, 0 for a free one (8765)"
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="further name that browsers may call it by, as that of a server before it; may be "
        "repeated",
    )


def _add_scan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--atlas", type=Path, required=True, help="results/NAME/calibration/atlas, or a copy of it"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for results; what it holds is not redone"
    )
    parser.add_argument(
        "--configfile",
        type=Path,
        help="take all keys from this file, not from the atlas; pictures and vectors must be made "
        "as the atlas's are",
    )
    parser.add_argument(
        "--receiver",
        help="address or file that is given the record of each NOVEL event "
        "(scan.receiver.address of --configfile, else OUT/events.jsonl)",
    )


def _scan(options: argparse.Namespace) -> int:
    from gwmorph.scanner.arrivals import given_files
    from gwmorph.scanner.ending import blocks_of, exit_code, stopped_by_signals
    from gwmorph.scanner.preparing import prepare
    from gwmorph.scanner.record import read_record
    from gwmorph.scanner.scan import scan

    how = prepare(options.atlas, config := _scan_config(options), _warn, None)
    with stopped_by_signals() as stop:
        files = [file for file in given_files(options.paths, _warn) if file is not None]
        found = scan(iter(files), how, options.out, stop.event)
        blocks = list(_announced(found, options, config, stop.event))
    if stop.code:
        print("Interrupted. What is finished is kept: the same command goes on from there.")
        return stop.code
    if not blocks:
        print(f"{options.out}: all blocks of these files were scanned before.")
    # Those that an earlier call finished are answered for, too.
    return exit_code(blocks_of(read_record(options.out).values(), files))


def _watch(options: argparse.Namespace) -> int:
    from gwmorph.scanner.announcing import OUTBOX
    from gwmorph.scanner.clock import gps_now
    from gwmorph.scanner.ending import FAILED_CODE, stopped_by_signals
    from gwmorph.scanner.preparing import prepare
    from gwmorph.scanner.scan import scan
    from gwmorph.scanner.watching import resume_at, source_at

    how = prepare(options.atlas, config := _scan_config(options), _warn, None)
    since = resume_at(options.out) if options.since is None else options.since
    with stopped_by_signals() as stop, ExitStack() as opened:
        detectors = how.atlas.about.detectors
        source = source_at(options.where, config, detectors, since, _warn, stop.event)
        if options.serve:
            from gwmorph.scanner.server import PageServer

            page = PageServer(
                options.out,
                options.out / OUTBOX,
                gps_now,
                options.host,
                options.port,
                options.name,
            )
            print(f"Live page: {opened.enter_context(page).url}", flush=True)
        failed: set[str] = set()
        for block in _announced(
            scan(source, how, options.out, stop.event), options, config, stop.event
        ):
            (failed.add if block.failed else failed.discard)(block.folder)
    return FAILED_CODE if failed else 0


def _scan_config(options: argparse.Namespace) -> "Config":
    from gwmorph.config import load_yaml, parse_config
    from gwmorph.scanner.preparing import atlas_config

    path = options.configfile
    return parse_config(load_yaml(path), str(path)) if path else atlas_config(options.atlas)


def _announced(
    blocks: Iterator["BlockSummary"],
    options: argparse.Namespace,
    config: "Config",
    stop: "threading.Event",
) -> Iterator["BlockSummary"]:
    """Print and announce each block, and yield it."""
    from gwmorph.scanner.announcing import announcing
    from gwmorph.scanner.receivers import FileReceiver, receiver_at
    from gwmorph.scanner.telling import lines_of
    from gwmorph.strain.download import Patience

    told = config.scan.receiver
    address = options.receiver or told.address
    own = FileReceiver(options.out / "events.jsonl")
    patience = Patience(
        told.attempts, told.timeout_s, longest_wait_s=config.scan.watch.longest_wait_s
    )
    with announcing(
        options.out,
        receiver_at(address, told.timeout_s) if address else own,
        patience,
        told.links or "",
        stop,
        _warn,
    ) as announce:
        for block in blocks:
            announce(block)
            print("\n".join(lines_of(block, options.out)), flush=True)
            yield block


def _warn(text: str) -> None:
    print(f"gwmorph: {text}", file=sys.stderr)


def _triggers(options: argparse.Namespace) -> None:
    from gwmorph.report.exports import export_triggers, triggers_of_run
    from gwmorph.wording import counted

    found, metadata = triggers_of_run(options.run, options.detector)
    export_triggers(found, options.out, metadata)
    print(f"{options.out}: {counted(found.num_rows, 'trigger')}")
    warn_of_unfinished(options.run)


def _fetch_weights(options: argparse.Namespace) -> None:
    import yaml

    from gwmorph.config import load_yaml, parse_config
    from gwmorph.encoders.registry import fetch_weights

    raw = load_yaml(options.configfile) if options.configfile else {}
    origin = str(options.configfile or "fetch-weights")
    encoder = raw.get("encoder", {})
    if isinstance(encoder, dict):
        encoder = {**encoder, "name": "dct"}  # dinov2 would be refused without pinned weights
    unpinned = parse_config({"encoder": encoder}, origin).encoder.weights
    given = unpinned.model_dump(exclude_unset=True)
    if options.revision:
        given["revision"] = options.revision
    wanted: dict[str, Any] = {"encoder": {"name": "dinov2", "weights": given}}
    config = parse_config(wanted, origin)
    folder, sha256 = fetch_weights(config.encoder.weights)
    print(f"# {folder}: a whole ViT-S/14 with registers. These keys pin it:")
    wanted["encoder"]["weights"] = {**given, "sha256": sha256}
    print(yaml.safe_dump(wanted, sort_keys=False), end="")


def _config(options: argparse.Namespace) -> None:
    from gwmorph.config import load_yaml, parse_config
    from gwmorph.config.generated import default_yaml, write_generated_files

    if options.write:
        write_generated_files(Path())
    elif options.file:
        parse_config(load_yaml(options.file), str(options.file))
        print(f"{options.file}: every key is known, and every value is one that it may have.")
    else:
        print(default_yaml(), end="")


if __name__ == "__main__":
    sys.exit(main())
