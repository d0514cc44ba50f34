"""One picture of any moment of any strain file, with axes, for people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, floor
from pathlib import Path

import numpy as np
from igwn_segments import segment, segmentlist
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter
from numpy.typing import NDArray

from gwmorph.block import RenderParameters, score_parts, second_defects
from gwmorph.errors import GwmorphError, StrainError
from gwmorph.ledger import MEANING, Reason
from gwmorph.report.palette import FIGURE_FORMATS, LABEL_GROUND, saved_figure
from gwmorph.spectra.candidates import Candidate, find_candidates
from gwmorph.spectra.conditioning import (
    LARGEST_ROUNDING,
    REACH_S,
    median_psd,
    rounding,
    span_rounding,
    whiten,
    whitening_filter,
)
from gwmorph.spectra.lines import LINE_SHARE, line_rows
from gwmorph.spectra.pictures import PictureScale
from gwmorph.spectra.qtransform import GUARD_S, omicron_snr
from gwmorph.strain.base import LocalFile
from gwmorph.strain.files import Strain, read_strain

# How much strain around the moment is read for the noise spectrum.
_AROUND_S = 256
_SEEN_ON_WHITE: list[AbstractPathEffect] = [withStroke(linewidth=2, foreground="black")]
# The longest window that can be drawn of it, and the shortest in which a tile is more than a blot.
_LONGEST_S = 2 * (_AROUND_S - REACH_S)
_SHORTEST_S = 0.1
_PART = {
    "excess": "-log10 of its probability",
    "track": "log-likelihood ratio",
    "chirp": "log-likelihood ratio",
}


@dataclass(frozen=True)
class Moment:
    """The picture of ``[gps_start, gps_start + window_s)``, its loudest tile and its candidates.

    ``indices`` are palette indices uint8 [height, width]; ``held`` is the GPS span of sound
    strain around the moment, ``sound`` that inside which every pixel has its full context.
    ``candidates`` are where large parts of the score peak, with the parts' values.
    """

    detector: str
    gps_start: int
    window_s: int
    indices: NDArray[np.uint8]
    held: segment
    sound: segment
    f_low: float
    f_top: float
    tile_time: float
    tile_frequency: float
    tile_q: float
    tile_energy: float
    tile_snr: float
    candidates: list[tuple[Candidate, float]]


def require_drawable(seconds: float, out: Path | None) -> None:
    """Check how much is to be drawn, and into what, before anything is read.

    Raises
    ------
    GwmorphError
        The window is longer than the strain that is read around a moment allows, or too short to
        see anything in, or the file's name ends in no known format.
    """
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise GwmorphError(
            f"--seconds: expected {_SHORTEST_S} to {_LONGEST_S}, got {seconds:g}; longer spans "
            "are what a run (snakemake) is for."
        )
    if out is not None and out.suffix not in FIGURE_FORMATS:
        known = " or ".join(FIGURE_FORMATS)
        raise GwmorphError(f"--out: expected a name that ends in {known}, got {str(out)!r}.")


def whole_seconds(parameters: RenderParameters, seconds: float) -> RenderParameters:
    """Return parameters of a window of whole seconds that holds ``seconds`` around any moment.

    Where it is longer, it has more columns, so that what is drawn of it has as many.
    """
    if seconds == ceil(seconds):
        return parameters.cut_to(int(seconds))
    whole = ceil(seconds) + 1
    return replace(parameters.cut_to(whole), width=ceil(parameters.width * whole / seconds))


def look_at(
    file: LocalFile, gps: float, parameters: RenderParameters, least: Mapping[str, float]
) -> Moment:
    """Draw the window around ``gps`` from one file, however little strain lies beside it.

    The window is moved, and where the file is shorter also cut, to lie inside the strain that
    can be whitened: all but ``REACH_S`` seconds at the ends of the sound strain around ``gps``.
    Where the guard reaches further, whitened strain is continued by its mirror image; such edges
    lie outside ``Moment.sound``. ``least`` is the smallest excess, track and chirp that is traced
    back to its place.

    Raises
    ------
    StrainError
        The file does not hold ``gps``, its strain is not usable there, or there is less of it
        than a noise spectrum needs.
    """
    strain = _read_around(file, gps, parameters.sample_rate)
    held = _sound_stretch(strain, gps, file.path)
    if abs(held) < 4 * parameters.psd_segment_s:
        raise StrainError(
            f"{file.path}: only {abs(held)} s of sound strain around GPS {gps}, "
            f"expected at least {4 * parameters.psd_segment_s} s for a noise spectrum."
        )
    white = segment(held[0] + REACH_S, held[1] - REACH_S)
    window_s = min(parameters.window_s, abs(white))
    start = int(np.clip(_start(gps, window_s), white[0], white[1] - window_s))
    cut = parameters.cut_to(window_s)
    span, psd = _whitened_span(strain, held, start, cut)
    batch = cut.transform().batch(span[None])
    parts = score_parts(batch)
    lines = line_rows(psd, cut.psd_segment_s, batch.tiling.planes[-1])
    tile = batch.planes.loudest
    return Moment(
        detector=file.detector,
        gps_start=start,
        window_s=window_s,
        indices=cut.draw(batch.planes)[0],
        held=held,
        sound=segment(white[0] + GUARD_S, white[1] - GUARD_S),
        f_low=parameters.f_low,
        f_top=cut.tiling().f_top,
        tile_time=start + float(tile.time[0]),
        tile_frequency=float(tile.frequency[0]),
        tile_q=float(tile.q[0]),
        tile_energy=float(tile.energy[0]),
        tile_snr=float(omicron_snr(tile.energy)[0]),
        candidates=[
            (found, float(parts[found.found_by][0]))
            for found in find_candidates(batch, 0, parts, least, lines)
        ],
    )


def _read_around(file: LocalFile, gps: float, sample_rate: int) -> Strain:
    if not file.gps_start <= gps < file.gps_end:
        raise StrainError(f"{file.path}: holds GPS {file.gps_start} to {file.gps_end}, not {gps}.")
    start = max(file.gps_start, int(gps) - _AROUND_S)
    end = min(file.gps_end, int(gps) + _AROUND_S)
    return read_strain([file], file.detector, start, end, sample_rate)


def _sound_stretch(strain: Strain, gps: float, path: str) -> segment:
    """Return the longest GPS span around ``gps`` without a defect."""
    defects = second_defects(strain)
    here = int(gps) - strain.gps_start
    if defects[here]:
        raise StrainError(
            f"{path}: strain at GPS {int(gps)} cannot be used: {defects[here]} "
            f"({MEANING[Reason(defects[here])]})."
        )
    bad = np.flatnonzero(defects != "")
    before, after = bad[bad < here], bad[bad > here]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) if len(after) else len(defects)
    return segment(strain.gps_start + first, strain.gps_start + last)


def _whitened_span(
    strain: Strain, held: segment, start: int, parameters: RenderParameters
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the window and its guards, mirrored where whitened strain ends, and the spectrum.

    Float32 samples, and the one-sided PSD that whitened them as `median_psd` gives it.
    """
    rate, (first, last) = strain.sample_rate, held
    values = strain.values[(first - strain.gps_start) * rate : (last - strain.gps_start) * rate]
    psd = median_psd(values, rate, parameters.psd_segment_s)
    taps = whitening_filter(psd, rate, parameters.band)
    white = whiten(values, taps, rate, first)
    low, high = start - GUARD_S, start + parameters.window_s + GUARD_S
    inner = max(low, first + REACH_S), min(high, last - REACH_S)
    inside = white[(inner[0] - first) * rate : (inner[1] - first) * rate]
    lost = rounding(values, taps, rate, first)[inner[0] - first : inner[1] - first]
    share = span_rounding(lost, inside)
    if not share <= LARGEST_ROUNDING:
        raise StrainError(
            f"GPS {inner[0]} to {inner[1]} cannot be shown: {MEANING[Reason.LOUD]} ({share:.2g} "
            f"times its standard deviation, expected at most {LARGEST_ROUNDING}). Choose a moment "
            "farther from it."
        )
    edges = ((inner[0] - low) * rate, (high - inner[1]) * rate)
    return np.pad(inside, edges, mode="reflect"), psd


def describe_drawn(moment: Moment, gps: float, seconds: float) -> str:
    """Return which part of the window is drawn, why it is a short one, or nothing."""
    if _window(moment) != _shown(moment, gps, seconds) == _around(gps, seconds):
        return f"of this, {seconds:g} s around GPS {gps:.12g} are drawn"
    if moment.window_s >= seconds:
        return ""
    return (
        f"only {moment.window_s} s of {seconds:g} s are drawn: sound strain reaches from GPS "
        f"{moment.held[0]} to {moment.held[1]}, and whitening takes {REACH_S} s at either end"
    )


def _start(gps: float, window_s: int) -> int:
    """Return the whole second with which a window begins that has ``gps`` nearest its middle."""
    return floor(gps - window_s / 2 + 0.5)


def _window(moment: Moment) -> segment:
    return segment(moment.gps_start, moment.gps_start + moment.window_s)


def _around(gps: float, seconds: float) -> segment:
    return segment(gps - seconds / 2, gps + seconds / 2)


def _shown(moment: Moment, gps: float, seconds: float) -> segment:
    """Return what is drawn: what was asked for, and all that was looked at where it is not whole.

    A window of whole seconds starts at one.
    """
    wanted = _around(gps, seconds)
    if seconds < moment.window_s and wanted in _window(moment):
        return wanted
    start = _start(gps, ceil(seconds))
    return _window(moment) | (segment(start, start + ceil(seconds)) & moment.held)


def describe_candidates(moment: Moment) -> list[str]:
    """Return one line of text for each candidate of a moment."""
    return [
        _describe(candidate, value, moment.gps_start) for candidate, value in moment.candidates
    ]


def _describe(candidate: Candidate, value: float, gps_start: int) -> str:
    found = candidate.trigger
    mass = f", chirp mass {candidate.chirp_mass:.1f}" if candidate.chirp_mass else ""
    line = candidate.line_share is not None and candidate.line_share >= LINE_SHARE
    return (
        f"found_by {candidate.found_by} at GPS {gps_start + found.peak_time:.3f}{mass}, "
        f"{_PART[candidate.found_by]} {value:.1f}: {found.fstart:.0f} to {found.fend:.0f} Hz, "
        f"GPS {gps_start + found.tstart:.3f} to {gps_start + found.tend:.3f}"
        + (", along a line" if line else "")
    )


def draw_moment(
    moment: Moment, gps: float, seconds: float, scale: PictureScale, path: Path
) -> None:
    """Draw a moment with axes and colour bar: candidates framed, edges without context hatched.

    Of the window ``seconds`` around ``gps`` are drawn.
    """
    window, shown = _window(moment), _shown(moment, gps, seconds)
    with saved_figure(path, 9.0, 5.0) as figure:
        axes = figure.subplots()
        image = axes.pcolormesh(
            np.linspace(window[0] - gps, window[1] - gps, moment.indices.shape[1] + 1),
            np.geomspace(moment.f_low, moment.f_top, moment.indices.shape[0] + 1),
            scale.energy(moment.indices[::-1]),
            cmap=colormaps[scale.colormap],
            vmin=0,
            vmax=scale.energy_max,
            rasterized=True,
        )
        lacking = segmentlist([shown]) - segmentlist([moment.sound])
        for a, b in lacking:
            axes.axvspan(a - gps, b - gps, fill=False, hatch="//", edgecolor="#dddddd", lw=0)
        for candidate, _ in moment.candidates:
            _outline(axes, candidate, moment.gps_start - gps)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(shown[0] - gps, shown[1] - gps)
        axes.set_ylim(moment.f_low, moment.f_top)
        axes.set_xlabel(f"time from GPS {gps:.12g} (s)")
        axes.set_ylabel("frequency (Hz)")
        axes.set_title(_title(moment, gps, bool(lacking)))
        figure.colorbar(image, label="energy over the row's median", extend="max")


def _outline(axes: Axes, candidate: Candidate, shift: float) -> None:
    """Frame a candidate's time and band, ``shift`` seconds from its window's start to time 0."""
    found = candidate.trigger
    left, bottom = found.tstart + shift, found.fstart
    width, height = found.tend - found.tstart, found.fend - found.fstart
    frame = Rectangle((left, bottom), width, height, fill=False, edgecolor="white", linewidth=0.8)
    frame.set_path_effects(_SEEN_ON_WHITE)
    axes.add_patch(frame)
    axes.annotate(
        candidate.found_by,
        (left, found.fend),
        color="white",
        fontsize=7,
        va="bottom",
        bbox=LABEL_GROUND,
        clip_on=True,
    )


def _title(moment: Moment, gps: float, lacking: bool) -> str:
    return (
        f"{moment.detector}, loudest tile: SNR {moment.tile_snr:.1f} at "
        f"{moment.tile_frequency:.0f} Hz, {moment.tile_time - gps:+.3f} s, Q {moment.tile_q:.1f}"
        + ("\nhatched: too little strain beside it for whitening and guard" if lacking else "")
    )
