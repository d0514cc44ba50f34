"""The plan of a run: which blocks and windows there are, and which files they are read from.

A plan is made before any job starts, from what a strain source says about segments and files.
Its answers are kept in ``results/{run}/plan/{detector}.json`` and reused as long as the question
stays the same, so that a remote server is asked once. To ask again, remove that folder. Making a
plan writes nothing: another run may be at work in that folder.
"""

import logging
import shlex
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from igwn_segments import segment, segmentlist

from gwmorph.codehash import PACKAGE, stage_hash
from gwmorph.config import (
    ConditioningConfig,
    Config,
    Detector,
    DirectoryConfig,
    QTransformConfig,
    RunConfig,
    ScoreConfig,
    SourceConfig,
    WindowConfig,
)
from gwmorph.config.score import fewest_quiet_windows
from gwmorph.errors import ConfigError, PlanError, StorageError
from gwmorph.grid import BLOCK_S, Grid, block_of
from gwmorph.rebuilding import STRICT, rebuilt
from gwmorph.segments import LATEST_GPS, grid_windows
from gwmorph.spectra.tiling import tiling_within_band
from gwmorph.storage import content_hash, parse_json, sha256_of_file, write_json_if_changed
from gwmorph.strain.base import StrainFile, StrainSource, check_rate
from gwmorph.strain.patterns import matching_files, path_is
from gwmorph.strain.versions import Stat, stat_of, versioned
from gwmorph.wording import counted

# A source without segments may have some tomorrow: it is asked each time.
_UNANSWERED = ""
_SPANS_SHOWN = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DetectorPlan:
    """What one detector has to offer in ``[gps_start, gps_end)``, cut into blocks and windows.

    Attributes
    ----------
    gps_start, gps_end : whole GPS seconds.
    segments : science segments inside the span, coalesced.
    files : strain files that hold a part of the span, sorted.
    """

    detector: str
    gps_start: int
    gps_end: int
    grid: Grid
    segments: segmentlist
    files: tuple[StrainFile, ...]

    @cached_property
    def _windows(self) -> dict[int, list[int]]:
        windows: dict[int, list[int]] = {}
        for t in grid_windows(self.segments, self.grid.duration, self.grid.stride):
            windows.setdefault(block_of(t), []).append(t)
        return windows

    @cached_property
    def _science_blocks(self) -> set[int]:
        return {
            block for start, end in self.segments for block in range(block_of(start), end, BLOCK_S)
        }

    @cached_property
    def _files(self) -> dict[int, list[StrainFile]]:
        files = defaultdict(list)
        for file in self.files:
            for block in range(block_of(file.gps_start), file.gps_end, BLOCK_S):
                files[block].append(file)
        return files

    @property
    def blocks(self) -> list[int]:
        """GPS starts of the blocks that hold windows, sorted; each is a job."""
        return list(self._windows)

    @property
    def science_s(self) -> int:
        """Seconds of science segments inside the span."""
        return int(abs(self.segments))

    def windows(self, block: int) -> list[int]:
        """Return the starts of the windows that begin inside ``block``."""
        return self._windows.get(block, [])

    def windows_with_context(self, block: int) -> list[int]:
        """Return those of ``windows`` that the segments leave enough context."""
        return self.grid.with_context(self.segments, self.windows(block))

    def block_segments(self, block: int) -> segmentlist:
        """Return the part of the segments that ``block``'s job sees."""
        return self.grid.block_segments(self.segments, block)

    def files_of(self, block: int) -> list[StrainFile]:
        """Return the files that hold a part of ``block``."""
        return self._files.get(block, [])

    def neighbourhood(self, block: int) -> list[int]:
        """Return the blocks that ``block``'s job reads: itself and direct neighbours with science.

        A neighbour without a window of its own still lends its samples as context.
        """
        near = (block - BLOCK_S, block, block + BLOCK_S)
        return [other for other in near if other in self._science_blocks]

    def block_hash(self, block: int) -> str:
        """Return a hash of everything in the plan that ``block``'s results depend on."""
        return content_hash(
            {
                "windows": self.windows(block),
                "with_context": self.windows_with_context(block),
                "segments": [list(span) for span in self.block_segments(block)],
                "files": {
                    other: [file.to_json() for file in self.files_of(other)]
                    for other in self.neighbourhood(block)
                },
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a dictionary that JSON can hold."""
        return {
            "detector": self.detector,
            "gps_start": self.gps_start,
            "gps_end": self.gps_end,
            "window_s": asdict(self.grid),
            "segments": [list(span) for span in self.segments],
            "files": [file.to_json() for file in self.files],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild what `to_json` gave.

        Raises
        ------
        ValueError
            It is no such thing.
        """
        names = [field.name for field in fields(_Stored)]
        stored = rebuilt(_Stored, {name: content[name] for name in names if name in content})
        return cls(
            detector=stored.detector,
            gps_start=stored.gps_start,
            gps_end=stored.gps_end,
            grid=stored.window_s,
            segments=segmentlist(segment(*span) for span in stored.segments),
            files=stored.files,
        )


@dataclass(frozen=True)
class _Stored:
    """A plan in plain values; a segment is start and stop."""

    __pydantic_config__ = STRICT

    detector: str
    gps_start: int
    gps_end: int
    window_s: Grid
    segments: tuple[tuple[int, int], ...]
    files: tuple[StrainFile, ...]

    def __post_init__(self) -> None:
        """Raise ValueError where a span is empty or reversed."""
        for start, end in [(self.gps_start, self.gps_end), *self.segments]:
            if start >= end:
                raise ValueError(f"the span {start} to {end} is empty or reversed")


Plan = dict[str, DetectorPlan]
# What Snakemake takes to lay out the jobs of one block, and how long nobody asks why.
BLOCK_LAID_OUT_S = 0.008
_PATIENCE_S = 60
# What is kept of a plan: the content of each file by its name.
Kept = dict[str, dict[str, Any]]


def make_plan(
    folder: Path,
    run: RunConfig,
    source: SourceConfig,
    grid: Grid,
    make_source: Callable[[SourceConfig], StrainSource],
) -> tuple[Plan, Kept]:
    """Return the plan of a run and what to keep of it in ``folder``, one file for each detector.

    ``make_source`` is called only when a detector's stored answers do not fit the question: the
    source's keys, the span, and, for files on this machine, their names, sizes and times.

    Raises
    ------
    PlanError
        No detector has a single window, or a stored plan cannot be read.
    GwmorphError
        Whatever the source raises when its segments or files cannot be had.
    """
    plan: Plan = {}
    kept: Kept = {}
    for detector in run.detectors:
        path = folder / _file_name(detector)
        stats = _watched(source.directory, detector) if source.kind == "directory" else {}
        asked = _question(source, detector, run, stats)
        stored = _load(path) if path.exists() else {}
        if stored.get("asked") == asked:
            answer = _rebuilt_plan(path, stored | {"window_s": asdict(grid)})
        else:
            answer = _ask(make_source(source), detector, run, grid)
            if source.kind == "directory":
                before = _planned_before(path, stored)
                answer = _versioned(answer, stats, *before, folder.parent / "strain" / detector)
        if not answer.segments:
            _log.warning("%s has no science segments in the run's span.", detector)
            asked = _UNANSWERED
        plan[detector] = answer
        kept[path.name] = answer.to_json() | {"asked": asked, "seen": stats}
    if source.kind == "directory" and not any(one.files and one.blocks for one in plan.values()):
        raise PlanError(_where_files_are(plan, run, make_source(source)))
    _require_windows(plan, run)
    return plan, kept


def keep_plan(folder: Path, kept: Kept) -> None:
    """Write what `make_plan` said is to be kept; a file is rewritten only when it would differ.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    for name, content in kept.items():
        write_json_if_changed(folder / name, content)


def _file_name(detector: str) -> str:
    return f"{detector}.json"


def _ask(source: StrainSource, detector: str, run: RunConfig, grid: Grid) -> DetectorPlan:
    span = run.gps_start, run.gps_end
    segments = source.segments(detector, *span)
    # A detector that was off has no files that anyone would miss.
    files = tuple(source.files(detector, *span)) if segments else ()
    return DetectorPlan(detector, *span, grid, segments, files)


def _planned_before(
    path: Path, stored: Mapping[str, Any]
) -> tuple[dict[str, StrainFile], dict[str, Stat]]:
    """Return the files of a stored plan and what was seen of them then, by their locations."""
    try:
        planned = [StrainFile.from_json(file) for file in stored.get("files", [])]
        seen = rebuilt(dict[str, Stat], stored.get("seen", {}))
    except (TypeError, ValueError) as error:
        raise _unreadable(path, error) from error
    return {file.location: file for file in planned}, seen


def _versioned(
    answer: DetectorPlan,
    stats: Mapping[str, Stat],
    planned: Mapping[str, StrainFile],
    seen: Mapping[str, Stat],
    receipts: Path,
) -> DetectorPlan:
    """Return a plan of the user's files with the versions that they have since the stored plan."""
    files = versioned(answer.files, stats, planned, seen, receipts.glob("*.json"))
    return replace(answer, files=tuple(files))


def load_plan(folder: Path, detectors: Iterable[str]) -> Plan:
    """Return the plan that `keep_plan` wrote, without asking any source.

    Raises
    ------
    PlanError
        There is no readable plan in ``folder``.
    """
    paths = {detector: folder / _file_name(detector) for detector in detectors}
    return {detector: _rebuilt_plan(path, _load(path)) for detector, path in paths.items()}


def _rebuilt_plan(path: Path, content: Mapping[str, Any]) -> DetectorPlan:
    try:
        return DetectorPlan.from_json(content)
    except ValueError as error:
        raise _unreadable(path, error) from error


def plan_hash(plan: Plan) -> str:
    """Return a hash of all segments, windows and files of a plan."""
    return content_hash({detector: one.to_json() for detector, one in plan.items()})


def run_hash(config: Config, plan: Plan) -> str:
    """Return a hash by which a job knows the run that it was started for."""
    return content_hash([config.model_dump(mode="json"), plan_hash(plan)])


def require_own(folder: Path, found: str, expected: str) -> None:
    """Check that a job reads the configuration and the plan that it was started with.

    ``found`` is the `run_hash` of what the job reads, ``expected`` that of the process which
    started it.

    Raises
    ------
    PlanError
        They differ.
    """
    if found != expected:
        raise PlanError(
            f"{folder}: this job was started for another plan or configuration (expected "
            f"{expected}, got {found}). The configuration file was edited, or another run of that "
            "name was planned, while this one was at work: start it again."
        )


def wait_to_expect(plan: Plan) -> str:
    """Return what to tell whoever waits for the first job of very many, or nothing."""
    blocks = sum(len(one.blocks) for one in plan.values())
    took = blocks * BLOCK_LAID_OUT_S
    if took < _PATIENCE_S:
        return ""
    return (
        f"{counted(blocks, 'block')}: before the first job Snakemake lays out those of all, about "
        f"{took / 60:.0f} min. Parts of the span in runs of their own start sooner."
    )


def require_rate(plan: Plan, sample_rate: int) -> None:
    """Check that every planned file can be brought to ``sample_rate`` (Hz), before any job starts.

    Raises
    ------
    StrainError
        A file's sample rate is lower, or no multiple.
    """
    for one in plan.values():
        for file in one.files:
            check_rate(file.location, file.sample_rate, sample_rate)


def require_quiet_windows(plan: Plan, score: ScoreConfig) -> None:
    """Check that the run can have the quiet windows that its scores want, before any job starts.

    Raises
    ------
    ConfigError
        The scores are to be measured against the run's own quiet windows, and a detector has
        fewer windows in all than that takes.
    """
    if score.background != "run":
        return
    fewest = fewest_quiet_windows(score.false_alarm_fraction)
    for detector, one in plan.items():
        windows = sum(len(one.windows(block)) for block in one.blocks)
        if windows < fewest:
            raise ConfigError(
                f"score.background: run: {detector} has {windows} windows in all, expected at "
                f"least {fewest} quiet ones. Take a longer run, raise "
                "score.false_alarm_fraction, or set score.background to simulated, or to none for "
                "a run without scores."
            )


def require_tiles(
    window: WindowConfig, conditioning: ConditioningConfig, qtransform: QTransformConfig
) -> None:
    """Check that the tiling has a band inside the pass band, before any job starts.

    Raises
    ------
    ConfigError
        It has none.
    """
    tiling_within_band(window.duration_s, conditioning.model_dump(), qtransform.model_dump())


def _load(path: Path) -> dict[str, Any]:
    try:
        content: Any = parse_json(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"expected an object, got {type(content).__name__}")
        return content
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> PlanError:
    return PlanError(
        f"{path}: the stored plan cannot be read ({error}). Remove it and start the "
        "workflow again: it is then made anew."
    )


def _question(
    source: SourceConfig, detector: Detector, run: RunConfig, stats: Mapping[str, Stat]
) -> str:
    """Return a hash of everything that a source's answers depend on, files by their ``stats``."""
    asked: dict[str, Any] = {"detector": detector, "span": [run.gps_start, run.gps_end]}
    if source.kind == "gwosc":
        keys = source.gwosc.model_dump(include={"host", "flag", "sample_rate"})
    elif source.kind == "directory":
        keys = source.directory.model_dump()
        asked["found"] = stats
    else:
        keys = source.simulated.model_dump(exclude={"population"})
        asked["population"] = _population_hash(source.simulated.population)
    if source.kind != "gwosc":  # what was cheap to get follows the code that got it
        asked["code"] = stage_hash(PACKAGE / "strain" / "sources.py")
    return content_hash(asked | {"kind": source.kind, "keys": keys})


def _population_hash(path: str) -> str:
    try:
        return sha256_of_file(path)
    except StorageError as error:
        raise ConfigError(
            f"source.simulated.population: {path!r} cannot be read ({error.__cause__}). Correct "
            "the key; a relative path starts where snakemake is started."
        ) from error


def _watched(directory: DirectoryConfig, detector: Detector) -> dict[str, Stat]:
    """Return size and time of the files and the segment list that a directory source reads."""
    patterns = directory.files.get(detector, [])
    paths = matching_files("source.directory.files", detector, patterns)
    segments = directory.segments.get(detector)
    if segments and path_is(Path.exists, segments):  # reading the list says what is wrong with it
        paths.append(segments)
    return {path: stat_of(path) for path in paths}


def _where_files_are(plan: Plan, run: RunConfig, source: StrainSource) -> str:
    """Return an error's text for a span without files: which times the user's files do hold."""
    lines = [f"run {run.name!r} has no window in files of its span."]
    for detector, one in plan.items():
        files = source.files(detector, 0, LATEST_GPS)
        held = segmentlist(segment(file.gps_start, file.gps_end) for file in files).coalesce()
        cover = "covers" if len(files) == 1 else "cover"
        lines.append(f"{detector}: {counted(len(files), 'file')} {cover} GPS {_spans(held)}.")
        if not grid_windows(held, one.grid.duration, one.grid.stride):
            lines.append(
                f"Nowhere do they hold the {one.grid.duration} s from a multiple of "
                f"{one.grid.stride} s on that a window needs. To look at so short a file: "
                f"gwmorph show {shlex.quote(files[0].location)} --gps {sum(held[0]) // 2}"
            )
    lines.append(
        f"The span is GPS {run.gps_start} to {run.gps_end}: correct run.gps_start and "
        "run.gps_end, or source.directory."
    )
    return "\n  ".join(lines)


def _spans(spans: segmentlist) -> str:
    """Return the first few spans as text."""
    shown = ", ".join(f"{start} to {end}" for start, end in spans[:_SPANS_SHOWN])
    more = len(spans) - _SPANS_SHOWN
    return f"{shown} and {more} more spans until {spans[-1][1]}" if more > 0 else shown


def _require_windows(plan: Plan, run: RunConfig) -> None:
    if any(one.blocks for one in plan.values()):
        return
    span = f"[{run.gps_start}, {run.gps_end}), {run.gps_end - run.gps_start} s"
    lines = [f"run {run.name!r} has no window to analyse in {span}."]
    for detector, one in plan.items():
        longest = max((int(abs(part)) for part in one.segments), default=0)
        lines.append(
            f"{detector}: {len(one.segments)} science segments, {one.science_s} s in all, "
            f"the longest {longest} s."
        )
    grid = next(iter(plan.values())).grid
    lines.append(
        f"A window needs {grid.duration} s from a multiple of {grid.stride} s on, wholly inside "
        "a segment. Check run.gps_start, run.gps_end, run.detectors and the segments."
    )
    raise PlanError("\n  ".join(lines))
