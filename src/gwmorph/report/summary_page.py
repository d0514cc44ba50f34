"""The summary of a run as a page: sentences, the map, and every count with its meaning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwmorph.report.explorer.link import explorer_link
from gwmorph.report.html import Words, heading, page, paragraph, picture, table
from gwmorph.report.summary import (
    Row,
    cluster_line,
    mixture_warning,
    one_class_warning,
    score_note,
    status_line,
    summary_rows,
)
from gwmorph.wording import counted


def summary_page(summary: Mapping[str, Any], view: str, view_map: Path) -> str:
    """Return a page of HTML that says what a summary made by `summarise` holds.

    Parameters
    ----------
    summary
        The summary.
    view, view_map
        A view and the PNG or SVG of its map, which stands between the sentences and the table.

    Raises
    ------
    OSError
        The map cannot be read.
    """
    sentences = [
        *(_detector_line(summary, detector) for detector in summary["detectors"]),
        *(cluster_line(view, clusters) for view, clusters in summary["views"].items()),
        *(status_line(view, found) for view, found in summary["statuses"].items()),
        *score_note(summary),
        *one_class_warning(summary),
        *mixture_warning(summary),
    ]
    return page(
        f"Run {summary['run']}",
        heading(f"Run {summary['run']}"),
        *map(paragraph, sentences),
        explorer_link(),
        picture(view_map, f"Map of all {view}s"),
        table(
            [(name, "") for name in ("", *summary["detectors"], Words("meaning"))],
            [_cells(row) for row in summary_rows(summary)],
        ),
    )


def _cells(row: Row) -> list[str]:
    label = f"\N{EM SPACE}{row.label}" if row.is_part else row.label
    return [Words(label), *row.values, Words(row.meaning)]


def _detector_line(summary: Mapping[str, Any], detector: str) -> str:
    """Say of one detector how much was analysed, and what was found in it."""
    said = summary["detectors"][detector]
    share = said["analysed_s"] / said["science_s"] if said["science_s"] else 0.0
    hold = f"{counted(said['triggers'], 'trigger')} of SNR {summary['events_snr']:g} or more"
    if summary["false_alarm_fraction"] is not None:
        besides = sum(said["events_by_score"].values())
        hold += f", and {counted(besides, 'event')} that only the score finds"
    hold += _known(said)
    return (
        f"{detector}: {share:.1%} of {said['science_s'] / 3600:,.2f} h of science data were "
        f"analysed, in {counted(said['analysed_windows'], 'window')}; "
        f"{counted(said['excluded_windows'], 'window')} had to be left out. What was analysed "
        f"holds {hold}."
    )


def _known(said: Mapping[str, Any]) -> str:
    """Say how much shows something known; nothing of a run in which nothing was looked for."""
    if "known_windows" not in said:
        return ""
    windows, events = (
        counted(said["known_windows"], "window"),
        counted(said["known_events"], "event"),
    )
    return f"; {windows} and {events} of it show a published event or a hardware injection"
