"""From an atlas's folder and a configuration to all that a scan is made with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from igwn_segments import segmentlist
from pydantic import BaseModel

from gwmorph.config import Config, load_yaml, parse_config
from gwmorph.encoders.base import Encoder
from gwmorph.encoders.registry import make_encoder
from gwmorph.morphology.atlas import CONFIG, read_atlas
from gwmorph.morphology.manifest import read_manifest
from gwmorph.scanner.arrivals import Tell
from gwmorph.scanner.scan import Scan
from gwmorph.scanner.settings import settings_of

AnySection = TypeVar("AnySection", bound=BaseModel)


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
    return _without_addresses(parse_config(load_yaml(path), str(path)))


def _without_addresses(config: Config) -> Config:
    gwosc = _reset(config.source.gwosc, "host", "file_hosts")
    hub = _reset(config.encoder.weights, "endpoint", "hosts")
    return _changed(
        config,
        source=_changed(config.source, gwosc=gwosc),
        encoder=_changed(config.encoder, weights=hub),
        scan=_reset(config.scan, "receiver"),
    )


def _reset(section: AnySection, *names: str) -> AnySection:
    """Return a section in which some keys are as where nobody gives them."""
    fields = type(section).model_fields
    return _changed(
        section, **{name: fields[name].get_default(call_default_factory=True) for name in names}
    )


def _changed(section: AnySection, **values: Any) -> AnySection:
    return section.model_copy(update=values)
