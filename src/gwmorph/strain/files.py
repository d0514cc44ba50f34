"""Reading strain: a span of samples from one or several files, at the rate of the analysis."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

import numpy as np

from gwmorph.errors import StrainError
from gwmorph.strain.base import Layout, LocalFile, StrainFile, check_rate
from gwmorph.strain.decimation import decimate
from gwmorph.strain.layouts import data_sets, open_strain
from gwmorph.strain.reader import FileDescription, StrainReader

# Samples are decimated in chunks, so that memory stays near that of the result: 512 s at
# 16384 Hz are 67 MB. The margin is longer than any anti-alias filter, and whole seconds.
_CHUNK_S = 512
_MARGIN_S = 1
# Files are read one after the other, each at most twice for the margins of chunks.
_MOST_OPEN = 8


@dataclass(frozen=True)
class Strain:
    """A contiguous span of samples.

    Attributes
    ----------
    detector : prefix, as H1.
    gps_start : GPS second of the first sample.
    sample_rate : Hz.
    values : float64 [seconds * sample_rate], NaN where missing.
    science : bool [seconds], False where the DATA bit is not set or no file holds the second;
        True where the file has no data-quality mask.
    covered : bool [seconds], False where no file holds the second.
    """

    detector: str
    gps_start: int
    sample_rate: int
    values: np.ndarray
    science: np.ndarray
    covered: np.ndarray


def describe(
    path: Path | str,
    layout: Literal["auto"] | Layout = "auto",
    channel: str | None = None,
    dataset: str | None = None,
) -> FileDescription:
    """Look into a strain file: detector, GPS start, duration, sample rate, layout.

    ``channel`` (frames) and ``dataset`` (plain HDF5) default to the only candidate in the file.

    Raises
    ------
    StrainError
        The file is missing, truncated, neither HDF5 nor GWF, in another layout than asked for,
        or contradicts its own metadata; a channel or data set is missing (the error lists those
        there are); the start or the sample rate are not whole numbers.
    """
    with open_strain(path, layout, channel, dataset) as reader:
        return reader.description


def describe_each(path: Path | str) -> list[FileDescription]:
    """Look into a strain file that may hold several detectors, each in a data set of its own.

    Raises
    ------
    StrainError
        As `describe`.
    """
    names = data_sets(path)
    if len(names) < 2:
        return [describe(path)]
    return [describe(path, dataset=name) for name in names]


def read_strain(
    files: Sequence[LocalFile], detector: str, start: int, end: int, sample_rate: int
) -> Strain:
    """Read ``[start, end)`` (GPS seconds) of one detector from the files that cover it.

    Files are joined without a seam. Where they overlap, each second comes from the file of the
    lowest rank that covers it, whole, even where that file has NaN. Faster files are decimated
    to ``sample_rate`` (Hz) with a linear-phase anti-alias filter (see ``decimation``); a longer
    read gives the same samples.

    Raises
    ------
    StrainError
        A file is damaged, is not what its receipt says, holds another detector, or has a
        sample rate that is lower or no multiple; two files of equal rank overlap.
    """
    _check_files(files, detector, sample_rate)
    values = np.full((end - start) * sample_rate, np.nan)
    with _Span(files, start - _MARGIN_S, end + _MARGIN_S) as span:
        for rate, first, last in span.stretches():
            first_inside, last_inside = max(first, start), min(last, end)
            step = _CHUNK_S if rate != sample_rate else end - start
            for a in range(first_inside, last_inside, step):
                b = min(a + step, last_inside)
                out = values[(a - start) * sample_rate : (b - start) * sample_rate]
                if rate == sample_rate:
                    span.read_into(out, a, rate)
                    continue
                before, after = max(a - _MARGIN_S, first), min(b + _MARGIN_S, last)
                native = np.empty((after - before) * rate)
                span.read_into(native, before, rate)
                decimated = decimate(native, rate // sample_rate)
                out[:] = decimated[(a - before) * sample_rate :][: len(out)]
    inside = slice(_MARGIN_S, _MARGIN_S + end - start)
    return Strain(detector, start, sample_rate, values, span.science[inside], span.covered[inside])


def read_injections(files: Sequence[LocalFile], detector: str, start: int, end: int) -> np.ndarray:
    """Read which hardware injections the files deny: a mask a second, int64 [end - start].

    A set bit says that there is no injection of the kind (`formats.gwosc_layout.INJECTION_KINDS`).
    −1 where nobody says: no file, no mask in it, or no DATA bit, without which the other bits mean
    nothing. Where files overlap, each second is told by the one that its strain is read from.

    Raises
    ------
    StrainError
        As `read_strain`, but for the sample rate.
    """
    _check_detector(files, detector)
    found = np.full(end - start, -1, dtype=np.int64)
    for owner, first, last in _runs(_owners(files, start, end)):
        if owner < 0:
            continue
        with _open_receipt(files[owner]) as reader:
            mask = reader.injections(start + first, start + last)
            science = reader.science(start + first, start + last)
        if mask is not None:
            found[first:last] = np.where(science, mask, -1)
    return found


class _Span:
    """The files behind ``[start, end)``, a few of them open, and which serves each second.

    ``covered`` (bool [end - start]) says whether a file holds a second, ``science`` (bool
    [end - start]) whether it has the DATA bit, once the second's samples were read.
    """

    def __init__(self, files: Sequence[LocalFile], start: int, end: int) -> None:
        self._start = start
        self._files = files
        self._owners = _owners(files, start, end)
        self._rates = np.array([file.sample_rate for file in files] + [0])[self._owners]
        self.covered = self._owners >= 0
        self.science = np.zeros(end - start, dtype=bool)
        self._open: dict[int, tuple[StrainReader, ExitStack]] = {}

    def __enter__(self) -> Self:
        """Return itself; files are opened when they are read."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what is open."""
        for index in list(self._open):
            self._close(index)

    def _close(self, index: int) -> None:
        _, stack = self._open.pop(index)
        stack.close()

    def _reader(self, index: int) -> StrainReader:
        """Return the open file ``index``; the one opened first is closed where there are many."""
        if index not in self._open:
            if len(self._open) == _MOST_OPEN:
                self._close(next(iter(self._open)))
            stack = ExitStack()
            self._open[index] = stack.enter_context(_open_receipt(self._files[index])), stack
        return self._open[index][0]

    def stretches(self) -> Iterator[tuple[int, int, int]]:
        """Yield (sample rate, first, last) for each run of seconds without gap or new rate."""
        for rate, first, last in _runs(self._rates):
            if rate > 0:
                yield rate, first + self._start, last + self._start

    def read_into(self, out: np.ndarray, start: int, rate: int) -> None:
        """Fill ``out`` with samples from ``start`` on, all inside one stretch."""
        offset = start - self._start
        for owner, first, last in _runs(self._owners[offset : offset + len(out) // rate]):
            reader = self._reader(owner)
            reader.read_into(out[first * rate : last * rate], start + first)
            science = reader.science(start + first, start + last)
            self.science[offset + first : offset + last] = science


def _owners(files: Sequence[LocalFile], start: int, end: int) -> np.ndarray:
    """Return, for each second, the index of the file that serves it, or -1."""
    owners = np.full(end - start, -1)
    for index in sorted(range(len(files)), key=lambda i: files[i].rank):
        file = files[index]
        first, last = max(file.gps_start, start) - start, min(file.gps_end, end) - start
        if first >= last:
            continue
        here = owners[first:last]
        for other in np.unique(here[here >= 0]).tolist():
            if files[other].rank == file.rank:
                raise StrainError(
                    f"{files[other].path} and {file.path} hold the same time of {file.detector} "
                    "and neither is preferred. Rank them with source.directory.prefer."
                )
        here[here < 0] = index
    return owners


def _runs(labels: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield (label, first, last) for each run ``[first, last)`` of equal labels."""
    borders = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    for first, last in pairwise(borders):
        yield int(labels[first]), first, last


def _check_detector(files: Sequence[LocalFile], detector: str) -> None:
    for file in files:
        if file.detector != detector:
            raise StrainError(f"{file.path}: is of {file.detector}, expected {detector}.")


def _check_files(files: Sequence[LocalFile], detector: str, sample_rate: int) -> None:
    _check_detector(files, detector)
    for file in files:
        check_rate(file.path, file.sample_rate, sample_rate)


@contextmanager
def _open_receipt(file: LocalFile) -> Iterator[StrainReader]:
    """Open a file and check that it is what its receipt says."""
    name = file.dataset_or_channel
    with open_strain(file.path, file.layout, channel=name, dataset=name) as reader:
        check_content(reader.description, file)
        yield reader


def check_content(found: FileDescription, expected: StrainFile | LocalFile) -> None:
    """Compare what a file says of itself with what was expected of it.

    Raises
    ------
    StrainError
        Detector, GPS start, duration or sample rate differ; the error names both values.
    """
    path = expected.path if isinstance(expected, LocalFile) else expected.location
    if found.detector not in (None, expected.detector):
        raise StrainError(
            f"{path}: holds strain of {found.detector}, expected {expected.detector}. Correct the "
            "file pattern, data set or channel of that detector."
        )
    for key, unit in (("gps_start", "s GPS"), ("duration", "s"), ("sample_rate", "Hz")):
        if getattr(found, key) != getattr(expected, key):
            raise StrainError(
                f"{path}: {key} is {getattr(found, key)} {unit}, expected "
                f"{getattr(expected, key)} {unit}. The file is not the one that was planned: put "
                "that one back or plan the run anew."
            )
