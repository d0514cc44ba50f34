"""``gwmorph similar``: what looks like one moment of a run."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwmorph.utc import utc
from gwmorph.wording import aligned, cluster_label, counted, number

_HEADINGS = (
    "cosine", "detector", "GPS [s]", "UTC", "SNR", "f [Hz]", "cluster", "class", "status",
    "picture",
)  # fmt: skip


def add_similar(commands: Any) -> None:
    """Add the command to those of ``gwmorph``, an argparse object for sub-commands."""
    similar = commands.add_parser(
        "similar",
        help="print what in a run looks most like one of its moments",
        description="Print the rows of a run, or of another one, whose pictures are most like "
        "that of a moment: by the cosine of their vectors, exact.",
    )
    similar.add_argument("run", type=Path, help="the run's folder, results/NAME")
    similar.add_argument("--detector", required=True, help="whose moment: H1, L1, V1, K1 or G1")
    similar.add_argument("--gps", type=float, required=True, help="GPS time of the moment")
    similar.add_argument(
        "--view",
        choices=("event", "window"),
        default="event",
        help="compare events, or whole windows (event)",
    )
    similar.add_argument(
        "--in",
        dest="other",
        type=Path,
        metavar="OTHER_RUN",
        help="search another run, drawn and encoded in the same way",
    )
    similar.add_argument("--count", type=int, default=10, help="how many to print (10)")
    similar.add_argument("--json", action="store_true", help="print JSON, for other programs")
    similar.set_defaults(command=_similar)


def _similar(options: argparse.Namespace) -> None:
    from gwmorph.runs.similar import similar

    found = similar(
        options.run, options.detector, options.gps, options.view, options.count, options.other
    )
    rows = found.nearest.to_pylist()
    if options.json:
        content = {
            "run": str(options.run),
            "searched": str(found.run),
            "rows_searched": found.rows,
            "view": found.view,
            "asked": _plain(found.asked),
            "nearest": [{"cosine": row["cosine"], **_plain(row)} for row in rows],
        }
        print(json.dumps(content, indent=2))
        return
    own = dict(zip(_HEADINGS, _cells(found.asked), strict=True))
    print(
        f"{own['detector']} GPS {own['GPS [s]']} ({own['UTC']} UTC), SNR {own['SNR']}, "
        f"{own['f [Hz]']} Hz, cluster {own['cluster'] or 'none'}, {own['status'] or 'no status'}: "
        f"{own['picture']}"
    )
    what = counted(found.rows, found.view)
    if not rows:
        print(f"Nothing to compare it with: {found.run} has no other {found.view}.")
        return
    print(f"Most like it of {what} in {found.run} (1 is the same picture):")
    print(aligned([_HEADINGS, *map(_cells, rows)], "<<<<>><<<<"))


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    time = _time(row)
    places = 3 if row["trigger_time"] is not None else 0
    cluster = ""
    if row["cluster"] is not None:
        label = cluster_label(row["cluster"], row["supported"], row["outside_umap"])
        cluster = f"{label} {row['cluster_named'] or ''}"
    return (
        number(row.get("cosine"), ".4f"),
        row["detector"],
        f"{time:.{places}f}",
        utc(time, places),
        f"{row['tile_snr']:.1f}",
        f"{row['tile_frequency']:.0f}",
        cluster.strip(),
        row["named"] or "",
        row["status"] or "",
        row["picture"] or "not there",
    )


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    time = _time(row)
    return {
        "detector": row["detector"],
        "gps_s": time,
        "utc": utc(time, 3),
        "window_gps_s": row["gps_start"],
        "snr": row["tile_snr"],
        "frequency_hz": row["tile_frequency"],
        "q": row["tile_q"],
        "cluster": row["cluster"],
        "cluster_named": row["cluster_named"],
        "class": row["named"] or None,
        "status": row["status"],
        "picture": row["picture"],
    }


def _time(row: Mapping[str, Any]) -> float:
    """Return an event's time or a window's start."""
    time = row["trigger_time"]
    return float(row["gps_start"] if time is None else time)
