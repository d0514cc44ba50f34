"""Real glitches with known labels, from strain: seen as a run sees its own.

A labelled stretch is conditioned as a block of its own: by its median spectrum, guards and the
filter's reach cut away. Its view is centred on the trigger that the label means. A glitch without
one has no view in a run either; it stays in the table, without a picture, and is counted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from math import floor
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.block import RenderParameters, drowned, whiten_stretch, window_span
from gwmorph.config import EventsConfig
from gwmorph.encoders.base import unit_rows
from gwmorph.errors import StrainError
from gwmorph.evidence.agreement import NEIGHBORS, majority, trigger_features
from gwmorph.evidence.injections import trigger_columns
from gwmorph.evidence.labelled import pictures_of
from gwmorph.evidence.quality import METRIC, Vectors, pixel_components, share_rows
from gwmorph.evidence.recall import wilson
from gwmorph.labels import NEAR_S
from gwmorph.simulation.streams import stream
from gwmorph.spectra.conditioning import REACH_S
from gwmorph.spectra.qtransform import GUARD_S, omicron_snr
from gwmorph.spectra.triggers import Trigger, find_triggers
from gwmorph.spectra.views import event_view
from gwmorph.strain.files import Strain
from gwmorph.strain.labelled import LabelledStrain
from gwmorph.tables.comparison import REAL_STRAIN

GLITCHES = "real_strain"
TRIGGER = "trigger"
# What a stretch needs on both sides of the glitch, and in all for a median spectrum.
_LEAST_AROUND_S = 1 + GUARD_S + REACH_S
_LEAST_SEGMENTS = 3
_LONGEST_AROUND_S = 16
_REPEATS = 2000
# Gravity Spy's classes that populations do not call the same in small letters.
_OTHERWISE = {
    "1080Lines": "lines_1080",
    "Blip_Low_Frequency": "low_frequency_blip",
    "Violin_Mode": "violin_mode_ring",
}


def real_strain_views(
    glitches: Iterable[LabelledStrain], parameters: RenderParameters, events: EventsConfig
) -> pa.Table:
    """Return the event view of every labelled glitch that a trigger shows.

    The window is the longest one of whole seconds around the glitch (up to 32 s) whose guards are
    whitened strain. The trigger is the one whose span, widened by 0.25 s, holds the label's time;
    of several the one whose peak is nearest.

    Parameters
    ----------
    glitches
        What `strain.labelled.read_labelled_strain` returns.
    parameters, events
        How a run renders, and what it takes for a trigger.

    Returns
    -------
    Rows of ``REAL_STRAIN``, one for each glitch in the order given; the columns of its
    trigger and its picture are null where there is none.

    Raises
    ------
    StrainError
        A stretch has another sample rate than the analysis, or is too short for a window around
        the glitch with its guards, or for a noise spectrum; its strain is constant.
    """
    return pa.Table.from_pylist(
        [_row(glitch, parameters, events) for glitch in glitches], schema=REAL_STRAIN
    )


def _row(
    glitch: LabelledStrain, parameters: RenderParameters, events: EventsConfig
) -> dict[str, Any]:
    start, window_s = _window(glitch, parameters)
    cut = parameters.cut_to(window_s)
    batch = _transform(cut).batch(_whitened(glitch, start, cut)[None])
    (triggers,) = find_triggers(batch, events.tile_snr, events.snr, events.gap_s)
    row: dict[str, Any] = {
        "name": glitch.name,
        "detector": glitch.detector,
        "label": glitch.label,
        "snr": glitch.snr,
        "glitch_time": glitch.glitch_time_s,
        "tile_snr": float(omicron_snr(batch.planes.loudest.energy[0])),
        "tile_time": start + float(batch.planes.loudest.time[0]),
        "triggers": len(triggers),
    }
    meant = _meant(triggers, glitch.glitch_time_s - start)
    if meant is None:
        return row
    view = event_view(batch, 0, meant.peak_time, parameters.height, parameters.width)
    return {
        **row,
        "trigger_time": start + meant.peak_time,
        **trigger_columns([meant]),
        "picture": parameters.picture_scale.index(view).tobytes(),
    }


@cache
def _transform(parameters: RenderParameters) -> Any:
    return parameters.transform()


def _window(glitch: LabelledStrain, parameters: RenderParameters) -> tuple[int, int]:
    """Return start (s from the first sample) and length of the window around a glitch."""
    if glitch.sample_rate != parameters.sample_rate:
        raise StrainError(
            f"{glitch.where}: strain of {glitch.sample_rate} Hz, expected "
            f"{parameters.sample_rate} Hz: its view would show another band than all others. "
            "Resample it, or set conditioning.sample_rate for the whole comparison."
        )
    length, centre = len(glitch.values) // glitch.sample_rate, floor(glitch.glitch_time_s)
    around = min(centre, length - centre)
    shortest = _LEAST_SEGMENTS * parameters.psd_segment_s
    if around < _LEAST_AROUND_S or length < shortest:
        raise StrainError(
            f"{glitch.where}: {length} s of strain, {around} s of it on the shorter side of the "
            f"glitch; expected at least {shortest} s in all for a noise spectrum and "
            f"{_LEAST_AROUND_S} s on both sides for filter, guard and window. Cut a longer "
            "stretch."
        )
    half = min(around - GUARD_S - REACH_S, _LONGEST_AROUND_S)
    return centre - half, 2 * half


def _whitened(
    glitch: LabelledStrain, start: int, parameters: RenderParameters
) -> NDArray[np.float32]:
    """Return the whitened samples of the window that starts at ``start``, and of its guards."""
    seconds = len(glitch.values) // glitch.sample_rate
    whole = np.ones(seconds, bool)
    values = glitch.values[: seconds * glitch.sample_rate]
    strain = Strain(glitch.detector, 0, glitch.sample_rate, values, whole, whole)
    try:
        stretch = whiten_stretch(strain, 0, seconds, (0, seconds), [start], parameters)
    except StrainError as error:
        raise StrainError(f"{glitch.where}: {error}") from error
    for fault in drowned(strain, stretch, parameters).values():
        raise StrainError(f"{glitch.where}: too loud: {fault}.")
    return window_span(stretch, start, parameters)


def _meant(triggers: Sequence[Trigger], time: float) -> Trigger | None:
    """Return the trigger that a label's time means, if there is one."""
    near = [t for t in triggers if t.tstart - NEAR_S <= time <= t.tend + NEAR_S]
    return min(near, key=lambda trigger: abs(trigger.peak_time - time), default=None)


def with_view(glitches: pa.Table) -> pa.Table:
    """Return the rows of ``REAL_STRAIN`` that have a view."""
    return glitches.filter(glitches["picture"].is_valid())


def morphology_of(label: str) -> str:
    """Return how a population writes the name of one of Gravity Spy's classes."""
    return _OTHERWISE.get(label, label.lower())


def trigger_rows(glitches: pa.Table, seed: int) -> list[dict[str, Any]]:
    """Return rows of ``ENCODER_QUALITY`` on triggers against labels.

    ``has_trigger``, the share with a trigger (Wilson interval); of those ``snr_ratio``, the median
    of the trigger's SNR over the label's, and ``offset_s``, the median distance of its peak from
    the label's time, both with a bootstrap over glitches.
    """
    shown = with_view(glitches)
    total, found = len(glitches), len(shown)
    rows = [_quality(TRIGGER, "has_trigger", found / total, wilson(found, total), total)]
    column = {name: shown[name].to_numpy() for name in ("snr", "trigger_snr", "glitch_time")}
    values = {
        "snr_ratio": column["trigger_snr"] / column["snr"],
        "offset_s": np.abs(shown["trigger_time"].to_numpy() - column["glitch_time"]),
    }
    drawn = stream(seed, "bootstrap", found).integers(found, size=(_REPEATS, found))
    for figure, own in values.items() if found else ():
        low, high = np.percentile(np.median(own[drawn], axis=1), [2.5, 97.5])
        interval = (float(low), float(high))
        rows.append(_quality(TRIGGER, figure, float(np.median(own)), interval, found))
    return rows


def real_strain_quality(
    glitches: pa.Table,
    simulated: pa.Table,
    vectors: Mapping[str, tuple[Vectors, Vectors]],
    size: tuple[int, int],
    seed: int,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Compare real glitches with each other and with simulated views.

    ``real_strain_top1``: the nearest other glitch is of the same class; a class with one glitch
    cannot be told and is not scored. Glitches of a class are each other's answers: the interval is
    a bootstrap over classes. ``simulated_to_real_top1``: most of the five nearest simulated views
    are of the glitch's class, the nearest on a tie; scored are the classes that the simulation has
    under the same name, and the interval is Wilson's.

    Parameters
    ----------
    glitches, simulated
        Rows of ``REAL_STRAIN`` and of ``LABELLED``.
    vectors
        For each encoder, vectors [n, d] of the glitches with a view, and of the simulated views.
    size
        Pixels of the pictures.
    seed
        Of the bootstrap.

    Returns
    -------
    Rows of ``ENCODER_QUALITY``, and of ``NAMED``: what each glitch is taken for.
    There are none where fewer than two glitches have a view.
    """
    shown = with_view(glitches)
    if len(shown) < 2:
        return [], []
    everything = {**vectors, **_without_encoder(shown, simulated, size)}
    labels = np.array([morphology_of(label) for label in shown["label"].to_pylist()])
    classes = np.array(simulated["morphology"].to_pylist())
    named = {
        features: _named(features, real, of_class, labels, classes)
        for features, (real, of_class) in everything.items()
    }
    rows = _shares(named, labels, set(classes.tolist()), seed)
    return rows, _named_rows(shown, named)


def _without_encoder(
    shown: pa.Table, simulated: pa.Table, size: tuple[int, int]
) -> dict[str, tuple[Vectors, Vectors]]:
    """Return what no encoder made, of both kinds of views: pictures' components, columns."""
    count = len(shown)
    pictures = np.concatenate([pictures_of(shown, size), pictures_of(simulated, size)])
    columns = [name for name in shown.column_names if name.startswith("trigger_")]
    both = pa.concat_tables(
        [shown.select(columns), simulated.select(columns)], promote_options="default"
    )
    found: dict[str, Vectors] = {
        "pixels": pixel_components(pictures),
        "triggers": trigger_features(both),
    }
    return {name: (values[:count], values[count:]) for name, values in found.items()}


def _named(
    features: str, real: Vectors, simulated: Vectors, labels: NDArray, classes: NDArray
) -> dict[str, NDArray]:
    """Return the nearest other glitch [n] of each glitch, and what simulated views name it."""
    among_real = _distances(features, real, real)
    np.fill_diagonal(among_real, np.inf)
    nearest = np.argsort(_distances(features, real, simulated), axis=1, kind="stable")
    return {
        "nearest": among_real.argmin(axis=1),
        "like": labels[among_real.argmin(axis=1)],
        "named": majority(classes[nearest[:, :NEIGHBORS]]),
    }


def _distances(features: str, one: Vectors, other: Vectors) -> NDArray[np.float64]:
    """Return distances [n, m]: by cosine, or Euclidean where vectors have no direction."""
    if METRIC.get(features, "cosine") == "cosine":
        return 1 - unit_rows(one).astype(np.float64) @ unit_rows(other).astype(np.float64).T
    return np.linalg.norm(one[:, None] - other[None], axis=2)


def _shares(
    named: Mapping[str, Mapping[str, NDArray]], labels: NDArray, known: set[str], seed: int
) -> list[dict[str, Any]]:
    return [
        {**row, "data": GLITCHES}
        for row in [
            *_among_real(named, labels, seed),
            *_from_simulated(named, labels, known, seed),
        ]
    ]


def _among_real(
    named: Mapping[str, Mapping[str, NDArray]], labels: NDArray, seed: int
) -> list[dict[str, Any]]:
    answerable = np.array([(labels == label).sum() > 1 for label in labels])
    if not answerable.any():
        return []
    _, classes = np.unique(labels[answerable], return_inverse=True)
    right = {name: (own["like"] == labels)[answerable] for name, own in named.items()}
    return share_rows("real_strain_top1", right, classes, seed)


def _from_simulated(
    named: Mapping[str, Mapping[str, NDArray]], labels: NDArray, known: set[str], seed: int
) -> Iterator[dict[str, Any]]:
    scored = np.isin(labels, sorted(known))
    if not scored.any():
        return
    right = {name: (own["named"] == labels)[scored] for name, own in named.items()}
    for row in share_rows("simulated_to_real_top1", right, np.arange(scored.sum()), seed):
        of_glitches = row["figure"] == "simulated_to_real_top1"
        yield {**row, **_wilson(right[row["features"]])} if of_glitches else row
    for label in dict.fromkeys(labels[scored].tolist()):
        for name, hits in right.items():
            own = hits[labels[scored] == label]
            row = _quality(name, "simulated_to_real_top1", own.mean(), (0, 0), len(own))
            yield {**row, **_wilson(own), "morphology": label}


def _wilson(hits: NDArray[np.bool_]) -> dict[str, float]:
    low, high = wilson(int(hits.sum()), len(hits))
    return {"low": low, "high": high}


def _quality(
    features: str, figure: str, value: float, interval: tuple[float, float], count: int
) -> dict[str, Any]:
    return {
        "features": features,
        "data": GLITCHES,
        "figure": figure,
        "morphology": None,
        "value": float(value),
        "low": interval[0],
        "high": interval[1],
        "pictures": count,
    }


def _named_rows(
    shown: pa.Table, named: Mapping[str, Mapping[str, NDArray]]
) -> list[dict[str, Any]]:
    names, labels = shown["name"].to_pylist(), shown["label"].to_pylist()
    return [
        {
            "features": features,
            "name": names[i],
            "label": labels[i],
            "nearest": names[own["nearest"][i]],
            "nearest_label": labels[own["nearest"][i]],
            "named": str(own["named"][i]),
        }
        for features, own in named.items()
        for i in range(len(names))
    ]
