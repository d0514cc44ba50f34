"""Marks of what is known beforehand: which rows show a published event or a hardware injection."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.ledger import ANALYSED
from gwmorph.tables.keys import row_keys
from gwmorph.tables.known_events import INJECTION


def name_of(known: Mapping[str, Any]) -> str:
    """Return what something known is called, by its ``name`` and ``kind``: 'cbc injection'."""
    return f"{known['name']} injection" if known["kind"] == INJECTION else str(known["name"])


def known_as(rows: pa.Table, flagged: pa.Table) -> list[str]:
    """Return what each row is known to show, '' for nothing, several things by comma.

    Parameters
    ----------
    rows
        With ``detector``, ``gps_start`` and ``trigger_time``, null for windows; as CLUSTERS has.
    flagged
        Rows of FLAGGED.
    """
    names = defaultdict[Any, list[str]](list)
    for key, known in zip(row_keys(flagged), flagged.to_pylist(), strict=True):
        names[key].append(name_of(known))
    # A window may hold two stretches of one kind.
    return [", ".join(dict.fromkeys(names.get(key, ()))) for key in row_keys(rows)]


def known_members(clusters: pa.Table, flagged: pa.Table) -> dict[int, int]:
    """Return how many members of each cluster of CLUSTERS show something known, by FLAGGED."""
    numbers = clusters["cluster"].to_pylist()
    shown = zip(numbers, known_as(clusters, flagged), strict=True)
    known = Counter(number for number, name in shown if name)
    return {number: known[number] for number in sorted(set(numbers))}


def known_in(
    flagged: pa.Table, ledger: pa.Table, triggers: pa.Table, detector: str
) -> dict[str, int]:
    """Count the analysed windows and the events of one detector that show something known.

    Parameters
    ----------
    flagged, ledger, triggers
        Rows of FLAGGED, of LEDGER of all blocks, and of the run's TRIGGERS; an event is a trigger
        that has a view.
    """
    own = pc.equal(flagged["detector"], detector)
    keys = set(row_keys(flagged.filter(own)))
    analysed = ledger.filter(pc.equal(ledger["status"], ANALYSED))
    windows = zip(analysed["detector"].to_pylist(), analysed["gps_start"].to_pylist(), strict=True)
    events = row_keys(triggers.filter(triggers["view"]), "peak_time")
    return {
        "known_windows": sum((*window, None) in keys for window in windows),
        "known_events": sum(event in keys for event in events),
    }
