"""The events that are looked at first: the loudest and the least probable, with their pictures."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from gwmorph.report.flags import known_as
from gwmorph.report.html import Words, cluster_mark, heading, page, paragraph, picture, table
from gwmorph.tables.block import TILE

_HEIGHT = 128  # of a picture, in the page's pixels
_COLUMNS = {
    "picture": "crops of 0.5 and 1 s (above), 2 and 4 s (below) around the event",
    "detector": "",
    "GPS time [s]": "centre of the picture",
    "SNR": "of the loudest tile, in Omicron's convention",
    "peak frequency [Hz]": "of the loudest tile",
    "Q": "of the loudest tile",
    "duration [s]": "from the first tile's start to the last one's end",
    "found by": "a tile, or the part of the score that passes its limit",
    "\N{MINUS SIGN}log10\N{NO-BREAK SPACE}p": "how rarely quiet windows have as much; empty "
    "for tiles that are not the loudest of their window",
    "cluster": "colour as in the map",
    "probability": "of belonging to the cluster",
    "outlier": "whether it lies apart from all others",
    "status": "NOVEL, KNOWN or AMBIGUOUS, by the limits of classes or, without any, of clusters",
    "most like": "commonest class, or cluster, of its nearest rows that have one",
}
_KNOWN = (Words("known as"), "published event or hardware injection that it shows")
_BEHIND_TIME = 3
_NOVEL = "NOVEL"
_IN_NOISE = "Least probable in noise, without a loud tile"
_LISTS = {
    _NOVEL: (
        "Events that are unlike every known class (or every cluster, where no class is known), "
        "those most unlike first."
    ),
    "Loudest": "The loudest tiles of all events.",
    _IN_NOISE: (
        "Of the events that have no tile above the threshold of triggers, those whose box, path "
        "or chirp of tiles quiet noise is least likely to have."
    ),
    "Least probable in their cluster": (
        "Members that are least like their cluster's others, by their own place and by their "
        "neighbours': what is rare or new is among them, and so is what lies between two clusters."
    ),
}


def choose_events(
    triggers: pa.Table,
    clusters: pa.Table,
    statuses: pa.Table,
    events_snr: float,
    count: int,
    flagged: pa.Table | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Choose the loudest and the least probable events, at most ``count`` of each kind.

    Events that are equally loud or probable are in order of detector and time.

    Parameters
    ----------
    triggers, clusters, statuses
        Rows of the TRIGGERS, CLUSTERS and STATUSES (of events) schemas; events are those in the
        first two.
    events_snr
        SNR from which on a loud tile is a trigger.
    flagged
        Rows of FLAGGED; None in a run in which nothing was looked for, whose events have no
        ``known_as``.

    Returns
    -------
    For each kind its events, the columns of both tables in one. In a run without scores, in which
    no event has a significance, none is improbable in noise, and that kind is left out.
    """
    events = _joined(triggers, clusters, statuses, flagged)
    faint = [
        event
        for event in events
        if event["significance"] is not None
        and (event["found_by"] != TILE or event["snr"] < events_snr)
    ]
    novel = [event for event in events if event["status"] == _NOVEL]
    chosen = (
        sorted(novel, key=lambda event: event["p_value"]),
        sorted(events, key=lambda event: -event["snr"]),
        sorted(faint, key=lambda event: -event["significance"]),
        sorted(events, key=lambda event: event["probability"]),
    )
    lists = {name: some[:count] for name, some in zip(_LISTS, chosen, strict=True)}
    if events and all(event["significance"] is None for event in events):
        del lists[_IN_NOISE]
    return lists


def _joined(
    triggers: pa.Table,
    clusters: pa.Table,
    statuses: pa.Table,
    flagged: pa.Table | None,
) -> list[dict[str, Any]]:
    found = {(row["detector"], row["peak_time"]): row for row in triggers.to_pylist()}
    for row in statuses.to_pylist():
        if (key := (row["detector"], row["trigger_time"])) in found:
            about = {name: row[name] for name in ("status", "named", "p_value")}
            found[key] = found[key] | about
    rows = clusters.sort_by([("detector", "ascending"), ("trigger_time", "ascending")])
    names = [{}] * len(rows) if flagged is None else _named(known_as(rows, flagged))
    return [
        found[key] | row | name
        for row, name in zip(rows.to_pylist(), names, strict=True)
        if (key := (row["detector"], row["trigger_time"])) in found
    ]


def _named(names: list[str]) -> list[dict[str, str]]:
    return [{"known_as": name} for name in names]


def events_page(
    chosen: Mapping[str, list[dict[str, Any]]], picture_of: Callable[[str, int, float], Path]
) -> str:
    """Return a page of HTML with the tables of chosen events.

    Parameters
    ----------
    chosen
        What `choose_events` returned.
    picture_of
        Gives the PNG of an event by its detector, its window's GPS start and its time.

    Raises
    ------
    OSError
        A picture cannot be read.
    """
    blocks = [
        block
        for name, events in chosen.items()
        for block in (heading(name), paragraph(_LISTS[name]), _table(events, picture_of))
    ]
    return page("Events", *blocks)


def _table(events: list[dict[str, Any]], picture_of: Callable[[str, int, float], Path]) -> str:
    if not events:
        return paragraph("There is none.")
    heads, cells = list(_COLUMNS.items()), [_cells(event, picture_of) for event in events]
    if "known_as" in events[0]:
        heads[_BEHIND_TIME:_BEHIND_TIME] = [_KNOWN]
        for own, event in zip(cells, events, strict=True):
            own[_BEHIND_TIME:_BEHIND_TIME] = [Words(event["known_as"])]
    return table(heads, cells)


def _cells(event: Mapping[str, Any], picture_of: Callable[[str, int, float], Path]) -> list[str]:
    detector, time = event["detector"], event["trigger_time"]
    words = f"Event of {detector} at GPS {time:.3f}"
    significance = event["significance"]
    return [
        picture(picture_of(detector, event["gps_start"], time), words, _HEIGHT),
        detector,
        f"{time:.3f}",
        f"{event['snr']:.1f}",
        f"{event['peak_frequency']:.1f}",
        f"{event['q']:.1f}",
        f"{event['duration']:.3f}",
        event["found_by"],
        "" if significance is None else f"{significance:.1f}",
        cluster_mark(event["cluster"]),
        f"{event['probability']:.3f}",
        "yes" if event["outlier"] else "no",
        event["status"],
        event["named"].replace("_", " "),
    ]
