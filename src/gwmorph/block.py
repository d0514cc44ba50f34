"""One block: from strain files to pictures, event views, triggers, measurements and ledger."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from igwn_segments import segmentlist
from numpy.typing import NDArray

from gwmorph.errors import StrainError
from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.naming import event_name, window_name
from gwmorph.progress import counting, left_out, timed
from gwmorph.segments import has_context
from gwmorph.spectra.albums import Album, Picture
from gwmorph.spectra.band import Band
from gwmorph.spectra.candidates import (
    Candidate,
    faint_tile,
    find_candidates,
    overlap,
    region_parts,
)
from gwmorph.spectra.conditioning import (
    LARGEST_ROUNDING,
    REACH_S,
    median_psd,
    rounding,
    span_rounding,
    whiten,
    whitening_filter,
)
from gwmorph.spectra.lines import line_rows
from gwmorph.spectra.pictures import CROPS_S, PictureScale
from gwmorph.spectra.qtransform import (
    BATCH,
    GUARD_S,
    QBatch,
    QPlanes,
    QTransform,
    loudest_plane,
    max_over_planes,
    omicron_snr,
)
from gwmorph.spectra.tiling import Tiling
from gwmorph.spectra.triggers import (
    Trigger,
    amplitude,
    find_triggers,
    merge_triggers,
)
from gwmorph.spectra.views import event_view
from gwmorph.storage import content_hash
from gwmorph.strain.base import LocalFile
from gwmorph.strain.files import Strain, read_strain
from gwmorph.tables.block import TILE, TRIGGERS, loud_tiles

if TYPE_CHECKING:
    from gwmorph.config import Config

# Real strain never repeats a sample; a digital system that stopped does nothing else.
_STUCK_SAMPLES = 8
_COMBINE = {"max": max_over_planes, "loudest": loudest_plane}
# Raise when the same parameters would draw other pixels.
_RENDER_VERSION = 1


@dataclass(frozen=True)
class RenderParameters:
    """Every parameter from strain to picture; names, units and meanings as in the config.

    ``f_low`` and ``f_high`` are cut to the pass band, as `Tiling.within` does.

    Raises
    ------
    ConfigError
        No frequency is left between them.
    """

    window_s: int
    sample_rate: int
    psd_segment_s: int
    low_hz: float
    high_hz: float
    q_low: float
    q_high: float
    f_low: float
    f_high: float
    mismatch: float
    height: int
    width: int
    plane: Literal["max", "loudest"]
    energy_max: float
    scale: Literal["linear", "sqrt"]
    colormap: str

    def __post_init__(self) -> None:
        """Cut the band of the tiles."""
        cut = self.tiling().within(self.band)
        object.__setattr__(self, "f_low", cut.f_low)
        object.__setattr__(self, "f_high", cut.f_high)

    @classmethod
    def from_sections(
        cls,
        window_s: int,
        conditioning: Mapping[str, Any],
        qtransform: Mapping[str, Any],
        picture: Mapping[str, Any],
    ) -> "RenderParameters":
        """Join the configuration's sections, as plain mappings."""
        return cls(window_s=window_s, **conditioning, **qtransform, **picture)

    @classmethod
    def of(cls, config: "Config") -> "RenderParameters":
        """Return how a run with this configuration renders."""
        sections = (config.conditioning, config.qtransform, config.picture)
        return cls.from_sections(
            config.window.duration_s, *(section.model_dump() for section in sections)
        )

    @property
    def render_id(self) -> str:
        """Hash of all parameters: pictures of different render ids must not be compared."""
        return content_hash({"version": _RENDER_VERSION, **asdict(self)})

    @property
    def band(self) -> Band:
        """Pass band of the conditioning."""
        return Band(self.low_hz, self.high_hz)

    @property
    def picture_scale(self) -> PictureScale:
        """From energy to palette."""
        return PictureScale(self.scale, self.energy_max, self.colormap)

    def up_to(self, sample_rate: int) -> "RenderParameters":
        """Return what slower strain allows: the same at no more than ``sample_rate`` (Hz)."""
        return replace(self, sample_rate=min(self.sample_rate, sample_rate))

    def cut_to(self, window_s: int) -> "RenderParameters":
        """Return the same parameters for windows of another length."""
        return replace(self, window_s=window_s)

    def tiling(self) -> Tiling:
        """Lay the tiles of a window and its guard."""
        return Tiling(
            self.window_s + 2 * GUARD_S,
            self.sample_rate,
            self.q_low,
            self.q_high,
            self.f_low,
            self.f_high,
            self.mismatch,
        )

    def transform(self) -> QTransform:
        """Make the Q-transform of a window."""
        return QTransform(self.tiling(), self.window_s, self.height, self.width)

    def draw(self, planes: QPlanes) -> NDArray[np.uint8]:
        """Return palette indices uint8 [n, height, width]."""
        return self.picture_scale.index(_COMBINE[self.plane](planes))


@dataclass(frozen=True)
class EventParameters:
    """What counts as a trigger and gets a view; names, units and meanings as in the config.

    ``candidates`` has the least ``tile_snr``, ``excess``, ``track`` and ``chirp``.
    """

    snr: float
    tile_snr: float
    gap_s: float
    max_per_window: int
    candidates: Mapping[str, float]


@dataclass(frozen=True)
class BlockResult:
    """Rows of ``LEDGER`` (one per planned window) and ``MEASUREMENTS``, table ``TRIGGERS``.

    Among the triggers are the candidates, of which the run's scores make events or nothing.
    """

    ledger: list[dict[str, Any]]
    measurements: list[dict[str, Any]]
    triggers: pa.Table


def draw_block(
    files: Sequence[LocalFile],
    detector: str,
    block: int,
    windows: Sequence[int],
    segments: segmentlist,
    context_s: int,
    parameters: RenderParameters,
    events: EventParameters,
    album: Album,
) -> BlockResult:
    """Draw every window of a block that has sound strain, and account for every other one.

    Of each window the loudest triggers get a view, centred on their loudest tile, and so do
    candidates, centred on their moment. A view of a moment inside its window always fits into the
    window and its guards.

    Parameters
    ----------
    files
        Receipts of the strain files of the block and its neighbours.
    windows
        GPS starts of all planned windows of the block, in any order.
    segments
        Science segments around the block; strain outside them is not used.
    context_s
        Seconds of science strain needed on both sides of a window.
    album
        What takes the pictures, named as `naming` does.

    Raises
    ------
    StrainError
        A file cannot be read, or its strain has no usable noise spectrum.
    StorageError
        The album cannot take a picture.
    ValueError
        The context is shorter than the guard and the whitening filter's reach together.
    """
    _require_context(context_s)
    if not windows:
        return BlockResult([], [], TRIGGERS.empty_table())
    with timed("reading and whitening"):
        found = condition(files, detector, block, sorted(windows), segments, context_s, parameters)
    return _drawn(detector, found, parameters, events, album)


def draw_strain(
    strain: Strain,
    block: int,
    windows: Sequence[int],
    segments: segmentlist,
    context_s: int,
    parameters: RenderParameters,
    events: EventParameters,
    album: Album,
) -> BlockResult:
    """Draw a block as `draw_block` does, of strain in memory.

    ``strain`` is at the parameters' sample rate and covers the windows and their context; the
    other arguments, and what is raised, are as there.
    """
    _require_context(context_s)
    if not windows:
        return BlockResult([], [], TRIGGERS.empty_table())
    found = condition_strain(strain, block, sorted(windows), segments, context_s, parameters)
    return _drawn(strain.detector, found, parameters, events, album)


def _require_context(context_s: int) -> None:
    if context_s < GUARD_S + REACH_S:
        raise ValueError(f"context of {context_s} s, expected at least {GUARD_S + REACH_S} s")


def _drawn(
    detector: str,
    conditioned: tuple[list[dict[str, Any]], list["Stretch"]],
    parameters: RenderParameters,
    events: EventParameters,
    album: Album,
) -> BlockResult:
    ledger, stretches = conditioned
    count = sum(len(stretch.windows) for stretch in stretches)
    with timed("drawing"), counting("windows", count) as progress:
        drawn = []
        for stretch in stretches:
            drawn.append(draw_stretch(detector, stretch, parameters, events, album))
            progress.add(len(stretch.windows))
    rows = [row for part in drawn for row in part.triggers]
    claimed = pa.Table.from_pylist(rows, schema=TRIGGERS)
    loud = loud_tiles(claimed, events.snr)
    triggers = merge_triggers(claimed.filter(loud), parameters.window_s)
    merged = pa.concat_tables([triggers, claimed.filter(pc.invert(loud))])
    merged = merged.sort_by([(name, "ascending") for name in ("peak_time", "gps_start")])
    for name in _event_names(claimed) - _event_names(merged):
        album.drop_event(name)
    flat = {start: fault for part in drawn for start, fault in part.flat.items()}
    ledger = [_unless_lost(row, flat, Reason.FLAT) for row in ledger]
    left_out("windows", Counter(row["reason"] for row in ledger if row["reason"]))
    return BlockResult(
        ledger,
        [row for part in drawn for row in part.measurements],
        merged,
    )


@dataclass(frozen=True)
class Stretch:
    """Contiguous whitened strain.

    ``white`` float32 begins at ``gps_start``; ``windows`` are the starts of the windows to draw
    from it; ``psd`` is the one-sided noise spectrum (1/Hz, the grid of `median_psd`) that it was
    whitened by.
    """

    gps_start: int
    white: NDArray[np.float32]
    windows: list[int]
    psd: NDArray[np.float64]


def window_span(stretch: Stretch, start: int, parameters: RenderParameters) -> NDArray[np.float32]:
    """Return the whitened samples of the window starting at GPS ``start`` and of its guards."""
    rate = parameters.sample_rate
    first = (start - GUARD_S - stretch.gps_start) * rate
    return stretch.white[first : first + (parameters.window_s + 2 * GUARD_S) * rate]


def condition(
    files: Sequence[LocalFile],
    detector: str,
    block: int,
    windows: Sequence[int],
    segments: segmentlist,
    context_s: int,
    parameters: RenderParameters,
) -> tuple[list[dict[str, Any]], list[Stretch]]:
    """Judge every window and whiten what is sound; the strain itself is let go of.

    Returns ledger rows of all windows and the stretches of the analysed ones; arguments and
    errors as in `draw_block`.
    """
    first, last = windows[0] - context_s, windows[-1] + parameters.window_s + context_s
    strain = read_strain(files, detector, first, last, parameters.sample_rate)
    return condition_strain(strain, block, windows, segments, context_s, parameters)


def condition_strain(
    strain: Strain,
    block: int,
    windows: Sequence[int],
    segments: segmentlist,
    context_s: int,
    parameters: RenderParameters,
) -> tuple[list[dict[str, Any]], list[Stretch]]:
    """Do what `condition` does of strain that is read, and at the parameters' sample rate."""
    span = (windows[0], windows[-1] + parameters.window_s)
    detector, defects = strain.detector, second_defects(strain)
    ledger = [
        _ledger_row(detector, t, block, parameters.window_s, context_s, segments, strain, defects)
        for t in windows
    ]
    analysed = [row["gps_start"] for row in ledger if row["reason"] is None]
    stretches: list[Stretch] = []
    lost: dict[int, str] = {}
    for first, last in _runs((defects == "") & _inside(segments, strain), strain.gps_start):
        starts = [t for t in analysed if first <= t < last]
        if starts:
            stretch = whiten_stretch(strain, first, last, span, starts, parameters)
            lost.update(drowned(strain, stretch, parameters))
            sound = [t for t in starts if t not in lost]
            stretches.append(replace(stretch, windows=sound))
    return [_unless_lost(row, lost, Reason.LOUD) for row in ledger], stretches


def drowned(strain: Strain, stretch: Stretch, parameters: RenderParameters) -> dict[int, str]:
    """Return by its GPS start what is wrong with each window whose noise is lost in rounding."""
    rate, first = strain.sample_rate, stretch.gps_start - strain.gps_start
    values = strain.values[first * rate :][: len(stretch.white)]
    taps = whitening_filter(stretch.psd, rate, parameters.band)
    lost = rounding(values, taps, rate, stretch.gps_start)
    found = {}
    for start in stretch.windows:
        near = lost[start - GUARD_S - stretch.gps_start :][: parameters.window_s + 2 * GUARD_S]
        share = span_rounding(near, window_span(stretch, start, parameters))
        if not share <= LARGEST_ROUNDING:
            found[start] = (
                f"rounding adds {share:.2g} times the noise's standard deviation, expected at "
                f"most {LARGEST_ROUNDING}"
            )
    return found


def second_defects(strain: Strain) -> NDArray[np.str_]:
    """Return, second by second, why strain cannot be used ('' where it can): str [seconds].

    In order of precedence: no file (``gap``), any sample not finite (``nan``), the DATA bit not
    set (``dq``), eight or more samples equal to the one before (``zeros``).
    """
    samples = strain.values.reshape(-1, strain.sample_rate)
    stuck = (samples[:, 1:] == samples[:, :-1]).sum(axis=1) >= _STUCK_SAMPLES
    defects = np.full(len(samples), "", dtype="U16")
    defects[stuck] = Reason.ZEROS
    defects[~strain.science] = Reason.DQ
    defects[~np.isfinite(samples).all(axis=1)] = Reason.NAN
    defects[~strain.covered] = Reason.GAP
    return defects


def _ledger_row(
    detector: str,
    start: int,
    block: int,
    window_s: int,
    context_s: int,
    segments: segmentlist,
    strain: Strain,
    defects: NDArray[np.str_],
) -> dict[str, Any]:
    if not has_context(segments, start, window_s, context_s):
        return excluded_row(
            detector, start, window_s, block,
            reason=Reason.CONTEXT,
            detail=f"less than {context_s} s of science data beside the window",
        )  # fmt: skip
    first = start - context_s - strain.gps_start
    around = defects[first : first + window_s + 2 * context_s]
    for reason in (Reason.GAP, Reason.NAN, Reason.DQ, Reason.ZEROS):
        seconds = np.flatnonzero(around == reason)
        if len(seconds):
            where = start - context_s + int(seconds[0])
            return excluded_row(
                detector, start, window_s, block,
                reason=reason,
                detail=f"{len(seconds)} s of the window and its context, first at GPS {where}",
            )  # fmt: skip
    return analysed_row(detector, start, window_s, block)


def _inside(segments: segmentlist, strain: Strain) -> NDArray[np.bool_]:
    """Return for every second of the strain whether a science segment holds it."""
    inside = np.zeros(len(strain.science), bool)
    for start, end in segments:
        inside[max(start - strain.gps_start, 0) : max(end - strain.gps_start, 0)] = True
    return inside


def _runs(sound: NDArray[np.bool_], gps_start: int) -> Iterator[tuple[int, int]]:
    """Yield the GPS spans of consecutive sound seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], sound.astype(np.int8), [0]])))
    for first, last in edges.reshape(-1, 2):
        yield gps_start + int(first), gps_start + int(last)


@dataclass(frozen=True)
class Drawn:
    """What one stretch gave.

    Rows of ``MEASUREMENTS`` and ``TRIGGERS`` (of which two windows may claim one), and by its
    GPS start what is wrong with each window that could not be transformed.
    """

    measurements: list[dict[str, Any]]
    triggers: list[dict[str, Any]]
    flat: dict[int, str]


def draw_stretch(
    detector: str,
    stretch: Stretch,
    parameters: RenderParameters,
    events: EventParameters,
    album: Album,
) -> Drawn:
    """Draw the windows of a stretch and the loudest triggers of each; errors as the album's."""
    drawn = Drawn([], [], {})
    least = min(events.snr, events.candidates["tile_snr"])
    lines = line_rows(stretch.psd, parameters.psd_segment_s, parameters.tiling().planes[-1])
    for starts, batch in batches(stretch, parameters):
        if isinstance(batch, StrainError):
            drawn.flat[starts[0]] = str(batch)
            continue
        _draw(detector, starts, batch.planes, parameters, album)
        parts = score_parts(batch)
        clusters = find_triggers(batch, events.tile_snr, least, events.gap_s)
        for i, (start, found) in enumerate(zip(starts, clusters, strict=True)):
            claims = _claims(batch, i, found, parts, lines, events)
            drawn.triggers.extend(
                _trigger_row(detector, start, claim, shown, stretch.psd, parameters)
                for claim, shown in claims
            )
            for claim in (claim for claim, shown in claims if shown):
                _draw_event(detector, start, batch, i, claim, parameters, album)
        drawn.measurements.extend(_measurements(detector, starts, batch, parts))
    return drawn


def _unless_lost(row: dict[str, Any], lost: Mapping[int, str], reason: Reason) -> dict[str, Any]:
    """Return a ledger row, or the one of a lost window where ``lost`` says what is wrong."""
    start = row["gps_start"]
    if start not in lost:
        return row
    return excluded_row(
        row["detector"], start, row["duration_s"], row["block"],
        reason=reason,
        detail=lost[start],
    )  # fmt: skip


def batches(
    stretch: Stretch, parameters: RenderParameters
) -> Iterator[tuple[list[int], QBatch | StrainError]]:
    """Yield starts of a stretch's windows with their tiles, a few at a time.

    Or one start with what is wrong with it; tiles are valid until the next are asked for.
    """
    transform = parameters.transform()
    for i in range(0, len(stretch.windows), BATCH):
        starts = stretch.windows[i : i + BATCH]
        spans = np.stack([window_span(stretch, start, parameters) for start in starts])
        yield from _transformed(transform, starts, spans)


def _transformed(
    transform: QTransform, starts: list[int], spans: NDArray[np.float32]
) -> Iterator[tuple[list[int], QBatch | StrainError]]:
    """Transform windows together, and one by one where one of them has no noise."""
    batch: QBatch | StrainError
    try:
        batch = transform.batch(spans)
    except StrainError as error:
        if len(starts) > 1:
            for i in range(len(starts)):
                yield from _transformed(transform, starts[i : i + 1], spans[i : i + 1])
            return
        batch = error
    yield starts, batch


def _draw(
    detector: str,
    starts: Sequence[int],
    planes: QPlanes,
    parameters: RenderParameters,
    album: Album,
) -> None:
    for start, indices in zip(starts, parameters.draw(planes), strict=True):
        name = window_name(detector, start, parameters.window_s)
        about = {
            "detector": detector,
            "gps_start": start,
            "render_id": parameters.render_id,
        }
        album.add("window", name, Picture(indices, parameters.picture_scale, about))


def whiten_stretch(
    strain: Strain,
    first: int,
    last: int,
    span: tuple[int, int],
    windows: list[int],
    parameters: RenderParameters,
) -> Stretch:
    """Whiten ``[first, last)`` by the noise spectrum of its part inside ``span``.

    ``span`` is that of the block's windows, ``windows`` those of them inside the stretch.

    The context beside the windows has no part in the spectrum, so that reading more of it
    changes no pixel.
    """
    rate, origin = strain.sample_rate, strain.gps_start
    inner = slice((max(first, span[0]) - origin) * rate, (min(last, span[1]) - origin) * rate)
    psd = median_psd(strain.values[inner], rate, parameters.psd_segment_s)
    taps = whitening_filter(psd, rate, parameters.band)
    stretch = strain.values[(first - origin) * rate : (last - origin) * rate]
    return Stretch(first, whiten(stretch, taps, rate, first), windows, psd)


def _measurements(
    detector: str,
    starts: Sequence[int],
    batch: QBatch,
    parts: Mapping[str, NDArray[np.floating]],
) -> Iterator[dict[str, Any]]:
    tiles = batch.planes.loudest
    snr = omicron_snr(tiles.energy)
    for i, start in enumerate(starts):
        yield {
            "detector": detector,
            "gps_start": start,
            "tile_time": start + float(tiles.time[i]),
            "tile_frequency": float(tiles.frequency[i]),
            "tile_q": float(tiles.q[i]),
            "tile_snr": float(snr[i]),
            **{name: float(values[i]) for name, values in parts.items()},
        }


def score_parts(batch: QBatch) -> dict[str, NDArray[np.floating]]:
    """Return what a score weighs of n windows, by column of MEASUREMENTS: [n] each."""
    return {"tile_energy": batch.planes.loudest.energy, **region_parts(batch)}


def _claims(
    batch: QBatch,
    window: int,
    found: Sequence[Trigger],
    parts: Mapping[str, NDArray[np.floating]],
    lines: NDArray[np.bool_],
    events: EventParameters,
) -> list[tuple[Candidate, bool]]:
    """Return a window's triggers and candidates, and which of them are to be drawn.

    ``found`` are its triggers from `find_triggers`, those below ``events.snr`` included.
    """
    triggers = [trigger for trigger in found if trigger.snr >= events.snr]
    faint = faint_tile(found, float(parts["tile_energy"][window]), events.snr)
    candidates = [
        candidate
        for candidate in find_candidates(batch, window, parts, events.candidates, lines)
        if not any(overlap(candidate.trigger, trigger) for trigger in triggers)
    ]
    loud = [Candidate(TILE, trigger) for trigger in triggers]
    claims = [*loud, *([faint] if faint else []), *candidates]
    drawn = _to_draw(claims, len(loud), events.max_per_window)
    return [(claim, claim in drawn) for claim in claims]


def _trigger_row(
    detector: str,
    start: int,
    claim: Candidate,
    view: bool,
    psd: NDArray[np.float64],
    parameters: RenderParameters,
) -> dict[str, Any]:
    trigger = claim.trigger
    return {
        "detector": detector,
        "gps_start": start,
        "found_by": claim.found_by,
        "significance": None,
        "line_share": claim.line_share,
        "chirp_mass": claim.chirp_mass,
        "time": start + trigger.time,
        "peak_time": start + trigger.peak_time,
        "tstart": start + trigger.tstart,
        "tend": start + trigger.tend,
        "duration": trigger.tend - trigger.tstart,
        "frequency": trigger.frequency,
        "peak_frequency": trigger.peak_frequency,
        "fstart": trigger.fstart,
        "fend": trigger.fend,
        "bandwidth": trigger.fend - trigger.fstart,
        "q": trigger.q,
        "snr": trigger.snr,
        "amplitude": amplitude(trigger, psd, parameters.psd_segment_s),
        "energy": trigger.energy,
        "tiles": trigger.tiles,
        "energy_sum": trigger.energy_sum,
        "view": view,
    }


def _to_draw(claims: Sequence[Candidate], loud: int, count: int) -> list[Candidate]:
    """Return ``count`` of the ``loud`` triggers at most and, unless it is 0, all candidates.

    Of several of one moment only the first is there: one moment has one view.
    """
    moments: dict[float, Candidate] = {}
    for claim in claims[:loud]:
        moments.setdefault(claim.trigger.peak_time, claim)
    drawn = dict(list(moments.items())[:count])
    for claim in claims[loud:] if count else ():
        drawn.setdefault(claim.trigger.peak_time, claim)
    return list(drawn.values())


def _draw_event(
    detector: str,
    start: int,
    batch: QBatch,
    window: int,
    claim: Candidate,
    parameters: RenderParameters,
    album: Album,
) -> None:
    size = (parameters.height, parameters.width)
    view = event_view(batch, window, claim.trigger.peak_time, *size, claim.plane)
    time = start + claim.trigger.peak_time
    about = {
        "detector": detector,
        "trigger_time": time,
        "crops_s": CROPS_S,
        "render_id": parameters.render_id,
    }
    scale = parameters.picture_scale
    album.add("event", event_name(detector, time), Picture(scale.index(view), scale, about))


def _event_names(triggers: pa.Table) -> set[str]:
    drawn = triggers.filter(triggers["view"]).select(["detector", "peak_time"])
    return {event_name(row["detector"], row["peak_time"]) for row in drawn.to_pylist()}
