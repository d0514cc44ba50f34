"""Where labelled pictures come from: Gravity Spy's releases, simulated signals, a run's events.

Pictures of one length of Gravity Spy's have the size that the configuration gives a run's
pictures; event views have that size as a whole, so that each of their four crops has half of it.
"""

import csv
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.encoders.base import Size
from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.labelled import pictures_of
from gwmorph.evidence.truth import classes_of
from gwmorph.hdf5_files import open_hdf5
from gwmorph.labels import matching_triggers
from gwmorph.learning.labelled_pictures import (
    TEST,
    TRAIN,
    TRIGGER_COLUMNS,
    VALIDATION,
    LabelledPictures,
    window_seconds,
)
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.gravityspy import GlitchPicture, find_glitch_pictures
from gwmorph.spectra.pictures import CROPS_S, PictureScale, crops, read_picture
from gwmorph.spectra.plot_area import energy_of_grey, is_grey, read_spectrogram, resized
from gwmorph.strain.hdf5 import lies_elsewhere

# How releases name the parts of a data set, as folders and in their tables.
_SIDES = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "test": TEST,
    "testing": TEST,
}
# What is read of a table of metadata, by the names that releases give it.
_ID = ("gravityspy_id", "id")
_LABEL = ("label", "ml_label")
_SIDE = ("sample_type",)
_TIME = ("event_time", "GPStime")
_TRIGGER = {
    "frequency": ("peak_frequency", "peakFreq"),
    "q": ("q_value", "Q-value"),
    "duration": ("duration",),
    "bandwidth": ("bandwidth",),
    "snr": ("snr",),
}
# What a message names before it says how many more there are.
_NAMED = 5
# Of one stored picture; Gravity Spy's have 24,000.
_MOST_LEVELS = 1 << 26
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GlitchAbout:
    """What a release's table says of a glitch: class, part, GPS s, ``TRIGGER_COLUMNS``."""

    label: str
    side: str
    gps_time: float
    triggers: tuple[float, ...]


@dataclass(frozen=True)
class _Shown:
    """A glitch as a source offers it, before its pictures are read."""

    label: str
    group: str
    side: str


def read_metadata_csv(path: Path | str) -> dict[str, GlitchAbout]:
    """Return what a release's table of metadata says of each glitch, by its id.

    Raises
    ------
    TableError
        It cannot be read as CSV in UTF-8, or has no column with ids.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeError, csv.Error) as error:
        raise TableError(f"{path}: cannot be read as CSV in UTF-8 ({error}).") from error
    if not rows or not any(name in rows[0] for name in _ID):
        # A row that is longer than the heading has its rest under None.
        has = ", ".join(name for name in rows[0] if name) if rows else "no row"
        raise TableError(
            f"{path}: expected a column {' or '.join(_ID)}, got {has}. Name the release's own "
            "table (learning.metadata), or take this one out of the folder."
        )
    found: dict[str, GlitchAbout] = {}
    for row in rows:
        about = _about(path, row)
        name = _first(row, _ID)
        if not name or repr(found.setdefault(name, about)) != repr(about):  # nan is not nan
            raise TableError(
                f"{path}: glitch {name!r} has no id, or stands there again and says something "
                "else. Take one of the rows out."
            )
    return found


def _first(row: Mapping[str, str | None], names: Sequence[str]) -> str:
    return next((value.strip() for name in names if (value := row.get(name))), "")


def _about(path: Path | str, row: Mapping[str, str | None]) -> GlitchAbout:
    numbers = [
        _number(path, row, names) for names in (_TIME, *(_TRIGGER[n] for n in TRIGGER_COLUMNS))
    ]
    side = _first(row, _SIDE)
    if side and side.lower() not in _SIDES:
        raise TableError(
            f"{path}: sample_type {side!r} of glitch {_first(row, _ID)}, expected train, "
            "validation or test."
        )
    return GlitchAbout(
        _first(row, _LABEL), _SIDES.get(side.lower(), ""), numbers[0], tuple(numbers[1:])
    )


def _number(path: Path | str, row: Mapping[str, str | None], names: Sequence[str]) -> float:
    text = _first(row, names)
    try:
        number = float(text) if text else float("nan")
    except ValueError as error:
        raise TableError(
            f"{path}: {names[0]} of glitch {_first(row, _ID)}: {text!r} is no number."
        ) from error
    if np.isinf(number):
        raise TableError(
            f"{path}: {names[0]} of glitch {_first(row, _ID)}: {text!r} is not finite."
        )
    return number


def has_triggers(path: Path | str) -> bool:
    """Return whether a release's table of metadata has trigger columns for its glitches.

    Raises
    ------
    TableError
        As `read_metadata_csv`.
    """
    return any(np.isfinite(about.triggers).any() for about in read_metadata_csv(path).values())


def metadata_beside(folder: Path | str, named: str | None) -> Path | None:
    """Return the table of metadata that is named, or else the only CSV file in a folder.

    Raises
    ------
    ConfigError
        The named one is not there, or the folder has several.
    """
    if named is not None:
        if not Path(named).is_file():
            raise ConfigError(f"learning.metadata: {named}: no such file.")
        return Path(named)
    found = sorted(Path(folder).glob("*.csv"))
    if len(found) > 1:
        raise ConfigError(
            f"learning.metadata: {folder} has several CSV files "
            f"({', '.join(path.name for path in found[:_NAMED])}); name the one with the metadata."
        )
    return found[0] if found else None


# -- a folder of pictures -------------------------------------------------------------------


def folder_pictures(
    folder: Path | str, window: str, scale: PictureScale, size: Size, metadata: Path | None = None
) -> LabelledPictures:
    """Return Gravity Spy's pictures of a folder by class.

    Pictures that cannot be read are left out, with a warning that names them.

    Parameters
    ----------
    folder
        Has ``<class>/<IFO>_<id>_spectrogram_<seconds>.png``, or that in a folder for each of
        train, validation and test.
    window
        The length of the pictures, or ``all``: glitches that have all four.
    scale, size
        Of the pictures that are made.
    metadata
        The release's table, by the glitches' ids.

    Raises
    ------
    ConfigError
        There are no pictures, or none of this length, or no readable one of a class.
    TableError
        The table of metadata cannot be read.
    """
    about = read_metadata_csv(metadata) if metadata is not None else {}
    durations = _durations(window)
    offered = {
        shown: {picture.duration_s: picture.path for picture in found}
        for shown, found in _glitches_in(Path(folder))
    }
    complete = {
        shown: [paths[seconds] for seconds in durations]
        for shown, paths in offered.items()
        if set(durations) <= set(paths)
    }
    if not complete:
        raise ConfigError(
            f"learning.folder: no glitch in {folder} has pictures of "
            f"{', '.join(f'{seconds:g}' for seconds in durations)} s; choose another window."
        )
    if fewer := len(offered) - len(complete):
        lost = sorted({one.label for one in offered} - {one.label for one in complete})
        _log.warning(
            "%s: %s without pictures of %s s left out%s.",
            folder, _glitches(fewer), ", ".join(f"{seconds:g}" for seconds in durations),
            f", and with them all of {', '.join(lost)}" if lost else "",
        )  # fmt: skip
    reading = _Reading(folder)
    shown, views = [], []
    for one, paths in complete.items():
        if energies := reading.energies(paths):
            shown.append(one)
            views.append(_view(energies, scale, size))
    reading.tell()
    _require_classes(f"learning.folder: {folder}", [one.label for one in complete], shown)
    return _labelled(shown, views, window, scale, about)


def _glitches(number: int) -> str:
    return "1 glitch" if number == 1 else f"{number:,} glitches"


def _durations(window: str) -> tuple[float, ...]:
    seconds = window_seconds(window)
    return CROPS_S if seconds is None else (seconds,)


def _glitches_in(folder: Path) -> Iterator[tuple[_Shown, list[GlitchPicture]]]:
    """Yield each glitch of a folder with all of its pictures, by part, class and name."""
    if not folder.is_dir():
        raise ConfigError(f"learning.folder: {folder}: no such folder.")
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    parts = [path for path in inside if path.name.lower() in _SIDES]
    if parts and len(parts) < len(inside):
        others = [path.name for path in inside if path not in parts]
        raise ConfigError(
            f"learning.folder: {folder} has folders of parts ({parts[0].name}) and others "
            f"({', '.join(others[:_NAMED])}) beside each other; expected the one or the other."
        )
    for root in parts or [folder]:
        side = _SIDES.get(root.name.lower(), "") if parts else ""
        found: dict[_Shown, list[GlitchPicture]] = {}
        for picture in find_glitch_pictures(root, "learning.folder"):
            shown = _Shown(picture.label, picture.glitch, side)
            found.setdefault(shown, []).append(picture)
        without = {path.name for path in root.iterdir() if path.is_dir()} - {
            shown.label for shown in found
        }
        if without:
            raise ConfigError(
                f"learning.folder: {root}: no picture <IFO>_<id>_spectrogram_<seconds>.png of "
                f"{', '.join(sorted(without)[:_NAMED])}. Take the empty folder out, or put "
                "pictures into it."
            )
        yield from found.items()


class _Reading:
    """Reads pictures, and keeps account of those that cannot be read."""

    def __init__(self, source: Path | str) -> None:
        self._source = source
        self._damaged: list[str] = []
        self._grey = 0

    def energies(self, paths: Sequence[Path]) -> list[NDArray[np.float32]] | None:
        """Return what the pictures of one glitch show; None if one of them cannot be read."""
        try:
            found = [read_spectrogram(path) for path in paths]
            self._grey += is_grey(paths[0])
        except TableError as error:
            self.left_out(str(error))
            return None
        return found

    def left_out(self, why: str) -> None:
        """Take account of a glitch that is left out."""
        self._damaged.append(why)

    def tell(self) -> None:
        """Warn of what was left out, and of what was taken for something."""
        for why in self._damaged[:_NAMED]:
            _log.warning("Left out: %s", why)
        if self._damaged:
            _log.warning(
                "%s: %s left out, since pictures cannot be read.",
                self._source, _glitches(len(self._damaged)),
            )  # fmt: skip
        if self._grey:
            _log.warning(
                "%s: the pictures of %s have grey levels; they are taken for the luminance of "
                "Gravity Spy's colours.",
                self._source, _glitches(self._grey),
            )  # fmt: skip


def _view(
    energies: Sequence[NDArray[np.float32]], scale: PictureScale, size: Size
) -> NDArray[np.uint8]:
    """Return one picture, or four of rising length as an event view, as palette indices."""
    if len(energies) == 1:
        return scale.index(resized(energies[0], *size))
    view = np.empty(size, np.float32)
    for crop, energy in zip(crops(view), energies, strict=True):
        crop[:] = resized(energy, *crop.shape)
    return scale.index(view)


def _require_classes(where: str, offered: Sequence[str], shown: Sequence[_Shown]) -> None:
    if lost := sorted(set(offered) - {one.label for one in shown}):
        raise ConfigError(
            f"{where}: none of the pictures of {', '.join(lost[:_NAMED])} can be read; the log "
            "names them. Mend them, or take the class out."
        )


def _labelled(
    shown: Sequence[_Shown],
    views: Sequence[NDArray[np.uint8]],
    window: str,
    scale: PictureScale,
    about: Mapping[str, GlitchAbout],
) -> LabelledPictures:
    """Put what was read together with what a table of metadata says of it."""
    said = [about.get(one.group) or about.get(one.group.partition("_")[2]) for one in shown]
    if about and None in said:
        _log.warning(
            "The table of metadata says nothing of %s of %s.",
            _glitches(said.count(None)), f"{len(said):,}",
        )  # fmt: skip
    differing = [
        one.group
        for one, row in zip(shown, said, strict=True)
        if row is not None and row.label and row.label != one.label
    ]
    if differing:
        _log.warning(
            "The table of metadata has another class for %s (%s); the source's own counts.",
            _glitches(len(differing)), ", ".join(differing[:_NAMED]),
        )  # fmt: skip
    nothing = GlitchAbout("", "", float("nan"), (float("nan"),) * len(TRIGGER_COLUMNS))
    rows = [row or nothing for row in said]
    seconds = window_seconds(window)
    return LabelledPictures(
        np.stack(views),
        scale,
        np.array([one.label for one in shown]),
        np.array([one.group for one in shown]),
        np.array([row.gps_time for row in rows]),
        np.array([one.side or row.side for one, row in zip(shown, rows, strict=True)]),
        np.full(len(shown), np.nan if seconds is None else seconds),
        np.array([row.triggers for row in rows]) if about else None,
    )


# -- the HDF5 file of Gravity Spy's training set ---------------------------------------------


def hdf5_pictures(
    path: Path | str, window: str, scale: PictureScale, size: Size, metadata: Path | None = None
) -> LabelledPictures:
    """Return the pictures of Gravity Spy's training set in one file (``trainingsetv1d1.h5``).

    Its groups are class, part and id; each glitch has grey levels [140, 170] or [1, 140, 170] from
    0 to 1 (or whole numbers to 255) for each length, ``0.5.png`` to ``4.0.png``. Arguments as in
    `folder_pictures`.

    Raises
    ------
    ConfigError
        There is no such file, or none of its glitches has pictures of this length, or no readable
        one of a class.
    TableError
        It is no HDF5 file, or has other groups, or the metadata cannot be read.
    """
    about = read_metadata_csv(metadata) if metadata is not None else {}
    durations = _durations(window)
    names = [f"{seconds:.1f}.png" for seconds in durations]
    if not Path(path).is_file():
        raise ConfigError(f"learning.hdf5: {path}: no such file.")
    reading = _Reading(path)
    shown, views, offered = [], [], []
    with ExitStack() as opened:
        with _readable(path):
            file = opened.enter_context(open_hdf5(path))
        for one, glitch in _glitches_of(path, file):
            offered.append(one.label)
            try:
                energies = [
                    _stored_energy(path, file, stored) for stored in _stored(path, glitch, names)
                ]
            except TableError as error:
                reading.left_out(str(error))
                continue
            shown.append(one)
            views.append(_view(energies, scale, size))
    reading.tell()
    _require_classes(f"learning.hdf5: {path}", offered, shown)
    return _labelled(shown, views, window, scale, about)


@contextmanager
def _readable(where: Path | str) -> Iterator[None]:
    """Turn what h5py raises on bytes that were altered into a TableError."""
    try:
        yield
    except (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise TableError(f"{where}: not a readable HDF5 file ({error}).") from error


def _glitches_of(path: Path | str, file: h5py.File) -> Iterator[tuple[_Shown, h5py.Group]]:
    found = False
    with _readable(path):
        for label, parts in file.items():
            for side, glitches in parts.items() if isinstance(parts, h5py.Group) else ():
                if side.lower() not in _SIDES or not isinstance(glitches, h5py.Group):
                    raise TableError(
                        f"{path}: {label}/{side}: expected train, validation or test below each "
                        "class, as in Gravity Spy's trainingsetv1d1.h5."
                    )
                for name, glitch in glitches.items():
                    found = True
                    yield _Shown(label, name, _SIDES[side.lower()]), glitch
    if not found:
        raise TableError(
            f"{path}: no groups <class>/<train, validation or test>/<id>, as Gravity Spy's "
            "trainingsetv1d1.h5 has them."
        )


def _stored(path: Path | str, glitch: Any, names: Sequence[str]) -> list[Any]:
    """Return what is stored of a glitch under some names; TableError where one is missing."""
    with _readable(path):
        there = set(glitch) if isinstance(glitch, h5py.Group) else set()
        if not set(names) <= there:
            raise TableError(f"{path}: {glitch.name} has no {', '.join(names)}")
        return [glitch[name] for name in names]


def _stored_energy(path: Path | str, file: h5py.File, stored: Any) -> NDArray[np.float32]:
    where = f"{path}: {stored.name}"
    if not isinstance(stored, h5py.Dataset) or stored.dtype.kind not in "fiu":
        raise TableError(f"{where}: expected grey levels, got something else than numbers.")
    if lies_elsewhere(stored, file):
        raise TableError(f"{where}: lies in another file, which is not followed.")
    if stored.size and stored.size > _MOST_LEVELS:
        raise TableError(f"{where}: has {stored.shape} grey levels, more than {_MOST_LEVELS:,}.")
    with _readable(where):
        levels = np.asarray(stored[()])
    levels = levels[0] if levels.ndim == 3 and len(levels) == 1 else levels
    if levels.ndim != 2 or not levels.size:
        raise TableError(f"{where}: expected grey levels [height, width], got {levels.shape}.")
    white = 255.0 if np.issubdtype(levels.dtype, np.integer) else 1.0
    return energy_of_grey(where, levels / white)


# -- this workflow's own views --------------------------------------------------------------


def simulated_pictures(labelled: pa.Table, scale: PictureScale, size: Size) -> LabelledPictures:
    """Return simulated event views of known class as labelled pictures; all windows of each.

    Parameters
    ----------
    labelled
        Rows of ``LABELLED``.
    scale, size
        Of their pictures.
    """
    labels = np.array(labelled["morphology"].to_pylist(), dtype=str)
    numbers = labelled["number"].to_pylist()
    return LabelledPictures(
        pictures_of(labelled, size),
        scale,
        labels,
        np.array([f"{label}-{number}" for label, number in zip(labels, numbers, strict=True)]),
        labelled["gps_time"].to_numpy(),
        np.full(len(labelled), ""),
        np.full(len(labelled), np.nan),
        np.column_stack([labelled[f"trigger_{name}"].to_numpy() for name in TRIGGER_COLUMNS]),
    )


def run_event_pictures(
    triggers: pa.Table,
    pictures: Pictures,
    scale: PictureScale,
    size: Size,
    labels: pa.Table | None,
    truth: pa.Table | None,
) -> LabelledPictures:
    """Return the event views of a run that have a class, by labels, or else by the truth.

    Parameters
    ----------
    triggers
        Rows of ``TRIGGERS`` of the run; those with a view are its events.
    pictures
        Where the events' pictures are.
    scale, size
        Of the run's pictures.
    labels, truth
        Rows of ``LABELS``, and of ``TRUTH``.

    Raises
    ------
    ConfigError
        No event has a class.
    TableError
        A picture is missing, or of another scale or size.
    """
    viewed = triggers["view"].to_numpy()
    events = triggers.filter(triggers["view"])
    events = events.append_column("trigger_time", events["peak_time"])
    if labels is not None:
        classes = _classes_by_labels(triggers, labels)[viewed]
    elif truth is not None:
        classes = classes_of(events, truth)
    else:
        classes = np.full(len(events), "")
    named = np.flatnonzero(classes != "")
    if not len(named):
        raise ConfigError(
            f"learning.source: none of the run's {len(events):,} events has a class. Name labels "
            "(validation.similarity.labels), or a run of simulated strain."
        )
    chosen = events.take(pa.array(named))
    keys = zip(
        *(chosen[n].to_pylist() for n in ("detector", "gps_start", "trigger_time")), strict=True
    )
    shown = [_own_picture(pictures.of(*key), scale, size) for key in keys]
    times = chosen["trigger_time"].to_numpy()
    return LabelledPictures(
        np.stack(shown),
        scale,
        classes[named],
        np.array(
            [f"{d}_{t:.9f}" for d, t in zip(chosen["detector"].to_pylist(), times, strict=True)]
        ),
        times,
        np.full(len(named), ""),
        np.full(len(named), np.nan),
        np.column_stack([chosen[name].to_numpy() for name in TRIGGER_COLUMNS]),
    )


def _classes_by_labels(triggers: pa.Table, labels: pa.Table) -> NDArray[np.str_]:
    """Return the label that means each trigger, of several the loudest; "" where none does."""
    words = np.array(labels["label"].to_pylist(), dtype=str)
    found = np.full(len(triggers), "", dtype=words.dtype if len(words) else "U1")
    meant = matching_triggers(labels, triggers)
    for number in np.argsort(labels["snr"].to_numpy(), kind="stable").tolist():
        if (row := meant[number]) is not None:
            found[row] = words[number]
    return found


def _own_picture(path: Path, scale: PictureScale, size: Size) -> NDArray[np.uint8]:
    indices, found = read_picture(path)
    if found != scale or indices.shape != size:
        raise TableError(
            f"{path}: expected {size[0]} x {size[1]} pixels of {scale}, got {indices.shape[0]} x "
            f"{indices.shape[1]} of {found}. Its run was made with another section `picture`."
        )
    return indices
