"""Which layout a strain file has, and the reader for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import h5py

from gwmorph.errors import StrainError
from gwmorph.formats.gwosc_layout import STRAIN
from gwmorph.hdf5_files import open_hdf5
from gwmorph.strain.base import Layout
from gwmorph.strain.hdf5 import GwoscReader, PlainReader, series_in
from gwmorph.strain.reader import StrainReader, read_faults

_FRAME_MAGIC = b"IGWD"


@contextmanager
def open_strain(
    path: Path | str,
    layout: Literal["auto"] | Layout = "auto",
    channel: str | None = None,
    dataset: str | None = None,
) -> Iterator[StrainReader]:
    """Open a strain file in the layout given, or in the one that is found.

    ``channel`` applies to frames, ``dataset`` to plain HDF5.

    Raises
    ------
    StrainError
        The file is missing, damaged, in another layout, or contradicts itself.
    """
    found = _find_layout(path)
    # Every GWOSC file is also HDF5 with named data sets, and may be read as that.
    if layout not in ("auto", found) and (layout, found) != ("hdf5", "gwosc"):
        raise StrainError(
            f"{path}: expected the layout {layout!r}, found {found!r}. Correct "
            "source.directory.format ('auto' looks into each file)."
        )
    chosen = found if layout == "auto" else layout
    reader: StrainReader
    if chosen == "gwf":
        # Imported here: HDF5 needs no LAL.
        from gwmorph.strain.gwf import FrameReader

        reader = FrameReader(path, channel)
    elif chosen == "gwosc":
        reader = GwoscReader(path)
    else:
        reader = PlainReader(path, dataset)
    try:
        yield reader
    finally:
        reader.close()


def data_sets(path: Path | str) -> list[str]:
    """Return the names of a plain HDF5 file's series of numbers; of other layouts none.

    Raises
    ------
    StrainError
        The file is missing, damaged, or neither HDF5 nor a frame file.
    """
    if _find_layout(path) != "hdf5":
        return []
    with read_faults(path), open_hdf5(path) as file:
        return series_in(file)


def _find_layout(path: Path | str) -> Layout:
    if Path(path).is_dir():
        raise StrainError(f"{path}: is a folder. Name a strain file in it.")
    if not Path(path).is_file():
        raise StrainError(f"{path}: no such file.")
    with read_faults(path), Path(path).open("rb") as stream:
        magic = stream.read(len(_FRAME_MAGIC))
    if magic == _FRAME_MAGIC:
        return "gwf"
    if not h5py.is_hdf5(path):
        raise StrainError(
            f"{path}: neither HDF5 nor a frame file (first bytes {magic!r}). Expected a strain "
            "file: fetch it again, or correct the pattern that chose it."
        )
    with read_faults(path), open_hdf5(path) as file:
        gwosc = STRAIN in file and ("meta" in file or "quality" in file)
        return "gwosc" if gwosc else "hdf5"
