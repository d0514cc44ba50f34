"""What coincides in several detectors: rates, counts of windows, and a page with both pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import poisson

from gwmorph.report.html import Html, Words, heading, page, paragraph, picture, table
from gwmorph.report.palette import GREY, LEGEND_BELOW, is_dense, saved_figure, series_color
from gwmorph.run_pictures import Pictures
from gwmorph.storage import write_bytes

_HEIGHT = 128  # of a picture, in the page's pixels
_PLACES = ("one", "other", "third")
_NONE = "nothing coincides"
# Central probabilities of one, two and three standard deviations.
_BANDS = (0.6827, 0.9545, 0.9973)

Row = Mapping[str, Any]


def draw_inverse_rates(candidates: pa.Table, summary: pa.Table, path: Path | str) -> None:
    """Draw how many candidates have an inverse false-alarm rate above each, beside chance.

    One panel for each pair or triple of detectors that was compared; bands hold the number that
    chance gives in 68, 95 and 99.7 % of runs.

    Parameters
    ----------
    candidates, summary
        Rows of CANDIDATES and SUMMARY (``tables.timeslides``).
    path
        SVG, PDF or PNG to write.
    """
    compared = _compared(summary)
    with saved_figure(path, 9.0, _height(compared)) as figure:
        for axes, row in zip(_panels(figure, len(compared)), compared, strict=True):
            _draw_rates(axes, row, _of(candidates, row))


def draw_window_counts(counts: pa.Table, summary: pa.Table, path: Path | str) -> None:
    """Draw how many windows are anomalous in both detectors in every slide, and in real time.

    Parameters
    ----------
    counts, summary
        Rows of WINDOW_COUNTS and SUMMARY.
    path
        SVG, PDF or PNG to write.
    """
    pairs = [row for row in _compared(summary) if row["windows"] is not None]
    with saved_figure(path, 9.0, _height(pairs)) as figure:
        for axes, row in zip(_panels(figure, len(pairs)), pairs, strict=True):
            own = _of(counts, row)
            axes.set_title(row["detectors"])
            axes.set(xlabel="windows that are anomalous in both", ylabel="slides")
            axes.bar(
                [one["both"] for one in own],
                [one["slides"] for one in own],
                color=GREY,
                label="slides",
            )
            label = f"real time: {row['windows_both']}{_p_text(row['p_windows'])}"
            axes.axvline(row["windows_both"], color=series_color(1), label=label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend(**LEGEND_BELOW | {"bbox_to_anchor": (0.5, -0.18)})


def write_timeslides_page(
    rows: Mapping[str, pa.Table], pictures: Pictures, listed: int, path: Path | str
) -> None:
    """Write all tables as a page, the loudest candidates with their pictures side by side.

    Parameters
    ----------
    rows
        Rows of the tables of ``tables.timeslides`` by name: candidates, summary, searched,
        limits, efficiency.
    pictures
        Of the run's events.
    listed
        Candidates that are listed of each pair or triple, the loudest first.
    path
        HTML file to write.

    Raises
    ------
    OSError
        A picture is missing.
    """
    blocks = [heading("What was compared"), _summary_table(rows["summary"])]
    blocks += [heading("What was searched"), _searched_table(rows["searched"])]
    for row in _compared(rows["summary"]):
        own = _of(rows["candidates"], row)
        blocks.append(heading(f"Candidates of {row['detectors']}"))
        if not own:
            blocks.append(paragraph(f"In real time {_NONE}. That is a result, not a failure."))
            continue
        blocks.append(paragraph(f"The loudest {min(listed, len(own))} of {len(own)}."))
        blocks.append(_candidate_table(row, own[:listed], pictures))
    blocks += [heading("Upper limits of rates, 90 %"), _limit_table(rows["limits"])]
    if len(rows["efficiency"]):
        blocks.append(heading("Simulated signals that reached both detectors"))
        blocks.append(_efficiency_table(rows["efficiency"]))
    write_bytes(path, page("Time slides", *blocks).encode())


# -- figures ----------------------------------------------------------------------------------


def _compared(summary: pa.Table) -> list[Row]:
    return [row for row in summary.to_pylist() if row["reason"] is None]


def _of(rows: pa.Table, summary: Row) -> list[Row]:
    return [row for row in rows.to_pylist() if row["detectors"] == summary["detectors"]]


def _height(panels: Sequence[Row]) -> float:
    return 4.2 if len(panels) <= 2 else 7.6


def _panels(figure: Figure, count: int) -> list[Axes]:
    columns = 1 if count == 1 else 2
    held = figure.subplots(max(-(-count // columns), 1), columns, squeeze=False).ravel()
    for axes in held[count:]:
        axes.set_axis_off()
    return list(held[:count])


def _draw_rates(axes: Axes, summary: Row, own: Sequence[Row]) -> None:
    run = summary["livetime"] / (365.25 * 86400)
    floor = summary["far_floor_per_year"]
    axes.set(xscale="log", yscale="log")
    far = np.array([row["far_per_year"] for row in own])
    rarest = 1 / floor  # no candidate can be rarer
    inverse = np.geomspace(min(run / max(2 * len(own), 10), run / 10), rarest, 400)
    expected = run / inverse
    # Opaque, so that the legend has the colours of the bands, which lie on each other.
    for share, tint in zip(reversed(_BANDS), ("#e4e1f0", "#c1bcdc", "#958dbf"), strict=True):
        low, high = poisson.interval(share, expected)
        axes.fill_between(
            inverse, np.maximum(low, 0.05), np.maximum(high, 0.05), color=tint, linewidth=0,
            label=f"{100 * share:.3g} % by chance",
        )  # fmt: skip
    axes.plot(inverse, expected, color="#222222", linewidth=0.8, linestyle="--", label="expected")
    if own:
        order = np.argsort(far, kind="stable")
        number = np.arange(1, len(far) + 1)
        x = 1 / far[order]
        low, high = (
            np.array([row[name] for row in own])[order]
            for name in ("far_low_per_year", "far_high_per_year")
        )
        reach = 1 / np.maximum(low, floor / 4)
        ends = [np.maximum(x - 1 / high, 0), np.maximum(reach - x, 0)]
        color = series_color(1)
        axes.errorbar(
            x, number, xerr=ends, fmt="o", markersize=4, elinewidth=0.6, color=color,
            label="candidates, all background", rasterized=is_dense(len(own)),
        )  # fmt: skip
        without = np.sort([row["far_without_per_year"] for row in own])
        axes.plot(
            1 / without, number, "o", markersize=7, fillstyle="none", color=color,
            label="without their triggers", rasterized=is_dense(len(own)),
        )  # fmt: skip
    axes.axvline(1 / floor, color="#222222", linewidth=0.8, linestyle=":", label="no rate below")
    axes.set_ylim(0.7, max(3.0 * len(own), 10))
    axes.set_title(summary["detectors"] if own else f"{summary['detectors']}: {_NONE}")
    axes.set_xlabel("inverse false-alarm rate [yr]")
    axes.set_ylabel("candidates with as large or larger")
    axes.legend(**LEGEND_BELOW | {"bbox_to_anchor": (0.5, -0.16)})


# -- tables -----------------------------------------------------------------------------------


def _number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return ""
    if np.isnan(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def _p_text(value: float | None) -> str:
    return ", too few windows to be slid" if value is None else f", p = {value:.2g}"


def _summary_table(summary: pa.Table) -> str:
    headings = [
        (Words("detectors"), ""),
        ("together [s]", "time that all of them analysed, by the ledger"),
        ("slides", "how many, by which step, and what each exceeds either way around"),
        ("background [yr]", "livetime of all slides together"),
        ("coincidences", "of triggers in real time, and in a slide on average"),
        ("p of the loudest", "(b+1)/(m+1): b of m slides have one that ranks as high"),
        ("slides that teach", "beyond which more of them teach little"),
        ("anomalous windows", "in both detectors in real time, and in a slide on average"),
        ("p of their number", "(b+1)/(m+1) by slides of whole windows"),
    ]
    return table(headings, map(_summary_cells, summary.to_pylist()))


def _summary_cells(row: Row) -> list[str]:
    if row["reason"] is not None:
        return [Words(row["detectors"]), Words(f"not compared: {row['reason']}"), *[""] * 7]
    years = row["background"] / (365.25 * 86400)
    teach = row["slides_that_teach"]
    step = f"{row['slides']} by {row['step']:g} s, above {row['least_shift']:.3g} s"
    windows = row["windows"] is not None
    return [
        Words(row["detectors"]),
        f"{row['livetime']:.0f}",
        Words(step),
        _number(years),
        f"{row['candidates']}; {row['chance']:.2g}",
        _number(row["p_loudest"], 2),
        "all" if np.isinf(teach) else f"{teach:.2g}",
        f"{row['windows_both']}; {_number(row['windows_chance'], 2)}" if windows else "",
        _number(row["p_windows"], 2) if windows else "",
    ]


def _searched_table(searched: pa.Table) -> str:
    headings = [
        (Words("detectors"), ""),
        ("detector", ""),
        ("triggers", "inside the time that all analysed"),
        ("left out: outside", "triggers at times that another detector did not analyse"),
        ("left out: extended", "events without a loud tile, whose time no window is meant for"),
        ("without a view", "searched, and ranked lowest"),
        ("correlation time [s]", "up to which its triggers know of each other"),
        ("anomalous windows", "of those that all analysed"),
    ]
    return table(
        headings,
        [
            [
                Words(row["detectors"]),
                row["detector"],
                str(row["searched"]),
                str(row["outside"]),
                str(row["extended"]),
                str(row["without_view"]),
                _number(row["correlation"]),
                str(row["windows_anomalous"]),
            ]
            for row in searched.to_pylist()
        ],
    )


def _candidate_table(summary: Row, own: Sequence[Row], pictures: Pictures) -> str:
    detectors = summary["detectors"].split()
    headings = [
        *((name, "crops of 0.5 and 1 s (above), 2 and 4 s (below)") for name in detectors),
        ("GPS time [s]", f"of {detectors[0]}'s trigger"),
        ("SNR", "of each detector's trigger"),
        ("frequency [Hz]", "of each detector's loudest tile"),
        ("later by [ms]", f"{detectors[1]} than {detectors[0]}"),
        ("similarity", "cosine of the views' vectors"),
        ("known", "whether a published event or an injection is there"),
        ("rank", "smaller SNR times the similarity to the power of eight"),
        ("false alarms [1/yr]", "with its 95 % interval; the smallest that can be stated has <"),
        ("without candidates [1/yr]", "by the background without candidates' triggers"),
        ("p over the run", "of a false alarm at this rate within the run"),
        ("p of the loudest", "share of slides with one that ranks as high, (b+1)/(m+1)"),
    ]
    return table(headings, [_candidate_cells(row, detectors, pictures) for row in own])


def _candidate_cells(row: Row, detectors: Sequence[str], pictures: Pictures) -> list[str]:
    places = _PLACES[: len(detectors)]
    shown = [
        picture(
            pictures.of(name, row[f"gps_start_{place}"], row[f"gps_time_{place}"]), name, _HEIGHT
        )
        if row[f"view_{place}"]
        else Html("no view")
        for name, place in zip(detectors, places, strict=True)
    ]
    below = "" if row["louder"] else "< "
    interval = f"({_number(row['far_low_per_year'], 2)} to {_number(row['far_high_per_year'], 2)})"
    return [
        *shown,
        f"{row['gps_time_one']:.4f}",
        ", ".join(f"{row[f'snr_{place}']:.1f}" for place in places),
        ", ".join(f"{row[f'frequency_{place}']:.0f}" for place in places),
        f"{1e3 * row['time_difference']:z.1f}",
        "none" if np.isnan(row["similarity"]) else f"{row['similarity']:.2f}",
        "yes" if row["known"] else "no",
        _number(row["rank"]),
        f"{below}{_number(row['far_per_year'])} {interval}",
        f"{'' if row['louder_without'] else '< '}{_number(row['far_without_per_year'])}",
        f"{row['p_run']:.2g}",
        f"{row['p_loudest']:.2g}",
    ]


def _limit_table(limits: pa.Table) -> str:
    headings = [
        (Words("detectors"), ""),
        (Words("signals"), "of the campaign, or all that both detectors show"),
        ("efficiency", "share of them that is loud enough in all detectors"),
        ("possible signals", "candidates with a p over the run as small as configured"),
        ("Poisson [1/yr]", "none of them taken for background"),
        ("loudest event [1/yr]", "of signals that would rank above the loudest candidate"),
    ]
    held: dict[tuple[Any, ...], dict[str, float]] = {}
    for row in limits.to_pylist():
        place = tuple(row[n] for n in ("detectors", "morphology", "snr", "efficiency", "events"))
        held.setdefault(place, {})[row["method"]] = row["rate_per_year"]
    cells = [
        [
            Words(name),
            Words("all that both show" if kind is None else f"{kind}, SNR {snr:g}"),
            f"{efficiency:.2f}",
            str(events),
            _number(rate["poisson"]),
            _number(rate["loudest event"]),
        ]
        for (name, kind, snr, efficiency, events), rate in held.items()
    ]
    return table(headings, cells)


def _efficiency_table(efficiency: pa.Table) -> str:
    headings = [
        (Words("detectors"), ""),
        (Words("morphology"), "what was injected"),
        ("signals", "that reached both in time that both analysed"),
        ("with two triggers", ""),
        ("coincident", "whose two triggers coincide"),
        ("efficiency", "coincident over signals, 95 % interval"),
    ]
    return table(
        headings,
        [
            [
                Words(row["detectors"]),
                Words(row["morphology"].replace("_", " ")),
                str(row["signals"]),
                str(row["triggered"]),
                str(row["coincident"]),
                f"{row['efficiency']:.2f} ({row['low']:.2f} to {row['high']:.2f})",
            ]
            for row in efficiency.to_pylist()
        ],
    )
