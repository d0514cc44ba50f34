"""An atlas's manifest: where it comes from, what its limits promise, and the hash of every part.

It is plain JSON, which is read without the tables: by what a run is judged is known before its
first job. The manifest's own hash is in it, so that nothing in it is altered by mistake. It does
not protect against somebody who writes that anew, too.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwmorph.errors import CalibrationError, StorageError
from gwmorph.storage import content_hash, read_json

MANIFEST = "manifest.json"
FORMAT = 1
NEW_ONE = "Copy the atlas again, whole, or make it anew with `snakemake calibrate`."
# For whom a rate holds (calibration.promise): the rows of each class, or those of all together.
EACH_CLASS, OVERALL = "each_class", "overall"
# Where classes are from: what somebody, or the truth, says of rows; or a run's own clusters.
LABELS, CLUSTERS = "labels", "clusters"
OWN_HASH = "sha256"
# What a manifest says, and of which type.
_KEYS: Mapping[str, type] = {
    "format": int,
    "run": str,
    "detectors": list,
    "gps_start": int,
    "gps_end": int,
    "render_id": str,
    "encoder_id": str,
    "config_hash": str,
    "classes": str,
    "promise": str,
    "rate": float,
    "agreeing": float,
    "neighbors": int,
    "views": list,
    "parts": dict,
    OWN_HASH: str,
}


def _are_texts(found: Iterable[Any]) -> bool:
    return all(isinstance(one, str) for one in found)


_ALLOWED: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "detectors": ("names", lambda found: bool(found) and _are_texts(found)),
    "classes": (f"{LABELS} or {CLUSTERS}", lambda found: found in (LABELS, CLUSTERS)),
    "promise": (f"{EACH_CLASS} or {OVERALL}", lambda found: found in (EACH_CLASS, OVERALL)),
    "rate": ("more than 0 and less than 1", lambda found: 0 < found < 1),
    "agreeing": ("more than 0 and at most 1", lambda found: 0 < found <= 1),
    "neighbors": ("at least 1", lambda found: found >= 1),
    "views": ("names", lambda found: bool(found) and _are_texts(found)),
    "parts": ("a hash of each", lambda found: _are_texts(found.values())),
}


@dataclass(frozen=True)
class About:
    """Where an atlas comes from and what its limits promise.

    ``gps_start`` and ``gps_end`` bound the run, s; ``classes`` is ``LABELS`` or ``CLUSTERS``;
    ``rate``, ``promise``, ``agreeing`` and ``neighbors`` are what it judges by, keys of the
    configuration that first set the limits. ``config_hash`` is that of the run's configuration.
    """

    run: str
    detectors: tuple[str, ...]
    gps_start: int
    gps_end: int
    render_id: str
    encoder_id: str
    config_hash: str
    classes: str
    promise: str
    rate: float
    agreeing: float
    neighbors: int
    views: tuple[str, ...]

    @property
    def judging(self) -> dict[str, Any]:
        """What new data are judged by, as keys of a configuration."""
        names = ("classes", "promise", "rate", "agreeing", "neighbors")
        return {name: getattr(self, name) for name in names}


def manifest_of(about: About, parts: Mapping[str, str]) -> dict[str, Any]:
    """Return the manifest of an atlas, with the SHA-256 of each of its parts and its own."""
    content = {
        "format": FORMAT,
        **vars(about),
        "detectors": list(about.detectors),
        "views": list(about.views),
        "parts": dict(parts),
    }
    return {**content, OWN_HASH: content_hash(content)}


def read_manifest(folder: Path | str) -> tuple[About, dict[str, str]]:
    """Read the manifest of an atlas, and the SHA-256 that each part is to have.

    Raises
    ------
    CalibrationError
        There is none, it is damaged or of another format, a value makes no sense, or one was
        altered; the error names it.
    """
    path = Path(folder) / MANIFEST
    found = _content(path)
    for key, kind in _KEYS.items():
        wanted = (int, float) if kind is float else kind
        # In Python True is a number, too.
        if not isinstance(found.get(key), wanted) or isinstance(found[key], bool):
            raise CalibrationError(
                f"{path}: {key}: expected {kind.__name__}, got {found.get(key)!r}. {NEW_ONE}"
            )
    for key, (expected, is_allowed) in _ALLOWED.items():
        if not is_allowed(found[key]):
            raise CalibrationError(
                f"{path}: {key}: expected {expected}, got {found[key]!r}. {NEW_ONE}"
            )
    if found["gps_start"] >= found["gps_end"]:
        raise CalibrationError(
            f"{path}: gps_end: expected more than gps_start, {found['gps_start']}, got "
            f"{found['gps_end']}. {NEW_ONE}"
        )
    content = {key: value for key, value in found.items() if key != OWN_HASH}
    got = content_hash(content)
    if got != found[OWN_HASH]:
        raise CalibrationError(
            f"{path}: was altered after it was written: expected SHA-256 {found[OWN_HASH]} of "
            f"what it says, got {got}. {NEW_ONE}"
        )
    own = {key: found[key] for key in About.__dataclass_fields__}
    about = About(**{**own, "detectors": tuple(own["detectors"]), "views": tuple(own["views"])})
    return about, found["parts"]


def _content(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CalibrationError(
            f"{path}: no such file, so {path.parent} is no atlas. Name the folder "
            "results/NAME/calibration/atlas of a run whose `snakemake calibrate` is finished."
        )
    try:
        found = read_json(path)
    except StorageError as error:
        # What that advises is for the run's own results.
        why = error.__cause__
        raise CalibrationError(f"{path}: damaged, it cannot be read ({why}). {NEW_ONE}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        got = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise CalibrationError(
            f"{path}: expected a manifest of format {FORMAT}, got {got!r}. {NEW_ONE}"
        )
    return found
