"""When and at which frequency a run's triggers are."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from igwn_segments import segment, segmentlist
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gwmorph.ledger import ANALYSED
from gwmorph.report.columns import detectors_of
from gwmorph.report.palette import LOUDNESS, add_snr_bar, is_dense, saved_figure, snr_norm
from gwmorph.report.times import since
from gwmorph.tables.block import FOUND_BY
from gwmorph.wording import counted, hourly

_MARKERS = dict(zip(FOUND_BY, "os^D", strict=True))
_WORDS = dict(zip(FOUND_BY, ("a tile", "a box", "a path", "a chirp"), strict=True))
_UNOBSERVED = "#e4e4e4"


def draw_glitchgram(triggers: pa.Table, ledger: pa.Table, path: Path | str) -> None:
    """Draw every trigger's peak frequency over GPS time, coloured by SNR, for each detector.

    Time that was not analysed is grey. The marker tells what found a trigger.

    Parameters
    ----------
    triggers, ledger
        Rows of the TRIGGERS and LEDGER schemas; none give a figure that says so.
    path
        SVG, PDF or PNG to write.
    """
    detectors = detectors_of(ledger)
    rows = max(1, len(detectors))
    with saved_figure(path, 12.5, 1.2 + min(2.8, 6.6 / rows) * rows) as figure:
        panels = figure.subplots(rows, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        if not detectors:
            panels[0].text(0.5, 0.5, "no planned windows", ha="center")
            return
        norm = snr_norm(triggers["snr"].to_numpy())
        planned = _windows(ledger).extent()
        for axes, detector in zip(panels, detectors, strict=True):
            own = triggers.filter(pc.equal(triggers["detector"], detector))
            windows = ledger.filter(pc.equal(ledger["detector"], detector))
            analysed = _windows(windows.filter(pc.equal(windows["status"], ANALYSED)))
            _draw_time(axes, analysed, planned)
            _draw_triggers(axes, own, planned[0], norm)
            axes.set_title(_title(detector, len(own), abs(analysed)))
        _frame(panels, planned, bool(len(triggers)))
        add_snr_bar(figure, list(panels), norm)
        _legend(figure, triggers)


def _windows(ledger: pa.Table) -> segmentlist:
    starts, lengths = (ledger[name].to_pylist() for name in ("gps_start", "duration_s"))
    spans = [segment(gps, gps + s) for gps, s in zip(starts, lengths, strict=True)]
    return segmentlist(spans).coalesce()


def _draw_time(axes: Axes, analysed: segmentlist, planned: segment) -> None:
    lost = segmentlist([planned]) - analysed
    bars = [((start - planned[0]) / 3600, (end - start) / 3600) for start, end in lost]
    axes.broken_barh(
        bars,
        (0, 1),
        transform=axes.get_xaxis_transform(),
        color=_UNOBSERVED,
        linewidth=0,
        rasterized=is_dense(len(bars)),
    )


def _draw_triggers(axes: Axes, triggers: pa.Table, start: int, norm: LogNorm) -> None:
    area = float(np.clip(2e4 / max(len(triggers), 1), 4, 26))
    for kind, marker in _MARKERS.items():
        # The loudest on top.
        own = triggers.filter(pc.equal(triggers["found_by"], kind)).sort_by("snr")
        axes.scatter(
            (own["peak_time"].to_numpy() - start) / 3600,
            own["peak_frequency"].to_numpy(),
            c=own["snr"].to_numpy(),
            cmap=LOUDNESS,
            norm=norm,
            s=area,
            marker=marker,
            linewidths=0.3,
            edgecolors="#222222",
            rasterized=is_dense(len(triggers)),
        )


def _title(detector: str, triggers: int, livetime_s: float) -> str:
    found, rate = counted(triggers, "transient"), hourly(triggers, livetime_s)
    return f"{detector}: {found} in {livetime_s / 3600:.2f} h, {rate}"


def _frame(panels: np.ndarray, planned: segment, any_triggers: bool) -> None:
    for axes in panels:
        axes.set_ylabel("Peak frequency [Hz]")
    panels[0].set_yscale("log")
    panels[0].yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    panels[0].yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    panels[0].yaxis.set_minor_locator(ticker.NullLocator())
    if not any_triggers:
        panels[0].set_ylim(10, 2000)
    panels[-1].set_xlim(0, (planned[1] - planned[0]) / 3600)
    panels[-1].set_xlabel(since(int(planned[0])))


def _legend(figure: Figure, triggers: pa.Table) -> None:
    found = triggers["found_by"].to_pylist()
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            color="white",
            markeredgecolor="#222222",
            label=f"{_WORDS[kind]} ({found.count(kind):,})",
        )
        for kind, marker in _MARKERS.items()
        if kind in found
    ]
    handles.append(Line2D([], [], linewidth=8, color=_UNOBSERVED, label="not analysed"))
    figure.legend(handles=handles, title="Found by", loc="outside lower center", ncols=5)
