"""HDF5 files that can be read to their end.

Text of any length lies in global heaps, which HDF5 reads object by object, each beginning where
the last one's size says. HDF5 2.0 does not see whether that leads on: of a free one of no size,
which a single altered byte can make, it looks for the next one for ever, and no signal that
Python handles reaches it there.
"""

import mmap
from contextlib import ExitStack
from pathlib import Path

import h5py
from igwn_segments import segment, segmentlist

# Signature and version of a heap, and reserved bytes (HDF5 File Format Specification, III.E).
_HEAP = b"GCOL\x01\x00\x00\x00"
_WORD = 8  # Heaps and their objects begin at multiples of it.


def open_hdf5(path: Path | str) -> h5py.File:
    """Open an HDF5 file to read.

    Samples are not looked at, which are nearly all of a file.

    Raises
    ------
    OSError, RuntimeError, ValueError
        It cannot be opened, what it holds cannot be listed, or it has a global heap that HDF5
        would never come to the end of.
    """
    with ExitStack() as opened:
        file = opened.enter_context(h5py.File(path, "r"))
        _require_heaps_that_end(path, file)
        opened.pop_all()
    return file


def _require_heaps_that_end(path: Path | str, file: h5py.File) -> None:
    _, size_bytes = file.id.get_create_plist().get_sizes()
    with (
        Path(path).open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        for first, last in segmentlist([segment(0, len(content))]) - _samples_in(file):
            start = content.find(_HEAP, first, last)
            while start >= 0:
                if not _ends(content, start, size_bytes):
                    raise OSError(f"the global heap at byte {start} never ends")
                start = content.find(_HEAP, start + 1, last)


def _samples_in(file: h5py.File) -> segmentlist:
    """Return the bytes of a file that are samples of its data sets."""
    found: list[segment] = []

    def of_chunk(chunk: h5py.h5d.StoreInfo) -> None:
        found.append(segment(chunk.byte_offset, chunk.byte_offset + chunk.size))

    def of_item(_: str, item: h5py.Dataset | h5py.Group) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.chunks is not None:
            item.id.chunk_iter(of_chunk)
        elif (offset := item.id.get_offset()) is not None:
            found.append(segment(offset, offset + item.id.get_storage_size()))

    file.visititems(of_item)
    return segmentlist(found).coalesce()


def _ends(content: mmap.mmap, start: int, size_bytes: int) -> bool:
    """Tell whether the sizes of a heap's objects lead on from each to the next."""

    def size_at(place: int) -> int:
        return int.from_bytes(content[place : place + size_bytes], "little")

    end = start + size_at(start + len(_HEAP))
    header = _in_words(_WORD + size_bytes)
    place = start + _in_words(len(_HEAP) + size_bytes)
    while place + header <= min(end, len(content)):
        number = int.from_bytes(content[place : place + 2], "little")
        size = size_at(place + _WORD)
        step = header + _in_words(size) if number else size
        # HDF5 adds in 64 bits, where the largest sizes lead back.
        if not 0 < step < 2**63:
            return False
        place += step
    return True


def _in_words(size: int) -> int:
    return -(-size // _WORD) * _WORD
