"""Strain files that the user already has."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path, PurePath
from typing import Literal

import numpy as np
from igwn_segments import segment, segmentlist

from gwmorph.errors import StrainError
from gwmorph.segments import LATEST_GPS, clip, read_segments
from gwmorph.strain.base import Layout, LocalFile, StrainFile
from gwmorph.strain.files import check_content
from gwmorph.strain.layouts import open_strain
from gwmorph.strain.patterns import matching_files
from gwmorph.strain.reader import StrainReader

# A file, and the spans that it serves.
_Serving = tuple[StrainFile, segmentlist]


class DirectorySource:
    """Files chosen by patterns, read where they lie.

    Parameters
    ----------
    files : for each detector, file patterns (globs; relative ones start at the working directory).
    segments : for each detector, a segment list; without one, the seconds whose DATA bit is set
        in the file that serves them (all of them where files have no data-quality mask).
    format : layout of the files, or ``auto``.
    channel, dataset : for each detector, what to read from frames or plain HDF5.
    prefer : file-name patterns, best first. Where files overlap, the one that matches the first
        of them serves the time that they share; a second is never mixed from two files.
    """

    def __init__(
        self,
        files: Mapping[str, Sequence[str]],
        *,
        segments: Mapping[str, str] | None = None,
        format: Literal["auto"] | Layout = "auto",
        channel: Mapping[str, str] | None = None,
        dataset: Mapping[str, str] | None = None,
        prefer: Sequence[str] = (),
    ) -> None:
        """Keep the choice; the files are looked into when they are first asked for."""
        self._patterns = files
        self._segment_lists = segments or {}
        self._format = format
        self._channels = channel or {}
        self._datasets = dataset or {}
        self._prefer = prefer
        self._offered: dict[str, list[_Serving]] = {}
        self._science: dict[StrainFile, segmentlist] = {}

    def segments(self, detector: str, start: int, end: int) -> segmentlist:
        """Return the science segments of ``detector`` inside ``[start, end)``, coalesced.

        Raises
        ------
        SegmentError
            The segment list cannot be read or makes no sense.
        StrainError
            As in :meth:`files`.
        """
        if detector in self._segment_lists:
            return clip(read_segments(self._segment_lists[detector]), start, end)
        science = segmentlist()
        for file, spans in self._serving(detector):
            wanted = clip(spans, start, end)
            if wanted:
                science.extend(self._science[file] & wanted)
        return science.coalesce()

    def files(self, detector: str, start: int, end: int) -> list[StrainFile]:
        """Return the files that serve a part of ``[start, end)``, sorted by start, then rank.

        Raises
        ------
        StrainError
            The detector has no patterns, a pattern matches no file, a file cannot be read or
            holds another detector, or two files overlap and ``prefer`` ranks neither first.
        """
        span = segmentlist([segment(start, end)])
        return [file for file, spans in self._serving(detector) if spans.intersects(span)]

    def obtain(self, file: StrainFile) -> LocalFile:
        """Check that the file is still what was planned and return its receipt, where it lies.

        Raises
        ------
        StrainError
            The file is gone, damaged, or its span, sample rate or detector changed.
        """
        with self._open(file.location, file.detector) as reader:
            found = reader.description
        check_content(found, file)
        return LocalFile.receipt(file, file.location, found.layout, found.dataset_or_channel)

    def _open(self, path: str, detector: str) -> AbstractContextManager[StrainReader]:
        channel, dataset = self._channels.get(detector), self._datasets.get(detector)
        return open_strain(path, self._format, channel, dataset)

    def _serving(self, detector: str) -> list[_Serving]:
        """Return every file that serves any time, with the spans that it serves."""
        if detector not in self._offered:
            self._offered[detector] = share(self._describe_all(detector))
        return self._offered[detector]

    def _describe_all(self, detector: str) -> list[StrainFile]:
        if not self._patterns.get(detector):
            raise StrainError(
                f"source.directory.files names no files of {detector}; it has "
                f"{sorted(self._patterns)}. Add patterns for {detector}, or leave it out of "
                "run.detectors."
            )
        paths = matching_files("source.directory.files", detector, self._patterns[detector])
        names = {PurePath(path).name for path in paths}
        return [self._offer(path, detector, self._rank(path, names)) for path in paths]

    def _offer(self, path: str, detector: str, rank: int) -> StrainFile:
        with self._open(path, detector) as reader:
            found = reader.description
            file = StrainFile(
                detector=detector,
                gps_start=found.gps_start,
                duration=found.duration,
                sample_rate=found.sample_rate,
                location=path,
                rank=rank,
            )
            check_content(found, file)
            # Now or never: there may be very many files, and opening one takes most of the time.
            if detector not in self._segment_lists:
                good = reader.science(file.gps_start, file.gps_end)
                self._science[file] = spans_of(good, file.gps_start)
        return file

    def _rank(self, path: str, names: set[str]) -> int:
        matches = (i for i, pattern in enumerate(self._prefer) if _fits(path, pattern, names))
        return next(matches, len(self._prefer))


def spans_of(good: np.ndarray, gps_start: int) -> segmentlist:
    """Return the spans of the seconds, from ``gps_start`` on, that are good (bool [n])."""
    edges = np.flatnonzero(np.diff(good, prepend=False, append=False)) + gps_start
    return segmentlist(segment(int(first), int(last)) for first, last in edges.reshape(-1, 2))


def _fits(path: str, pattern: str, names: set[str]) -> bool:
    """Tell whether a path is preferred; a pattern that is the name of a file is that file."""
    named = PurePath(path)
    return named.name == pattern if pattern in names else named.match(pattern)


def share(files: Iterable[StrainFile]) -> list[_Serving]:
    """Give each file the time that no file of lower rank covers; leave out those left with none.

    Raises
    ------
    StrainError
        Two files of equal rank want the same time.
    """
    serving: list[_Serving] = []
    taken = segmentlist()
    ordered = sorted(files, key=lambda f: (f.rank, f.gps_start, f.location))
    for _, equals in groupby(ordered, key=lambda f: f.rank):
        group = [(file, _untaken(file, taken)) for file in equals]
        served = [(file, spans) for file, spans in group if spans]
        _refuse_overlaps(served)
        taken.extend(span for _, spans in served for span in spans)
        taken.coalesce()
        serving += served
    return sorted(serving, key=lambda item: (item[0].gps_start, item[0].rank))


def _untaken(file: StrainFile, taken: segmentlist) -> segmentlist:
    """Return the spans of a file outside of ``taken``, which is coalesced and may be long."""
    first = bisect_right(taken, file.gps_start, key=itemgetter(1))
    last = bisect_left(taken, file.gps_end, key=itemgetter(0))
    return segmentlist([segment(file.gps_start, file.gps_end)]) - segmentlist(taken[first:last])


def _refuse_overlaps(served: Iterable[_Serving]) -> None:
    """Raise where two of some files of equal rank, in order of their start, want the same time."""
    going_on: list[_Serving] = []
    for file, wanted in served:
        going_on = [item for item in going_on if item[1][-1][1] > file.gps_start]
        for other, spans in going_on:
            if both := spans & wanted:
                raise StrainError(
                    f"{other.location} and {file.location} both hold {file.detector} in "
                    f"[{both[0][0]}, {both[0][1]}). Say which one serves, for example\n"
                    f"source:\n  directory:\n    prefer: ['{Path(other.location).name}']\n"
                    "or correct source.directory.files so that only one is chosen."
                )
        going_on.append((file, wanted))


@dataclass(frozen=True)
class Recording:
    """All that some files of one detector hold.

    Attributes
    ----------
    files : the files, with their hashes.
    segments : their science time.
    sample_rate : of the slowest of them, in Hz.
    """

    files: list[LocalFile]
    segments: segmentlist
    sample_rate: int


def recording(key: str, detector: str, patterns: Sequence[str]) -> Recording:
    """Return all that the files of ``patterns`` (globs) hold, whenever it was.

    ``key`` is the configuration's name of the patterns of all detectors, for errors.

    Raises
    ------
    StrainError
        No file fits a pattern, one cannot be read, or two hold the same time.
    """
    source = DirectorySource({detector: patterns})
    try:
        offered = source.files(detector, 0, LATEST_GPS)
        files = [source.obtain(file) for file in offered]
        segments = source.segments(detector, 0, LATEST_GPS)
    except StrainError as error:
        raise StrainError(
            f"{key}.{detector} (files are chosen as by source.directory.files, and none can be "
            f"preferred): {error}"
        ) from error
    return Recording(files, segments, min(file.sample_rate for file in offered))
