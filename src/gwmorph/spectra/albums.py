"""Where a block's pictures go as they are drawn: into folders, archives, or into memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from gwmorph.picture_files import is_archive, remove_other, write_archive
from gwmorph.spectra.pictures import PictureScale, png_bytes, write_picture

View = Literal["window", "event"]


@dataclass(frozen=True)
class Picture:
    """Palette indices uint8 [height, width], what they mean, and what the picture shows."""

    indices: NDArray[np.uint8]
    scale: PictureScale
    about: Mapping[str, Any]


class Album(Protocol):
    """Takes pictures by view and name."""

    def add(self, view: View, name: str, picture: Picture) -> None:
        """Take a picture; one of the same view and name is replaced."""
        ...

    def drop_event(self, name: str) -> None:
        """Forget an event's view, which turned out to be another window's."""
        ...


@dataclass(frozen=True)
class FolderAlbum:
    """Writes pictures as PNGs into a folder for windows and one for events, which exist.

    Raises
    ------
    StorageError
        A picture cannot be written.
    """

    windows: Path
    events: Path

    @classmethod
    def made(cls, windows: Path, events: Path) -> Self:
        """Return one whose folders are made if absent."""
        for folder in (windows, events):
            folder.mkdir(parents=True, exist_ok=True)
        return cls(windows, events)

    def add(self, view: View, name: str, picture: Picture) -> None:
        """See `Album`."""
        folder = self.windows if view == "window" else self.events
        write_picture(folder / name, picture.indices, picture.scale, picture.about)

    def drop_event(self, name: str) -> None:
        """See `Album`."""
        (self.events / name).unlink()


@contextmanager
def kept_album(windows: Path, events: Path) -> Iterator[Album]:
    """Yield an album whose pictures are in two folders, or two archives, when the block ends well.

    Archives are paths that end in ``.zip``. What an earlier run has in the other way is removed.

    Raises
    ------
    StorageError
        Pictures cannot be written, or earlier ones not removed.
    """
    for container in (windows, events):
        remove_other(container)
    if not is_archive(windows):
        yield FolderAlbum.made(windows, events)
        return
    held = HeldAlbum()
    yield held
    write_archive(windows, _pngs(held.windows))
    write_archive(events, _pngs(held.events))


def _pngs(pictures: Mapping[str, Picture]) -> dict[str, bytes]:
    return {
        name: png_bytes(picture.indices, picture.scale, picture.about)
        for name, picture in pictures.items()
    }


@dataclass(frozen=True)
class HeldAlbum:
    """Keeps pictures in memory, by name: 50 kB each at 224 x 224 pixels."""

    windows: dict[str, Picture] = field(default_factory=dict)
    events: dict[str, Picture] = field(default_factory=dict)

    def add(self, view: View, name: str, picture: Picture) -> None:
        """See `Album`."""
        held = self.windows if view == "window" else self.events
        held[name] = picture

    def drop_event(self, name: str) -> None:
        """See `Album`."""
        del self.events[name]
