"""What a run amounts to: a dictionary for ``summary.json`` and its print-out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gwmorph.evidence.limits import limit_rank, passing_interval
from gwmorph.ledger import ANALYSED, MEANING, Livetime, Reason, excluded_counts
from gwmorph.morphology.status import Status, counts
from gwmorph.report.ending import report_line
from gwmorph.report.flags import known_in
from gwmorph.tables.block import FOUND_BY, TILE
from gwmorph.wording import counted

_KEY = "score.quiet_windows"
_NONE = {"window": "none was analysed", "event": "there was no event"}
# What a window above the limit may amount to, as the table says it, in words, and what that means.
_OUTCOMES = {
    "tile": ("an event, found by a tile", "one tile is loud enough"),
    "excess": ("an event, found by a box", "a box of tiles holds too much energy"),
    "track": ("an event, found by a track", "a path of tiles holds too much energy"),
    "chirp": ("an event, found by a chirp", "a binary's track of tiles holds too much energy"),
    "line": ("the shoulder of a line", "a box or a path along a spectral line: no event"),
    "distance": ("its picture alone", "unlike quiet pictures, but nothing says where: no event"),
    "none": ("no event", "its part is not in events.parts, or the next window has the event"),
}
_SECONDS = {
    "science_s": "science segments inside the run's span",
    "gridded_s": "of these inside a window of the grid",
    "context_limited_s": "of these in windows with enough science data on both sides",
    "analysed_s": "of these in windows that became pictures: the livetime, for rates",
}
_KNOWN = "analysed ones with a published event (known_events.catalog) or a hardware injection"
_LAST_SECONDS = "analysed [s]"
_WINDOWS = {
    "planned_windows": "windows of the grid inside science segments",
    "analysed_windows": "windows that became pictures",
    "excluded_windows": "windows that were lost; the ledgers name each, with its reason",
}


def summarise(
    *,
    run: str,
    livetimes: Mapping[str, Livetime],
    ledger: pa.Table,
    measurements: pa.Table,
    triggers: pa.Table,
    scores: pa.Table,
    above_limit: pa.Table,
    events_snr: float,
    false_alarm_fraction: float | None,
    cluster_summaries: Mapping[str, pa.Table],
    clusterings: Mapping[str, Mapping[str, Any]],
    statuses: Mapping[str, pa.Table],
    flagged: pa.Table | None = None,
) -> dict[str, Any]:
    """Summarise a run as plain numbers whose keys carry their units.

    Parameters
    ----------
    run
        Name of the run.
    livetimes
        Seconds of each detector, from `gwmorph.ledger.livetimes`.
    ledger, measurements, triggers, scores, above_limit
        Tables of all detectors (schemas LEDGER, MEASUREMENTS, TRIGGERS, SCORES, ABOVE_LIMIT).
    events_snr
        A window counts as triggered when its loudest tile's SNR is at least this. Tiles as loud
        made triggers; other events are counted by what found them.
    false_alarm_fraction
        Fraction of quiet windows that the limits in ``scores`` let pass; None for a run without
        scores, whose summary counts nothing by them.
    cluster_summaries
        For each view its clusters (schema CLUSTER_SUMMARY).
    clusterings
        For each view the diagnostics of its clustering; ``clustered`` is read, and ``converged``
        where the method is a mixture.
    statuses
        For each view what becomes of its windows or events (schema STATUSES).
    flagged
        Windows and events that show something known (schema FLAGGED); None in a run in which
        nothing was looked for, whose summary counts none.
    """
    return {
        "run": run,
        "events_snr": events_snr,
        "false_alarm_fraction": false_alarm_fraction,
        "detectors": {
            detector: {
                **asdict(livetime),
                **_windows(ledger, measurements, detector, events_snr),
                **_triggers(triggers, detector, events_snr),
                **_above_limit(scores, above_limit, detector, false_alarm_fraction),
                **({} if flagged is None else known_in(flagged, ledger, triggers, detector)),
            }
            for detector, livetime in livetimes.items()
        },
        "views": {
            view: {
                "members": _total(clusters, "members"),
                "clusters": clusters.num_rows,
                "clusters_supported": pc.sum(clusters["supported"], min_count=0).as_py(),
                "clusters_outside_umap": pc.sum(clusters["outside_umap"], min_count=0).as_py(),
                "outliers": _total(clusters, "outliers"),
                "largest_cluster_share": pc.max(clusters["share"]).as_py(),
                "clustered": clusterings[view]["clustered"],
                "mixture_converged": clusterings[view].get("converged"),
            }
            for view, clusters in cluster_summaries.items()
        },
        "statuses": {
            view: counts(np.array(found["status"].to_pylist(), dtype=str))
            for view, found in statuses.items()
        },
        "classes_named": {
            view: pc.count_distinct(found["named"]).as_py() for view, found in statuses.items()
        },
    }


def _windows(
    ledger: pa.Table, measurements: pa.Table, detector: str, events_snr: float
) -> dict[str, Any]:
    planned = ledger.filter(pc.equal(ledger["detector"], detector))
    analysed = planned.filter(pc.equal(planned["status"], ANALYSED)).num_rows
    measured = measurements.filter(pc.equal(measurements["detector"], detector))
    loud = measured.filter(pc.greater_equal(measured["tile_snr"], events_snr))
    return {
        "planned_windows": planned.num_rows,
        "analysed_windows": analysed,
        "excluded_windows": planned.num_rows - analysed,
        "excluded_by_reason": excluded_counts(ledger, detector),
        "triggered_windows": loud.num_rows,
    }


def _triggers(triggers: pa.Table, detector: str, events_snr: float) -> dict[str, Any]:
    tile = pc.equal(triggers["found_by"], TILE)
    loud = pc.and_(tile, pc.greater_equal(triggers["snr"], events_snr))
    own = triggers.filter(pc.and_(loud, pc.equal(triggers["detector"], detector)))
    return {
        "triggers": own.num_rows,
        "triggers_without_view": own.filter(pc.invert(own["view"])).num_rows,
        "events_by_score": _counts(
            triggers.filter(pc.invert(loud)), "found_by", detector, FOUND_BY
        ),
    }


def _counts(table: pa.Table, column: str, detector: str, values: Iterable[str]) -> dict[str, int]:
    own = table.filter(pc.equal(table["detector"], detector))[column].to_pylist()
    return {value: own.count(value) for value in values}


def _above_limit(
    scores: pa.Table, above_limit: pa.Table, detector: str, false_alarm_fraction: float | None
) -> dict[str, Any]:
    if false_alarm_fraction is None:
        return {}
    own = scores.filter(pc.equal(scores["detector"], detector))
    expected, interval = _false_alarms(own, false_alarm_fraction)
    return {
        "windows_above_limit": own.filter(pc.greater(own["score"], own["limit"])).num_rows,
        "expected_false_alarms": expected,
        "false_alarms_95": interval,
        "windows_above_limit_by": _counts(above_limit, "outcome", detector, _OUTCOMES),
    }


def _false_alarms(own: pa.Table, false_alarm_fraction: float) -> tuple[float, list[int]]:
    """Return how many of a detector's windows pass if all are quiet, and its 95 % interval.

    Of the n windows whose k-th largest score is the limit, exactly k − 1 do; chance is in the
    others alone.
    """
    if own.num_rows == 0:
        return 0.0, [0, 0]
    quiet_windows = own["quiet_windows"].to_numpy()
    ranks = {n: limit_rank(n, false_alarm_fraction, _KEY) for n in set(quiet_windows.tolist())}
    set_it = own["quiet"].to_numpy(zero_copy_only=False)
    among = sum((ranks[n] - 1) / n for n in quiet_windows[set_it].tolist())
    others = quiet_windows[~set_it]
    if not len(others):
        return among, [round(among)] * 2
    (quiet,) = set(others.tolist())
    interval = passing_interval(len(others), quiet, ranks[quiet])
    expected = among + len(others) * ranks[quiet] / (quiet + 1)
    return expected, [count + round(among) for count in interval]


def _total(table: pa.Table, column: str) -> int:
    return pc.sum(table[column], min_count=0).as_py()


def print_summary(summary: Mapping[str, Any], run: Path, console: Console | None = None) -> None:
    """Print a summary made by `summarise` to the terminal, with the place of the run's report."""
    console = console or Console()
    console.print(_detector_table(summary))
    for view, clusters in summary["views"].items():
        console.print(Text(cluster_line(view, clusters)))
    for view, found in summary["statuses"].items():
        console.print(Text(status_line(view, found)))
    for note in score_note(summary):
        console.print(Text(note), soft_wrap=True)
    for warning in [*one_class_warning(summary), *mixture_warning(summary)]:
        console.print(Text(warning, style="bold yellow"))
    console.print(Text(report_line(run)), soft_wrap=True)


def _detector_table(summary: Mapping[str, Any]) -> Table:
    table = Table(title=f"Run {summary['run']}", title_justify="left")
    table.add_column("")
    for detector in summary["detectors"]:
        table.add_column(detector, justify="right")
    for row in summary_rows(summary):
        # As Text, since "[s]" would be markup.
        table.add_row(Text(f"  {row.label}" if row.is_part else row.label), *row.values)
        if row.label == _LAST_SECONDS:
            table.add_section()
    return table


@dataclass(frozen=True)
class Row:
    """One line of a summary: what is counted, its values by detector, and what that means.

    ``is_part`` says that it is a part of a line above.
    """

    label: str
    values: list[str]
    meaning: str
    is_part: bool = False


def summary_rows(summary: Mapping[str, Any]) -> list[Row]:
    """Return the lines of a summary made by `summarise`, values in the order of its detectors."""
    columns = list(summary["detectors"].values())
    rows = [
        *_time_rows(columns),
        *_window_rows(columns),
        *_found_rows(summary["events_snr"], columns),
    ]
    fraction = summary["false_alarm_fraction"]
    if fraction is not None:
        rows += _scored_rows(100 * fraction, columns)
    return rows + _known_rows(columns)


def _counted(
    label: str, columns: Sequence[Mapping[str, Any]], key: str, meaning: str, is_part: bool = False
) -> Row:
    return Row(label, [f"{column[key]:,}" for column in columns], meaning, is_part)


def _time_rows(columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [
        _counted(f"{key.removesuffix('_s').replace('_', '-')} [s]", columns, key, meaning)
        for key, meaning in _SECONDS.items()
    ]


def _window_rows(columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    reasons = sorted({reason for column in columns for reason in column["excluded_by_reason"]})
    return [
        *(_counted(key.replace("_", " "), columns, key, text) for key, text in _WINDOWS.items()),
        *(
            Row(
                f"of these {reason}",
                [f"{column['excluded_by_reason'].get(reason, 0):,}" for column in columns],
                MEANING[Reason(reason)],
                is_part=True,
            )
            for reason in reasons
        ),
    ]


def _found_rows(snr: float, columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [
        _counted(
            f"windows with a tile of SNR >= {snr:g}", columns, "triggered_windows",
            "windows, not glitches: a window with five glitches counts once",
        ),
        _counted(
            f"triggers of SNR >= {snr:g}", columns, "triggers",
            "clusters of loud tiles, each counted once, wherever windows end",
        ),
        _counted(
            "of these without an event view", columns, "triggers_without_view",
            "their window has too many louder ones, or they peak together with a louder one", True,
        ),
    ]  # fmt: skip


def _scored_rows(percent: float, columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    outcomes = {
        key: [column["windows_above_limit_by"][key] for column in columns] for key in _OUTCOMES
    }
    chance = [(c["expected_false_alarms"], *c["false_alarms_95"]) for c in columns]
    return [
        Row(
            "events that the score finds besides",
            [f"{sum(column['events_by_score'].values()):,}" for column in columns],
            "without a tile as loud: a fainter one, a box, a path or a binary's track stands out",
        ),
        _counted(
            f"windows above the {percent:g} % limit", columns, "windows_above_limit",
            f"windows whose score exceeds what {percent:g} % of quiet windows exceed",
        ),
        *(
            Row(f"of these {text}", [f"{count:,}" for count in outcomes[key]], meaning, True)
            for key, (text, meaning) in _OUTCOMES.items()
            if any(outcomes[key])
        ),
        Row(
            "expected if all were quiet (95 %)",
            [f"{expected:,.1f} ({low}-{high})" for expected, low, high in chance],
            "so many would be above the limit by chance alone",
            True,
        ),
    ]  # fmt: skip


def _known_rows(columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the lines on what is known; none of a run in which nothing was looked for."""
    return [
        _counted(f"{view}s that show something known", columns, key, meaning)
        for view, key, meaning in (
            ("window", "known_windows", _KNOWN),
            ("event", "known_events", "events by which one was found"),
        )
        if all(key in column for column in columns)
    ]


def score_note(summary: Mapping[str, Any]) -> list[str]:
    """Return a sentence that says so if a run has no scores, or nothing."""
    if summary["false_alarm_fraction"] is not None:
        return []
    return ["There are no scores (score.background is none): events are triggers alone."]


def mixture_warning(summary: Mapping[str, Any]) -> list[str]:
    """Return a sentence that says so if a mixture of the summary did not converge, or nothing."""
    if all(clusters["mixture_converged"] is not False for clusters in summary["views"].values()):
        return []
    return ["A mixture did not converge: raise clustering.mixture.max_iterations."]


def status_line(view: str, found: Mapping[str, int]) -> str:
    """Say in a sentence what became of one view's windows or events (an entry of ``statuses``)."""
    parts = [f"{found[status]:,} {status}" for status in reversed(list(Status)) if found[status]]
    return f"Of {counted(sum(found.values()), view)}: {', '.join(parts) or 'none'}."


def one_class_warning(summary: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each view whose known rows are all of one class, or nothing."""
    return [
        f"Only one class of {view}s is known. None can be nearer to another one, so that KNOWN "
        "says no more than that they are not far from it: label other classes, too."
        for view, found in summary["statuses"].items()
        if summary["classes_named"][view] == 1 and found[Status.KNOWN]
    ]


def cluster_line(view: str, clusters: Mapping[str, Any]) -> str:
    """Say in a sentence what the clustering of one view came to (an entry of ``views``)."""
    members = counted(clusters["members"], view)
    if not clusters["clusters"]:
        return f"No clusters of {view}s: {_NONE[view]}."
    if not clusters["clustered"]:
        verb = "is" if clusters["members"] == 1 else "are"
        return f"{members} {verb} too few to cluster."
    if clusters["clusters"] == 1:
        return (
            f"No structure in {members}: one cluster, which is what noise gives; "
            f"{counted(clusters['outliers'], 'outlier')}."
        )
    return (
        f"{clusters['clusters']} clusters of {members}, {clusters['clusters_supported']} of them "
        f"supported, {clusters['clusters_outside_umap']} found without UMAP, too; the largest "
        f"holds {clusters['largest_cluster_share']:.1%}; "
        f"{counted(clusters['outliers'], 'outlier')}."
    )
