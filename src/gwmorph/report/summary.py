"""What a run amounts to: a dictionary for ``summary.json`` and its print-out."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gwmorph.evidence.limits import limit_rank, passing_interval
from gwmorph.ledger import ANALYSED, Livetime, excluded_counts
from gwmorph.tables.block import FOUND_BY, TILE

_KEY = "score.quiet_windows"
_NONE = {"window": "none was analysed", "event": "there was no trigger"}
# What a window above the limit may amount to, as the table says it, and in words.
_OUTCOMES = {
    "tile": "an event, found by a tile",
    "excess": "an event, found by a box",
    "track": "an event, found by a track",
    "chirp": "an event, found by a chirp",
    "line": "the shoulder of a line",
    "distance": "its picture alone",
    "none": "no event",
}
_SECONDS = ("science_s", "gridded_s", "context_limited_s", "analysed_s")


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
    false_alarm_fraction: float,
    cluster_summaries: Mapping[str, pa.Table],
    clusterings: Mapping[str, Mapping[str, Any]],
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
        Fraction of quiet windows that the limits in ``scores`` let pass.
    cluster_summaries
        For each view its clusters (schema CLUSTER_SUMMARY).
    clusterings
        For each view the diagnostics of its clustering; ``clustered`` is read, and ``converged``
        where the method is a mixture.
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
                **_above_limit(scores, detector, false_alarm_fraction),
                "windows_above_limit_by": _counts(above_limit, "outcome", detector, _OUTCOMES),
            }
            for detector, livetime in livetimes.items()
        },
        "views": {
            view: {
                "members": _total(clusters, "members"),
                "clusters": clusters.num_rows,
                "clusters_supported": pc.sum(clusters["supported"], min_count=0).as_py(),
                "outliers": _total(clusters, "outliers"),
                "largest_cluster_share": pc.max(clusters["share"]).as_py(),
                "clustered": clusterings[view]["clustered"],
                "mixture_converged": clusterings[view].get("converged"),
            }
            for view, clusters in cluster_summaries.items()
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


def _above_limit(scores: pa.Table, detector: str, false_alarm_fraction: float) -> dict[str, Any]:
    own = scores.filter(pc.equal(scores["detector"], detector))
    expected, interval = _false_alarms(own, false_alarm_fraction)
    return {
        "windows_above_limit": own.filter(pc.greater(own["score"], own["limit"])).num_rows,
        "expected_false_alarms": expected,
        "false_alarms_95": interval,
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


def print_summary(
    summary: Mapping[str, Any], report: Path | str, console: Console | None = None
) -> None:
    """Print a summary made by `summarise` to the terminal, with the place of the report."""
    console = console or Console()
    console.print(_detector_table(summary))
    for view, clusters in summary["views"].items():
        console.print(Text(_cluster_line(view, clusters)))
    if any(clusters["mixture_converged"] is False for clusters in summary["views"].values()):
        console.print(
            Text(
                "A mixture did not converge: raise clustering.mixture.max_iterations.",
                style="bold yellow",
            )
        )
    console.print(Text(_report_line(Path(report))), soft_wrap=True)


def _report_line(report: Path) -> str:
    if report.is_file():
        return f"Report: {report}"
    command = f"snakemake --cores 1 --report {report}"
    return f"No report yet; make it, with the run's --configfile if it has one: {command}"


def _detector_table(summary: Mapping[str, Any]) -> Table:
    table = Table(title=f"Run {summary['run']}", title_justify="left")
    table.add_column("")
    for detector in summary["detectors"]:
        table.add_column(detector, justify="right")
    columns = list(summary["detectors"].values())
    for key in _SECONDS:
        label = key.removesuffix("_s").replace("_", "-")
        # As Text, since "[s]" would be markup.
        table.add_row(Text(f"{label} [s]"), *(f"{column[key]:,}" for column in columns))
    table.add_section()
    for key in ("planned_windows", "analysed_windows", "excluded_windows"):
        table.add_row(key.replace("_", " "), *(f"{column[key]:,}" for column in columns))
    for reason in sorted(
        {reason for column in columns for reason in column["excluded_by_reason"]}
    ):
        counts = (column["excluded_by_reason"].get(reason, 0) for column in columns)
        table.add_row(f"  of these {reason}", *(f"{count:,}" for count in counts))
    triggered = (f"{column['triggered_windows']:,}" for column in columns)
    table.add_row(f"windows with a tile of SNR >= {summary['events_snr']:g}", *triggered)
    triggers = (f"{column['triggers']:,}" for column in columns)
    table.add_row(f"triggers of SNR >= {summary['events_snr']:g}", *triggers)
    without = (f"{column['triggers_without_view']:,}" for column in columns)
    table.add_row("  of these without an event view", *without)
    fainter = (f"{sum(column['events_by_score'].values()):,}" for column in columns)
    table.add_row("events that the score finds besides", *fainter)
    above = (f"{column['windows_above_limit']:,}" for column in columns)
    table.add_row(f"windows above the {100 * summary['false_alarm_fraction']:g} % limit", *above)
    for key, meaning in _OUTCOMES.items():
        kinds = [column["windows_above_limit_by"][key] for column in columns]
        if any(kinds):
            table.add_row(f"  of these {meaning}", *(f"{count:,}" for count in kinds))
    expected = (
        "{:,.1f} ({}-{})".format(column["expected_false_alarms"], *column["false_alarms_95"])
        for column in columns
    )
    table.add_row("  expected if all were quiet (95 %)", *expected)
    return table


def _cluster_line(view: str, clusters: Mapping[str, Any]) -> str:
    if not clusters["clusters"]:
        return f"No clusters of {view}s: {_NONE[view]}."
    if not clusters["clustered"]:
        return f"{clusters['members']} {view}s are too few to cluster."
    if clusters["clusters"] == 1:
        return (
            f"No structure in {clusters['members']:,} {view}s: one cluster, which is what noise "
            f"gives; outliers: {clusters['outliers']:,}."
        )
    return (
        f"{clusters['clusters']} clusters of {clusters['members']:,} {view}s, "
        f"{clusters['clusters_supported']} of them supported; the largest holds "
        f"{clusters['largest_cluster_share']:.1%}; outliers: {clusters['outliers']:,}."
    )
