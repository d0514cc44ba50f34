"""Strain as a notebook has it: a time series of gwpy, or an array and what is known of it."""

from dataclasses import dataclass
from math import ceil
from typing import Any, get_args

import numpy as np
from igwn_segments import segment, segmentlist
from numpy.typing import NDArray

from gwmorph.config import Detector
from gwmorph.errors import StrainError
from gwmorph.strain.base import check_rate
from gwmorph.strain.decimation import decimate
from gwmorph.strain.files import Strain

_WHERE = "strain"


@dataclass(frozen=True)
class GivenStrain:
    """Strain of one detector in whole seconds.

    ``values`` are float64 [seconds * sample_rate]; the first one is at GPS ``gps_start``.
    """

    detector: str
    gps_start: int
    sample_rate: int
    values: NDArray[np.float64]

    @property
    def span(self) -> segment:
        """GPS seconds ``[start, end)`` that it covers."""
        return segment(self.gps_start, self.gps_start + len(self.values) // self.sample_rate)

    def cut(self, start: int, end: int) -> Strain:
        """Return GPS seconds ``[start, end)`` as they are read from a file without masks."""
        first, last = (int(np.clip(edge, *self.span)) for edge in (start, end))
        values = np.full((end - start) * self.sample_rate, np.nan)
        covered = np.zeros(end - start, bool)
        if first < last:
            covered[first - start : last - start] = True
            there = slice(*((edge - start) * self.sample_rate for edge in (first, last)))
            here = slice(*((edge - self.gps_start) * self.sample_rate for edge in (first, last)))
            values[there] = self.values[here]
        return Strain(self.detector, start, self.sample_rate, values, covered.copy(), covered)


def take_strain(
    strain: Any,
    detector: str | None,
    gps_start: float | None,
    sample_rate: float | None,
    wanted_rate: int,
) -> GivenStrain:
    """Take strain at ``wanted_rate`` (Hz) from what a notebook has.

    Parameters
    ----------
    strain
        A ``gwpy.timeseries.TimeSeries``, or an array [samples]. NaN is missing data.
    detector, gps_start, sample_rate
        Prefix, GPS time of the first sample (s) and rate (Hz): an array needs them, and to a time
        series they are what it does not say itself.

    Parts of seconds at the ends are left out. Faster strain is decimated as files are.

    Raises
    ------
    StrainError
        Something of this is missing, unknown or contradicts the time series, is no one-
        dimensional array of real numbers, or has less than a second; the rate is no whole number,
        lower than the wanted one or no multiple of it, or samples do not lie on whole seconds.
    """
    said = _said_by(strain)
    values = np.asarray(getattr(strain, "value", strain))
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        raise StrainError(
            f"{_WHERE}: expected real numbers [samples], got {values.dtype} {list(values.shape)}."
        )
    given = {"detector": detector, "gps_start": gps_start, "sample_rate": sample_rate}
    about = {name: _one_of(name, given[name], said.get(name)) for name in given}
    if about["detector"] not in get_args(Detector):
        known = ", ".join(get_args(Detector))
        raise StrainError(f"detector: expected one of {known}, got {about['detector']!r}.")
    rate = _whole("sample_rate", about["sample_rate"])
    check_rate(_WHERE, rate, wanted_rate)
    start = ceil(about["gps_start"])
    skipped = (start - float(about["gps_start"])) * rate
    if abs(skipped - round(skipped)) > 1e-3:
        raise StrainError(
            f"{_WHERE}: no sample lies on GPS {start}: the first one is {about['gps_start']!r}. "
            "Resample it to whole seconds."
        )
    values = values[round(skipped) :].astype(np.float64)
    values = values[: len(values) // rate * rate]
    if not len(values):
        raise StrainError(f"{_WHERE}: holds no whole second.")
    if rate != wanted_rate:
        values = decimate(values, rate // wanted_rate)
    return GivenStrain(str(about["detector"]), start, wanted_rate, values)


def science(strain: GivenStrain, segments: Any) -> segmentlist:
    """Return the science segments inside some strain: all of it where ``segments`` is None.

    ``segments`` are pairs of whole GPS seconds, as a ``gwpy.segments.SegmentList`` holds them.

    Raises
    ------
    StrainError
        An edge is no whole second, or nothing of the strain is inside.
    """
    if segments is None:
        return segmentlist([strain.span])
    pairs = [(_whole("segments", a), _whole("segments", b)) for a, b in segments]
    inside = segmentlist(segment(a, b) for a, b in pairs).coalesce() & segmentlist([strain.span])
    if not inside:
        first, last = strain.span
        raise StrainError(f"segments: none holds a part of the strain, GPS {first} to {last}.")
    return inside


def _said_by(strain: Any) -> dict[str, Any]:
    """Return what a time series of gwpy says of itself."""
    if not hasattr(strain, "t0") or not hasattr(strain, "sample_rate"):
        return {}
    channel = getattr(strain, "channel", None)
    prefix = str(getattr(channel, "name", None) or getattr(strain, "name", None) or "")
    said = {
        "gps_start": float(strain.t0.to_value("s")),
        "sample_rate": float(strain.sample_rate.to_value("Hz")),
    }
    return said | ({"detector": prefix[:2]} if prefix[2:3] == ":" else {})


def _one_of(name: str, given: Any, said: Any) -> Any:
    if given is None and said is None:
        raise StrainError(f"{_WHERE}: does not say its {name}; pass {name}=...")
    if given is not None and said is not None and given != said:
        raise StrainError(f"{name}: got {given!r}, but the time series says {said!r}.")
    return said if given is None else given


def _whole(name: str, value: Any) -> int:
    number = float(value)
    if not number.is_integer():
        raise StrainError(f"{name}: expected a whole number, got {number!r}.")
    return int(number)
