"""From an atlas's folder and a configuration to all that a scan is made with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from igwn_segments import segmentlist

from gwmorph.config import Config, load_yaml, parse_config
from gwmorph.encoders.base import Encoder
from gwmorph.encoders.registry import make_encoder
from gwmorph.morphology.atlas import CONFIG, read_atlas
from gwmorph.morphology.manifest import read_manifest
from gwmorph.scanner.arrivals import Tell
from gwmorph.scanner.scan import Scan
from gwmorph.scanner.settings import settings_of

# What a configuration says of whom to ask and to tell.
_ADDRESSES = (
    ("source", "gwosc", "host"),
    ("source", "gwosc", "file_hosts"),
    ("encoder", "weights", "endpoint"),
    ("encoder", "weights", "hosts"),
    ("scan", "receiver"),
)


def prepare(
    atlas: Path, config: Config | None, tell: Tell, segments: Mapping[str, segmentlist] | None
) -> Scan:
    """Return what a scan with an atlas is made with.

    Parameters
    ----------
    config
        How strain becomes vectors, and the section ``scan``; None for what the atlas's own run
        was made with, which its folder holds (`atlas_config`).
    tell, segments
        As in `scan.Scan`.

    Raises
    ------
    CalibrationError
        The atlas is not whole.
    ConfigError
        Its configuration is of another version.
    """
    found = read_atlas(atlas)
    made_with = atlas_config(atlas) if config is None else config

    def encoder() -> Encoder:
        picture = made_with.picture
        return make_encoder(made_with.encoder, (picture.height, picture.width))

    return Scan(
        found, encoder, settings_of(made_with), made_with.model_dump(mode="json"), segments, tell
    )


def atlas_config(atlas: Path) -> Config:
    """Return the configuration that an atlas's run was made with, but for whom to ask and to tell.

    An atlas may be somebody else's: which servers this machine asks and who is given its event
    records is not up to it.

    Raises
    ------
    CalibrationError
        There is no atlas.
    ConfigError
        It cannot be read, or is of another version.
    """
    read_manifest(atlas)  # which says it better where there is none
    path = atlas / CONFIG
    told = load_yaml(path)
    for way in _ADDRESSES:
        told = _without(told, way)
    return parse_config(told, str(path))


def _without(told: Mapping[str, Any], way: Sequence[str]) -> dict[str, Any]:
    """Return what a file says but for one key, which is then its default."""
    name, *further = way
    inner = told.get(name)
    if further and isinstance(inner, Mapping):
        return {**told, name: _without(inner, further)}
    return {key: value for key, value in told.items() if further or key != name}
