"""The command ``gwmorph``: what is not a workflow stage."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from gwmorph.errors import GwmorphError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, or 1 after an error of the user's."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except GwmorphError as error:
        print(f"gwmorph: error: {error}", file=sys.stderr)
        return 1
    return 0


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
        "--seconds", type=_seconds, default=32, help="length of the window in whole seconds (32)"
    )
    show.add_argument("--detector", help="for files that do not say it: H1, L1, V1, K1 or G1")
    show.add_argument("--dataset", help="data set of a plain HDF5 file")
    show.add_argument("--channel", help="channel of a frame file")
    show.add_argument(
        "--out", type=Path, help="PNG to write (<IFO>-GWMORPH_SHOW-<GPS>-<SECONDS>.png)"
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

    triggers = commands.add_parser("triggers", help="write a run's triggers for other programs")
    triggers.add_argument("run", type=Path, help="the run's folder, results/NAME")
    triggers.add_argument(
        "--out",
        type=Path,
        required=True,
        help="file to write: .h5, .hdf5 or .hdf as Omicron does, .xml for LIGO_LW (sngl_burst)",
    )
    triggers.add_argument("--detector", help="write those of one detector: H1, L1, V1, K1 or G1")
    triggers.set_defaults(command=_triggers)

    fetch = commands.add_parser(
        "fetch-weights", help="fetch and check DINOv2's weights; print the keys that pin them"
    )
    fetch.add_argument(
        "--configfile", type=Path, help="take encoder.weights from this file (hub_id, path, …)"
    )
    fetch.add_argument("--revision", help="commit of the hub repository, 40 hexadecimal digits")
    fetch.set_defaults(command=_fetch_weights)

    config = commands.add_parser("config", help="print all keys with their defaults")
    config.add_argument(
        "--write",
        action="store_true",
        help="in a checkout: regenerate config/config.yaml, the JSON Schema, the table of keys",
    )
    config.set_defaults(command=_config)
    return parser


def _seconds(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1 s, got {number}")
    return number


def _show(options: argparse.Namespace) -> None:
    from gwmorph.block import RenderParameters
    from gwmorph.config import load_yaml, parse_config
    from gwmorph.naming import span_name
    from gwmorph.report.moment import describe_candidates, draw_moment, look_at
    from gwmorph.strain.base import LocalFile, StrainFile
    from gwmorph.strain.files import describe

    raw = load_yaml(options.configfile) if options.configfile else {}
    config = parse_config(raw, str(options.configfile))
    found = describe(options.file, "auto", options.channel, options.dataset)
    parameters = RenderParameters.from_sections(
        options.seconds,
        config.conditioning.model_dump(),
        config.qtransform.model_dump(),
        config.picture.model_dump(),
    )
    rate = min(parameters.sample_rate, found.sample_rate)
    parameters = replace(parameters, sample_rate=rate)
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
    draw_moment(moment, options.gps, parameters, path)
    print(
        f"{path}: {detector} GPS {moment.gps_start} to {moment.gps_start + moment.window_s}; "
        f"loudest tile at GPS {moment.tile_time:.4f}, {moment.tile_frequency:.1f} Hz, "
        f"Q {moment.tile_q:.1f}, energy {moment.tile_energy:.1f}, SNR {moment.tile_snr:.1f}"
    )
    print("\n".join(describe_candidates(moment)) or "no box, track or chirp above the noise")


def _summary(options: argparse.Namespace) -> None:
    from gwmorph.report.summary import print_summary

    path = options.run / "summary.json"
    if not path.is_file():
        raise GwmorphError(
            f"{path}: no such file; run snakemake to its end first, or name another run's folder."
        )
    print_summary(json.loads(path.read_text()), options.run)
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


def _triggers(options: argparse.Namespace) -> None:
    import pyarrow.compute as pc

    from gwmorph.report.exports import export_triggers
    from gwmorph.tables.block import TRIGGERS
    from gwmorph.tables.parquet import read_metadata, read_table

    path = options.run / "triggers.parquet"
    if not path.is_file():
        raise GwmorphError(
            f"{path}: no such file; run snakemake to its end first, or name another run's folder."
        )
    found = read_table(path, TRIGGERS)
    if options.detector:
        found = found.filter(pc.equal(found["detector"], options.detector))
    export_triggers(found, options.out, read_metadata(path))
    print(f"{options.out}: {found.num_rows} triggers")


def _fetch_weights(options: argparse.Namespace) -> None:
    import yaml

    from gwmorph.config import load_yaml, parse_config
    from gwmorph.encoders.base import fetch_weights

    raw = load_yaml(options.configfile) if options.configfile else {}
    given = dict(raw.get("encoder", {}).get("weights", {}))
    if options.revision:
        given["revision"] = options.revision
    wanted = {"encoder": {"name": "dinov2", "weights": given}}
    config = parse_config(wanted, str(options.configfile or "fetch-weights"))
    folder, sha256 = fetch_weights(config.encoder.weights)
    print(f"# {folder}: a whole ViT-S/14 with registers. These keys pin it:")
    wanted["encoder"]["weights"] = {**given, "sha256": sha256}
    print(yaml.safe_dump(wanted, sort_keys=False), end="")


def _config(options: argparse.Namespace) -> None:
    from gwmorph.config.generated import default_yaml, write_generated_files

    if options.write:
        write_generated_files(Path())
    else:
        print(default_yaml(), end="")


if __name__ == "__main__":
    sys.exit(main())
