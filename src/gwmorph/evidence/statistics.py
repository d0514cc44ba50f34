"""The registry of detection statistics: numbers that are large when something is in a window.

An injection campaign scores every window with every registered statistic that suits its encoder.
There are four kinds:

- a plain one (`statistic`) returns one number for each window of a batch;
- one that must learn the background (`statistic` with a ``fit``) returns a row of features for
  each window, and ``fit`` makes a scorer from the features of quiet windows;
- a `taught` one must see some windows before it can look at any, because what it would have to
  keep of each is too much: it gets a `Lesson` and returns its ``compute``;
- a `combination` names earlier statistics as its parts: its features are their scores, and the
  decorated function is its ``fit``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gwmorph.config import AutoencoderWeightsConfig, EncoderConfig
from gwmorph.encoders.base import Encoder, PatchEncoder, Size, View
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence.patches import PatchBackground, best_count, farthest
from gwmorph.evidence.score import PARTS, combine, fit_tails, surprises_of, vector_distance
from gwmorph.spectra.chirps import chirp_ratio
from gwmorph.spectra.extended import box_excess, track_ratio
from gwmorph.spectra.pictures import PictureScale
from gwmorph.spectra.qtransform import QBatch, omicron_snr
from gwmorph.spectra.triggers import energy_of_snr
from gwmorph.spectra.views import event_view

if TYPE_CHECKING:
    from gwmorph.encoders.autoencoder import AutoencoderEncoder

Features = NDArray[np.floating]
Scorer = Callable[[Features], NDArray[np.float64]]
Fit = Callable[[Features], Scorer]


@dataclass(frozen=True)
class Pictures:
    """The window pictures of a batch, and how any picture is drawn and encoded.

    ``indices`` are palette indices uint8 [n, height, width].
    """

    indices: NDArray[np.uint8]
    scale: PictureScale
    encoder: Encoder

    def encode(self, indices: NDArray[np.uint8], view: View) -> NDArray[np.float32]:
        """Return unit vectors float32 [m, 384] of pictures drawn with the same scale."""
        return self.encoder.encode(indices, self.scale, view)


@dataclass(frozen=True)
class Lesson:
    """Windows of simulated noise of their own, used for nothing else.

    ``background`` and ``quiet`` hold no injection; ``injected`` holds one of every known
    morphology at each of some SNRs.
    """

    background: Pictures
    quiet: Pictures
    injected: Pictures


Compute = Callable[[QBatch, Pictures], Features]
Teach = Callable[[Lesson], Compute]


@dataclass(frozen=True)
class Statistic:
    """One registered statistic.

    Attributes
    ----------
    name
        Identifier in tables.
    label
        What a legend calls it.
    compute
        (batch, pictures) -> [n], or features [n, d] where there is a ``fit``; None for a
        combination and where there is ``teach``.
    fit
        (features of m quiet windows [m, d]) -> scorer: (features [n, d]) -> float64 [n]; None
        where ``compute`` gives the score itself.
    parts
        Names of the statistics whose scores are the features of a combination, in this order.
    teach
        lesson -> ``compute``, where the statistic must see some windows first.
    needs
        Kind of encoder without which there is no such statistic.
    """

    name: str
    label: str
    compute: Compute | None
    fit: Fit | None
    parts: tuple[str, ...] = ()
    teach: Teach | None = None
    needs: type = object


STATISTICS: dict[str, Statistic] = {}
RECONSTRUCTION = "reconstruction"


def statistic(name: str, label: str, fit: Fit | None = None) -> Callable[[Compute], Compute]:
    """Register the decorated function as the ``compute`` of a statistic.

    Raises
    ------
    ValueError
        The name is taken.
    """

    def register(compute: Compute) -> Compute:
        _add(Statistic(name, label, compute, fit))
        return compute

    return register


def taught(name: str, label: str, needs: type = object) -> Callable[[Teach], Teach]:
    """Register the decorated function as the ``teach`` of a statistic.

    ``needs`` is the kind of encoder (a protocol) that it works with.

    Raises
    ------
    ValueError
        The name is taken.
    """

    def register(teach: Teach) -> Teach:
        _add(Statistic(name, label, None, None, teach=teach, needs=needs))
        return teach

    return register


def combination(name: str, label: str, parts: tuple[str, ...]) -> Callable[[Fit], Fit]:
    """Register the decorated function as the ``fit`` of a combination of earlier statistics.

    Raises
    ------
    ValueError
        The name is taken, or a part is not registered (yet).
    """

    def register(fit: Fit) -> Fit:
        _add(Statistic(name, label, None, fit, parts))
        return fit

    return register


def _add(entry: Statistic) -> None:
    if entry.name in STATISTICS:
        raise ValueError(f"statistic {entry.name!r} is registered twice")
    if missing := [part for part in entry.parts if part not in STATISTICS]:
        raise ValueError(f"statistic {entry.name!r}: parts {missing} are not registered yet")
    STATISTICS[entry.name] = entry


def neighbor_distance(quiet: Features) -> Scorer:
    """Learn quiet vectors; score others by their mean cosine distance to the nearest five."""
    return partial(vector_distance, quiet)


@statistic("loudest_tile", "loudest tile")
def loudest_tile(batch: QBatch, pictures: Pictures) -> NDArray[np.float64]:
    """Return the Omicron SNR of each window's loudest tile."""
    return omicron_snr(batch.planes.loudest.energy)


@statistic("window_vector", "one vector of the 32 s view", fit=neighbor_distance)
def window_vector(batch: QBatch, pictures: Pictures) -> NDArray[np.float32]:
    """Return the vector of each window's picture: what one vector for 32 s can see."""
    return pictures.encode(pictures.indices, "window")


@statistic("event_vector", "event view", fit=neighbor_distance)
def event_vector(batch: QBatch, pictures: Pictures) -> NDArray[np.float32]:
    """Return the vector of the event view that is centred on each window's loudest tile."""
    views = _event_views(batch, pictures.indices.shape[1:])
    return pictures.encode(pictures.scale.index(views), "event")


def _event_views(batch: QBatch, size: tuple[int, ...]) -> NDArray[np.float32]:
    times = batch.planes.loudest.time
    return np.stack([event_view(batch, i, float(t), *size) for i, t in enumerate(times)])


def register_encoder(name: str, config: EncoderConfig, size: Size) -> None:
    """Register an encoder's vectors of windows and of events beside those of the run's encoder.

    The statistics are called ``window_vector_NAME`` and ``event_vector_NAME``. The encoder is made
    for pictures of ``size`` when a picture is encoded for the first time.

    Raises
    ------
    ValueError
        The name is registered already.
    """

    @cache
    def made() -> Encoder:
        return make_encoder(config, size)

    @statistic(f"window_vector_{name}", f"{name}, 32 s view", neighbor_distance)
    def of_window(batch: QBatch, pictures: Pictures) -> NDArray[np.float32]:
        return made().encode(pictures.indices, pictures.scale, "window")

    @statistic(f"event_vector_{name}", f"{name}, event view", neighbor_distance)
    def of_event(batch: QBatch, pictures: Pictures) -> NDArray[np.float32]:
        views = pictures.scale.index(_event_views(batch, size))
        return made().encode(views, pictures.scale, "event")


def register_reconstruction(config: AutoencoderWeightsConfig) -> None:
    """Register how badly an autoencoder draws a window's event view: what is odd, it draws worse.

    The view is centred on the window's loudest tile; the score is the mean squared error of its
    brightness. Equal weights may be registered again, as the registry outlives a job's parts.
    The weights are read when a window is scored for the first time.
    """
    if config.path is None:
        raise ValueError("encoder.autoencoder.path: no weights are named")
    STATISTICS.pop(RECONSTRUCTION, None)

    @cache
    def made(size: Size) -> "AutoencoderEncoder":
        # Read here, since other statistics do without PyTorch.
        from gwmorph.encoders.autoencoder import AutoencoderEncoder

        assert config.path is not None
        return AutoencoderEncoder(config.path, size, config.sha256)

    @statistic(RECONSTRUCTION, "reconstruction error")
    def reconstruction(batch: QBatch, pictures: Pictures) -> NDArray[np.float64]:
        height, width = pictures.indices.shape[1:]
        views = pictures.scale.index(_event_views(batch, (height, width)))
        return made((height, width)).reconstructions(views, pictures.scale)[1]


@statistic("excess", "energy in boxes")
def excess(batch: QBatch, pictures: Pictures) -> NDArray[np.float64]:
    """Return how improbable the energy of the least probable box of tiles is."""
    return box_excess(batch)


@statistic("track", "energy along tracks")
def track(batch: QBatch, pictures: Pictures) -> NDArray[np.float64]:
    """Return the log-likelihood ratio of the best path of energy."""
    return track_ratio(batch)


@statistic("chirp", "energy along chirps")
def chirp(batch: QBatch, pictures: Pictures) -> NDArray[np.float64]:
    """Return the log-likelihood ratio of the best chirp's track."""
    return chirp_ratio(batch)


@taught("patch_evidence", "farthest patches", needs=PatchEncoder)
def patch_evidence(lesson: Lesson) -> Compute:
    """Score by the patches that are farthest from those of quiet windows."""
    background = PatchBackground(_patches(lesson.background))
    quiet, injected = (
        background.distances(_patches(pictures)) for pictures in (lesson.quiet, lesson.injected)
    )
    count = best_count(quiet, injected)

    def compute(batch: QBatch, pictures: Pictures) -> NDArray[np.float64]:
        return farthest(background.distances(_patches(pictures)), count)

    return compute


def _patches(pictures: Pictures) -> NDArray[np.float16]:
    assert isinstance(pictures.encoder, PatchEncoder)  # the statistic needs one
    return pictures.encoder.patches(pictures.indices, pictures.scale)


@combination("extended", "boxes, tracks, chirps", parts=("excess", "track", "chirp"))
def extended(quiet: Features) -> Scorer:
    """Score by the rarest of the three in quiet noise, as the score does."""
    return _background_score(quiet, ("excess", "track", "chirp"))


@combination("score", "score", parts=("loudest_tile", "excess", "track", "chirp", "window_vector"))
def score(quiet: Features) -> Scorer:
    """Score as `gwmorph.evidence.score` does: by the rarest part, corrected for their number."""
    # Energies, not SNRs, have an exponential tail.
    return _background_score(quiet, PARTS)


def _background_score(quiet: Features, names: tuple[str, ...]) -> Scorer:
    tails = fit_tails(_named(quiet, names))
    return lambda scores: combine(surprises_of(tails, _named(scores, names)))


def _named(scores: Features, names: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    columns = dict(zip(names, np.asarray(scores, np.float64).T, strict=True))
    if "tile_energy" in columns:
        columns["tile_energy"] = energy_of_snr(columns["tile_energy"])
    return columns
