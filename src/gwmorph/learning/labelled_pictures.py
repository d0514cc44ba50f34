"""Pictures with a class each: what networks learn from, and on which side of a split each is."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import PositiveInt

from gwmorph.errors import ConfigError, TableError
from gwmorph.rebuilding import rebuilt
from gwmorph.simulation.streams import stream
from gwmorph.spectra.pictures import CROPS_S, PictureScale, crops
from gwmorph.storage import parse_json
from gwmorph.tables.learning import LABELLED_PICTURES
from gwmorph.tables.parquet import read_metadata, read_table, table_writer
from gwmorph.wording import counted

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
# An event view of all four durations, or what one picture spans.
WINDOWS = ("all", "0.5", "1", "2", "4")
TRIGGER_COLUMNS = ("frequency", "q", "duration", "bandwidth", "snr")
How = Literal["given", "random", "temporal"]
_SCALE, _SIZE = "gwmorph.picture_scale", "gwmorph.picture_size"
_ROWS_AT_ONCE = 500
# What a message names before it says how many more there are.
_NAMED = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures with a class each: uint8 palette indices [n, height, width] of ``scale``.

    Attributes
    ----------
    pictures, scale
        What networks see.
    labels
        Class of each, str [n].
    groups
        What must stay on one side of a split, the id of the glitch, str [n].
    gps_times
        float64 [n], GPS s; NaN where unknown.
    splits
        "train", "validation" or "test" as a release says, "" where it does not, str [n].
    durations_s
        What a picture spans, float64 [n], s; NaN for an event view of all four durations.
    triggers
        ``TRIGGER_COLUMNS`` of each glitch, float64 [n, 5]: Hz, none, s, Hz, none; NaN where
        unknown. None where the source has no triggers.
    """

    pictures: NDArray[np.uint8]
    scale: PictureScale
    labels: NDArray[np.str_]
    groups: NDArray[np.str_]
    gps_times: NDArray[np.float64]
    splits: NDArray[np.str_]
    durations_s: NDArray[np.float64]
    triggers: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.pictures)

    def of(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "LabelledPictures":
        """Return some of the pictures."""
        return LabelledPictures(
            self.pictures[rows],
            self.scale,
            self.labels[rows],
            self.groups[rows],
            self.gps_times[rows],
            self.splits[rows],
            self.durations_s[rows],
            None if self.triggers is None else self.triggers[rows],
        )

    @property
    def classes(self) -> list[str]:
        """The names of all classes, sorted."""
        return sorted(set(self.labels.tolist()))


def in_window(pictures: LabelledPictures, window: str) -> LabelledPictures:
    """Return event views as they are (``all``), or the crop of one duration of each.

    Raises
    ------
    ConfigError
        There is no such window.
    """
    seconds = window_seconds(window)
    if seconds is None:
        return pictures
    crop = crops(pictures.pictures)[CROPS_S.index(seconds)]
    spans = np.full(len(pictures), seconds)
    return replace(pictures, pictures=np.ascontiguousarray(crop), durations_s=spans)


def window_seconds(window: str) -> float | None:
    """Return how many seconds a picture of a window spans; None for an event view.

    Raises
    ------
    ConfigError
        There is no such window.
    """
    if window not in WINDOWS:
        raise ConfigError(f"window {window!r} is none of {', '.join(WINDOWS)}")
    return None if window == "all" else float(window)


def write_labelled_pictures(
    path: Path | str, pictures: LabelledPictures, metadata: Mapping[str, str]
) -> None:
    """Write pictures as a table of ``LABELLED_PICTURES``.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    """
    own = {
        _SCALE: json.dumps(asdict(pictures.scale), sort_keys=True),
        _SIZE: json.dumps(list(pictures.pictures.shape[1:])),
    }
    with table_writer(path, LABELLED_PICTURES, {**metadata, **own}) as append:
        for first in range(0, len(pictures), _ROWS_AT_ONCE):
            append(
                _columns(pictures.of(np.arange(first, min(first + _ROWS_AT_ONCE, len(pictures)))))
            )


def _columns(part: LabelledPictures) -> dict[str, pa.Array]:
    triggers = np.full((len(part), len(TRIGGER_COLUMNS)), np.nan)
    if part.triggers is not None:
        triggers = part.triggers
    columns: dict[str, pa.Array] = {
        "label": pa.array(part.labels.tolist(), pa.string()),
        "group": pa.array(part.groups.tolist(), pa.string()),
        "gps_time": pa.array(part.gps_times, from_pandas=True),
        "split": pa.array(part.splits.tolist(), pa.string()),
        "duration_s": pa.array(part.durations_s, from_pandas=True),
        "picture": pa.array([picture.tobytes() for picture in part.pictures], pa.binary()),
    }
    for name, values in zip(TRIGGER_COLUMNS, triggers.T, strict=True):
        columns[f"trigger_{name}"] = pa.array(np.ascontiguousarray(values), from_pandas=True)
    return columns


def read_labelled_pictures(path: Path | str) -> LabelledPictures:
    """Read back what `write_labelled_pictures` wrote.

    Raises
    ------
    TableError
        The file is missing, damaged or follows another schema or version.
    """
    table = read_table(path, LABELLED_PICTURES)
    about = read_metadata(path)
    try:
        scale = PictureScale.from_json(parse_json(about[_SCALE]))
        height, width = rebuilt(tuple[PositiveInt, PositiveInt], parse_json(about[_SIZE]))
    except (KeyError, ValueError) as error:
        raise TableError(
            f"{path}: does not say the size of its pictures and what their levels mean ({error}). "
            "Remove it and run again."
        ) from error
    sides = set(table["split"].to_pylist()) - {"", *SPLITS}
    lengths = set(pc.unique(pc.binary_length(table["picture"])).to_pylist()) - {height * width}
    if sides or lengths:
        raise TableError(
            f"{path}: expected pictures of {height} x {width} levels in the parts "
            f"{', '.join(SPLITS)}, got also {sorted(sides)} and {sorted(lengths)} levels. Remove "
            "it and run again."
        )
    shown = np.empty((len(table), height, width), np.uint8)
    for place, picture in zip(shown, table["picture"], strict=True):
        place[:] = np.frombuffer(picture.as_py(), np.uint8).reshape(height, width)
    triggers = np.column_stack([_floats(table[f"trigger_{name}"]) for name in TRIGGER_COLUMNS])
    return LabelledPictures(
        shown,
        scale,
        _texts(table["label"]),
        _texts(table["group"]),
        _floats(table["gps_time"]),
        _texts(table["split"]),
        _floats(table["duration_s"]),
        None if np.isnan(triggers).all() else triggers,
    )


def _texts(column: pa.ChunkedArray) -> NDArray[np.str_]:
    return np.array(column.to_pylist(), dtype=str)


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return column.to_numpy().astype(np.float64)


def split(
    pictures: LabelledPictures, how: How, fractions: tuple[float, float], seed: int
) -> NDArray[np.str_]:
    """Return on which side each picture is: "train", "validation" or "test", str [n].

    All pictures of a group are on one side.

    Parameters
    ----------
    how
        ``given``: as the source says; of one that names no validation part, this share of its
        training part is drawn for it. ``random``: drawn from each class. ``temporal``: the earlier
        glitches train, the later ones test, what lies between validates.
    fractions
        Of the glitches, for validation and for the test; the others train.
    seed
        Of the draws.

    Raises
    ------
    ConfigError
        There is no such split, as the source names no parts or no times; or nothing is left to
        train on, to validate or to test.
    TableError
        Two pictures of one glitch have different classes, or are on different sides.
    """
    groups = _groups_of(pictures)
    if how == "given":
        sides = _given(pictures, groups, fractions[0], seed)
    elif how == "random":
        sides = _drawn(groups, dict(zip((TEST, VALIDATION), fractions[::-1], strict=True)), seed)
    else:
        sides = _by_time(pictures, groups, fractions)
    found = np.empty(len(pictures), dtype="U10")
    for group, side in zip(groups, sides, strict=True):
        found[group.rows] = side
    _require_all(found, how)
    _tell_missing(pictures.labels, found, how)
    return found


@dataclass(frozen=True)
class _Group:
    """The pictures of one glitch: its name, their numbers, and its class."""

    name: str
    rows: NDArray[np.int64]
    label: str


def _groups_of(pictures: LabelledPictures) -> list[_Group]:
    """Return the glitches in the order of their names."""
    names, number = np.unique(pictures.groups, return_inverse=True)
    order = np.argsort(number, kind="stable")
    edges = np.searchsorted(number[order], np.arange(len(names) + 1))
    found = []
    for place, name in enumerate(names.tolist()):
        rows = order[edges[place] : edges[place + 1]]
        found.append(_Group(name, rows, _only(pictures.labels[rows], name, "classes")))
    return found


def _only(values: NDArray[np.str_], name: str, noun: str) -> str:
    different = sorted(set(values.tolist()))
    if len(different) > 1:
        raise TableError(
            f"glitch {name} has pictures of several {noun}: {', '.join(different)}. One glitch "
            "has one: take the others out."
        )
    return str(different[0])


def _given(
    pictures: LabelledPictures, groups: Sequence[_Group], validation: float, seed: int
) -> list[str]:
    if not all(side in SPLITS for side in pictures.splits.tolist()):
        nameless = int(np.sum(~np.isin(pictures.splits, SPLITS)))
        raise ConfigError(
            f"split 'given': {counted(nameless, 'picture')} of {len(pictures):,} are in no part "
            "(train, validation, test) of the source. Use 'random' or 'temporal'."
        )
    sides = [_only(pictures.splits[group.rows], group.name, "splits") for group in groups]
    if VALIDATION in sides:
        return sides
    training = [group for group, side in zip(groups, sides, strict=True) if side == TRAIN]
    drawn = dict(
        zip(
            [group.name for group in training],
            _drawn(training, {VALIDATION: validation}, seed),
            strict=True,
        )
    )
    return [drawn.get(group.name, side) for group, side in zip(groups, sides, strict=True)]


def _drawn(groups: Sequence[_Group], shares: Mapping[str, float], seed: int) -> list[str]:
    """Draw the shares of each class; what is scored has one of it before it has two.

    A class always trains; of two glitches the second one is in the part that ``shares`` names
    first, of three the third in the next.
    """
    sides = [TRAIN] * len(groups)
    labels = np.array([group.label for group in groups])
    for label in np.unique(labels).tolist():
        order = stream(seed, "split", label).permutation(np.flatnonzero(labels == label))
        left = len(order) - 1
        first = 0
        for side, share in shares.items():
            count = min(max(round(share * len(order)), 1 if share else 0), left)
            for number in order[first : first + count]:
                sides[number] = side
            first, left = first + count, left - count
    return sides


def _by_time(
    pictures: LabelledPictures, groups: Sequence[_Group], fractions: tuple[float, float]
) -> list[str]:
    times = np.array([pictures.gps_times[group.rows].min() for group in groups])
    if not np.isfinite(times).all():
        raise ConfigError(
            f"split 'temporal': {np.isnan(times).sum():,} of {len(times):,} glitches have no GPS "
            "time. Name a metadata file that has them (learning.metadata), or use 'random'."
        )
    validation, test = fractions
    edges = np.array([1 - validation - test, 1 - test]) * len(times)
    place = np.empty(len(times))
    place[np.argsort(times, kind="stable")] = np.arange(len(times))
    return [SPLITS[i] for i in np.searchsorted(np.round(edges), place, side="right")]


def _require_all(found: NDArray[np.str_], how: str) -> None:
    empty = [side for side in SPLITS if not (found == side).any()]
    if empty:
        raise ConfigError(
            f"split '{how}': of {counted(len(found), 'picture')} nothing is left for "
            f"{' and '.join(empty)}. Give more pictures, or larger fractions "
            "(learning.validation_fraction, learning.test_fraction)."
        )


def _tell_missing(labels: NDArray[np.str_], found: NDArray[np.str_], how: str) -> None:
    """Warn of classes that cannot be learned, or are not scored."""
    has = {side: set(labels[found == side].tolist()) for side in SPLITS}
    if unlearned := sorted((has[VALIDATION] | has[TEST]) - has[TRAIN]):
        wrong = int(np.isin(labels[found == TEST], unlearned).sum())
        _log.warning(
            "Split '%s': no training picture is of %s. No network can know it, and %s of the test "
            "part count as wrong.",
            how, _some(unlearned), counted(wrong, "picture"),
        )  # fmt: skip
    if unscored := sorted(set(labels.tolist()) - has[TEST]):
        _log.warning(
            "Split '%s': too few glitches of %s, so that none is in the test part: it is trained "
            "on, and not scored.",
            how, _some(unscored),
        )  # fmt: skip


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
