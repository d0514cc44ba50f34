"""Readers of strain: HDF5 in GWOSC's layout and plain, frames, labelled stretches."""

import io
import struct
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from hypothesis import strategies as st

from fuzzing import ODD_NUMBERS, ODD_TEXTS, Reader, register, require
from gwmorph.errors import StrainError
from gwmorph.formats.gwosc_layout import GwoscBlock, write_gwosc_block
from gwmorph.strain import frame_process
from gwmorph.strain.base import StrainFile
from gwmorph.strain.files import describe_each
from gwmorph.strain.gwosc import check_strain_file
from gwmorph.strain.labelled import read_labelled_strain
from gwmorph.strain.layouts import open_strain

GPS, RATE, SECONDS = 1262301184, 64, 4
_FILE = StrainFile("H1", GPS, SECONDS, RATE, "somewhere")


def _noise() -> np.ndarray:
    return np.random.default_rng(5).normal(size=SECONDS * RATE)


def _block() -> GwoscBlock:
    mask = np.full(SECONDS, 127, np.uint32)
    return GwoscBlock("H1", GPS, RATE, _noise(), mask, np.full(SECONDS, 31, np.uint32))


@lru_cache
def _gwosc() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.hdf5"
        write_gwosc_block(path, _block())
        return path.read_bytes()


# -- GWOSC's layout ---------------------------------------------------------------------------


def _read_all(path: Path) -> dict[str, Any]:
    """Return all that a strain file says and holds."""
    with open_strain(path) as reader:
        about = reader.description
        require(about.duration * about.sample_rate <= 1 << 26, "more samples than the file has")
        values = np.full(about.duration * about.sample_rate, 7e7)
        reader.read_into(values, about.gps_start)
        span = about.gps_start, about.gps_start + about.duration
        return {
            "about": about,
            "values": values,
            "science": reader.science(*span),
            "injections": reader.injections(*span),
        }


def _strain_proven(path: Path, found: dict[str, Any]) -> None:
    about = found["about"]
    require(about.detector is None or isinstance(about.detector, str), "no detector")
    require(0 <= about.gps_start < 2**31 and about.duration > 0, "no span")
    require(about.sample_rate > 0, "no rate")
    require(len(found["science"]) == about.duration, "not a value a second")
    require(not (found["values"] == 7e7).all(), "nothing was read")
    with open_strain(path) as reader:  # a part is what it is of the whole
        last = np.empty(about.sample_rate)
        reader.read_into(last, about.gps_start + about.duration - 1)
    expected = found["values"][-about.sample_rate :]
    require(np.array_equal(last, expected, equal_nan=True), "a part is read as something else")
    if about.detector in ("H1", "L1", "V1", "K1", "G1"):
        _written_again(path, found)


def _written_again(path: Path, found: dict[str, Any]) -> None:
    about, masks = found["about"], found["injections"]
    science = found["science"].astype(np.uint32)
    other = np.zeros(about.duration, np.uint32) if masks is None else masks.astype(np.uint32)
    block = GwoscBlock(
        about.detector, about.gps_start, about.sample_rate, found["values"], science, other
    )
    copy = path.with_name("copy.hdf5")
    write_gwosc_block(copy, block)
    again = _read_all(copy)
    require(np.array_equal(again["values"], found["values"], equal_nan=True), "other samples")
    require(np.array_equal(again["science"], found["science"]), "another mask")
    require(again["about"].gps_start == about.gps_start, "another start")


def _read_fetched(path: Path) -> dict[str, Any]:
    """Read a file as one that was just fetched: all of it is looked at."""
    check_strain_file(path, _FILE)
    return _read_all(path)


@st.composite
def _odd_hdf5(draw: Any, good: bytes) -> bytes:
    """A good file in which a few attributes, values or data sets are something else."""
    content = io.BytesIO(good)
    with h5py.File(content, "r+") as file:
        places: list[str] = []
        file.visit(places.append)
        for _ in range(draw(st.integers(1, 2))):
            place = file.get(draw(st.sampled_from(places)))
            if place is not None:
                _change(draw, file, place)
    return content.getvalue()


def _change(draw: Any, file: h5py.File, place: Any) -> None:
    value = draw(
        st.one_of(
            ODD_NUMBERS.filter(lambda number: not isinstance(number, int) or abs(number) < 2**63),
            ODD_TEXTS.filter(lambda text: "\x00" not in text and text.isprintable()),
            st.sampled_from([b"\xff", b"H1", np.zeros(0), np.zeros((2, 2)), np.bool_(True),
                             np.complex128(1), np.arange(5), h5py.Empty("f8")]),
        )
    )  # fmt: skip
    what = draw(st.integers(0, 3))
    if what < 2 and len(place.attrs):
        name = draw(st.sampled_from(sorted(place.attrs)))
        if what:
            del place.attrs[name]
        else:
            place.attrs[name] = value
        return
    name = place.name
    attributes = dict(place.attrs)
    del file[name]
    if what == 2:
        file[name] = value
        if file[name].shape is not None:
            for key, kept in attributes.items():
                # Text that is no UTF-8 is read with surrogates, and is not written with them.
                text = isinstance(kept, str)
                file[name].attrs[key] = kept.encode(errors="surrogateescape") if text else kept


for name, read, reads in (
    ("strain_fetched", _read_fetched, "strain fetched from GWOSC"),
    ("strain_gwosc", _read_all, "strain in GWOSC's layout"),
):
    register(
        Reader(
            name,
            ".hdf5",
            reads,
            lambda: [_gwosc()],
            read,
            _strain_proven,
            _odd_hdf5(_gwosc()),
            (StrainError,),
            in_c=True,
        )
    )

# -- plain HDF5 -------------------------------------------------------------------------------


@lru_cache
def _plain(detectors: tuple[str, ...] = ("H1",), **options: Any) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for detector in detectors:
            samples = file.create_dataset(
                f"{detector}/strain", data=_noise(), track_times=False, **options
            )
            samples.attrs.update({"start_time": GPS, "delta_t": 1 / RATE, "detector": detector})
    return content.getvalue()


def _read_each(path: Path) -> Any:
    described = describe_each(path)
    return _read_all(path) if len(described) == 1 else described


def _each_proven(path: Path, found: Any) -> None:
    if isinstance(found, dict):
        _strain_proven(path, found)
        return
    require(len({about.dataset_or_channel for about in found}) == len(found), "names twice")
    require(all(about.duration > 0 and about.sample_rate > 0 for about in found), "no span")


register(
    Reader(
        "strain_plain",
        ".h5",
        "strain in plain HDF5",
        lambda: [_plain(), _plain(("H1", "L1")), _plain(compression="gzip", fletcher32=True)],
        _read_each,
        _each_proven,
        _odd_hdf5(_plain()),
        (StrainError,),
        in_c=True,
    )
)


@lru_cache
def _labelled() -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for number in range(2):
            samples = file.create_dataset(f"glitch{number}", data=_noise(), track_times=False)
            samples.attrs.update(
                {"detector": "H1", "label": "Blip", "snr": 9.5, "sample_rate": float(RATE),
                 "glitch_time_s": 2.0}
            )  # fmt: skip
    return content.getvalue()


def _labelled_proven(path: Path, found: Any) -> None:
    for one in found:
        require(np.isfinite(one.values).all() and np.isfinite(one.snr), "not finite")
        require(0 <= one.glitch_time_s < len(one.values) / one.sample_rate, "outside")
    with h5py.File(path, "w") as file:
        for one in found:
            file[one.name] = one.values
            for key in ("detector", "label", "snr", "sample_rate", "glitch_time_s"):
                file[one.name].attrs[key] = getattr(one, key)
    again = read_labelled_strain([path])
    require([one.label for one in again] == [one.label for one in found], "other labels")
    require(
        all(map(np.array_equal, [o.values for o in again], [o.values for o in found])), "other"
    )


register(
    Reader(
        "strain_labelled",
        ".h5",
        "labelled strain",
        lambda: [_labelled()],
        lambda path: read_labelled_strain([path]),
        _labelled_proven,
        _odd_hdf5(_labelled()),
        (StrainError,),
        in_c=True,
    )
)

# -- frames -----------------------------------------------------------------------------------

# Refused before the harness calls it a hang.
frame_process._HANG_S = 10


@lru_cache
def frame_file(frames: int = 1) -> bytes:
    """Return a frame file with a channel of strain and its mask."""
    import lal
    import lalframe

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gwf"
        file = lalframe.FrameUFrFileOpen(str(path), "w") if frames > 1 else None
        for number in range(frames):
            start = lal.LIGOTimeGPS(GPS + SECONDS * number)
            frame = lalframe.FrameNew(start, float(SECONDS), "gwmorph", 0, number, 0)
            strain = lal.CreateREAL8TimeSeries(
                "H1:GWOSC-STRAIN", start, 0, 1 / RATE, lal.StrainUnit, SECONDS * RATE
            )
            strain.data.data = _noise()
            lalframe.FrameAddREAL8TimeSeriesProcData(frame, strain)
            mask = lal.CreateINT4TimeSeries(
                "H1:GWOSC-DQMASK", start, 0, 1.0, lal.DimensionlessUnit, SECONDS
            )
            mask.data.data = np.full(SECONDS, 127, np.int32)
            lalframe.FrameAddINT4TimeSeriesProcData(frame, mask)
            if file is None:
                lalframe.FrameWrite(frame, str(path))
            else:
                lalframe.FrameUFrameHWrite(file, frame)
        del file
        return path.read_bytes()


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def resealed(content: bytes) -> bytes:
    """Return a frame file whose checksums are right again, whatever else was changed in it.

    Where the length of a structure makes no sense, what follows it keeps the old ones.
    """
    from gwmorph.strain.frame_checksums import cksum

    file = bytearray(content)
    at = 40
    while at + 14 <= len(file):
        (length,) = struct.unpack_from("<Q", file, at)
        if not 14 <= length <= len(file) - at:
            break
        own = length - 8 if at + length == len(file) else length - 4
        struct.pack_into("<I", file, at + own, cksum(bytes(file[at : at + own])))
        at += length
    if len(file) > 4:
        struct.pack_into("<I", file, len(file) - 4, cksum(bytes(file[:-4])))
    return bytes(file)


@st.composite
def _resealed(draw: Any) -> bytes:
    file = bytearray(frame_file())
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(file) - 1))
        part = draw(st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from(
            [b"\x00" * 8, b"\xff" * 8, b"\xff\xff\xff\x7f", b"\x01"]
        )))  # fmt: skip
        file[place : place + len(part)] = part
    return resealed(bytes(file))


@st.composite
def _altered(draw: Any) -> bytes:
    file = bytearray(frame_file())
    place = draw(st.integers(0, len(file) - 1))
    part = draw(st.binary(min_size=1, max_size=8))
    file[place : place + len(part)] = part
    return bytes(file[: draw(st.one_of(st.just(len(file)), st.integers(0, len(file))))])


register(
    Reader(
        "frames",
        ".gwf",
        "strain in frames",
        lambda: [frame_file()],
        _read_all,
        _strain_proven,
        _altered(),
        (StrainError,),
        in_c=True,
    )
)
register(
    Reader(
        "frames_resealed",
        ".gwf",
        "frames whose checksums are right and whose content is not",
        lambda: [frame_file()],
        lambda path: _read_all(_with_checksums(path)),
        _strain_proven,
        _resealed(),
        (StrainError,),
        in_c=True,
    )
)


def _with_checksums(path: Path) -> Path:
    path.write_bytes(resealed(path.read_bytes()))
    return path
