"""The score of a trained chirp network as one more statistic of the injection campaign.

Importing this module registers it. What the registry hands to a statistic is tiles and pictures,
and a network looks at whitened strain: so the campaign's windows are made once more, as they were
made, and the score joins what is known of them already.

A campaign's window is of one detector, and so must the network be. One for two detectors would be
shown something that it never saw in its training, whatever took the place of the other detector.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq

from gwmorph.block import RenderParameters
from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.chirp_windows import Look
from gwmorph.evidence.injections import Background, cases_of
from gwmorph.evidence.statistics import STATISTICS, Statistic
from gwmorph.learning.chirp_search import scores_of
from gwmorph.learning.chirp_weights import Trained
from gwmorph.spectra.qtransform import GUARD_S

NAME = "chirp_network"
# Nothing computes it from tiles.
STATISTICS[NAME] = Statistic(NAME, "trained chirp network", None, None)
_ABOUT = ("number", "gps_start", "snr", "gps_time")


def with_network_score(
    windows: pa.Table,
    job: Job,
    backgrounds: Iterable[Background],
    parameters: RenderParameters,
    trained: Trained,
) -> pa.Table:
    """Return a job's windows with one more column: the network's largest score in each.

    Parameters
    ----------
    windows
        What `gwmorph.evidence.injections.observe` returned for the job.
    backgrounds
        The noise of the job, as it was given to that.
    parameters
        How its strain was conditioned.
    trained
        The network, for one detector.

    Raises
    ------
    ConfigError
        The network is for several detectors, or for strain of another band or sample rate.
    TableError
        The windows are not those that the job has now.
    """
    require_suits(trained.look, parameters)
    expected = windows.select(_ABOUT).to_pylist()
    found = []
    for case, row in zip(cases_of(job, backgrounds, parameters), expected, strict=True):
        about = {name: case.row[name] for name in _ABOUT}
        if about != row:
            raise TableError(
                f"{job.name}: expected a window with {about}, got {row}. The windows come from "
                "another version: remove them and run again."
            )
        found.append(_loudest(case.span, parameters, trained))
    return windows.append_column(NAME, pa.array(found, pa.float64()))


def require_suits(look: Look, parameters: RenderParameters) -> None:
    """Refuse a network for strain that is not conditioned as it was trained with.

    Raises
    ------
    ConfigError
        As `with_network_score`.
    """
    key = "chirp_search.campaign_weights"
    if len(look.detectors) != 1:
        raise ConfigError(
            f"{key}: the network is for {' and '.join(look.detectors)}, expected one for a single "
            "detector, as windows of the campaign are of one. Train it with "
            "chirp_search.detectors: [H1]."
        )
    if parameters.sample_rate % look.sample_rate:
        raise ConfigError(
            f"{key}: the network is for {look.sample_rate} Hz, of which conditioning.sample_rate "
            f"({parameters.sample_rate} Hz) is no multiple."
        )
    here, there = parameters.band, look.band
    if here.low_hz != there.low_hz or (
        here.upper(parameters.sample_rate) < there.upper(look.sample_rate)
    ):
        raise ConfigError(
            f"{key}: the network is for {there.low_hz:g} to {there.upper(look.sample_rate):g} Hz, "
            f"but conditioning passes {here.low_hz:g} to {here.upper(parameters.sample_rate):g} "
            "Hz. Train one for that band."
        )


def _loudest(span: NDArray[np.float32], parameters: RenderParameters, trained: Trained) -> float:
    """Return the largest unbounded score of all windows of the network in a campaign's window."""
    look = trained.look
    white = resampled(span, parameters.sample_rate, look)
    windows = np.lib.stride_tricks.sliding_window_view(white, look.samples)
    starts = network_starts(look, parameters.window_s, len(white))
    scores = scores_of(trained.network, np.ascontiguousarray(windows[starts][:, None]))
    return float(scores["unbounded"].max())


def network_starts(look: Look, window_s: int, samples: int) -> NDArray[np.int64]:
    """Return where the network looks, [n]: every moment is once where a merger may lie.

    At the beginning of a window a network with a long one would have to look further back than
    the guard goes: it begins where the strain does.
    """
    step = max(int((look.latest - look.earliest) * look.samples), 1)
    first = GUARD_S * look.sample_rate - int(look.earliest * look.samples)
    last = (GUARD_S + window_s) * look.sample_rate - int(look.latest * look.samples) + step
    highest = samples - look.samples
    return np.unique(np.clip(np.arange(first, last, step), 0, highest))


def resampled(span: NDArray[np.float32], sample_rate: int, look: Look) -> NDArray[np.float32]:
    """Return whitened strain at the network's rate and in its band, float32 [n].

    White noise of unit variance in the whole band stays such. Above its band the network's own
    whitening falls as a cosine within 8 %, and so does this.
    """
    spectrum = rfft(span.astype(np.float64))
    size = len(span) * look.sample_rate // sample_rate
    kept = spectrum[: size // 2 + 1]
    upper = look.band.upper(look.sample_rate)
    above = np.clip((rfftfreq(size, 1 / look.sample_rate) - upper) / (0.08 * upper), 0, 1)
    kept = kept * (1 + np.cos(np.pi * above)) / 2
    return (irfft(kept, size) * np.sqrt(size / len(span))).astype(np.float32)
