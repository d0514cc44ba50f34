"""Strain files as GWOSC publishes them (HDF5): where things lie in one, and their writer."""

import io
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from gwmorph.errors import StrainError
from gwmorph.storage import write_bytes

STRAIN = "strain/Strain"
DQ_MASK = "quality/simple/DQmask"
INJECTION_MASK = "quality/injections/Injmask"
NO_INJECTIONS = 0b11111
# What may be injected into the hardware, by bit of that mask; a bit that is set says that it was
# not.
INJECTION_KINDS = ("cbc", "burst", "detchar", "cw", "stoch")
_CHUNK_S = 8
_GZIP_LEVEL = 1

DQ_NAMES = (
    "DATA",
    "CBC_CAT1",
    "CBC_CAT2",
    "CBC_CAT3",
    "BURST_CAT1",
    "BURST_CAT2",
    "BURST_CAT3",
)
_INJECTION_NAMES = tuple(f"NO_{kind.upper()}_HW_INJ" for kind in INJECTION_KINDS)
_MASK_DESCRIPTION = (
    'A bitmask encoded as an integer-valued timeseries. The first "Bits" bits might be used, for '
    'each there is an entry in "Bits", "Shortnames", "Descriptions", one for each bit.'
)


@dataclass(frozen=True)
class GwoscBlock:
    """Content of one file.

    Attributes
    ----------
    detector : prefix, as H1.
    gps_start : first second.
    sample_rate : Hz.
    strain : float64 ``[seconds * sample_rate]``, NaN where missing.
    dq_mask : uint32 ``[seconds]``, bit 0 = DATA, then the categories in GWOSC's order.
    injection_mask : uint32 ``[seconds]``; a set bit says that there is no such injection.
    """

    detector: str
    gps_start: int
    sample_rate: int
    strain: np.ndarray
    dq_mask: np.ndarray
    injection_mask: np.ndarray

    @property
    def duration(self) -> int:
        """Seconds."""
        return len(self.dq_mask)


def write_gwosc_block(path: Path | str, block: GwoscBlock) -> None:
    """Write ``block`` in GWOSC's HDF5 layout; equal content gives equal bytes.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    StrainError
        The arrays' lengths do not fit one another.
    """
    if len(block.strain) != block.duration * block.sample_rate:
        raise StrainError(
            f"{path}: expected {block.duration} s x {block.sample_rate} Hz = "
            f"{block.duration * block.sample_rate} samples, got {len(block.strain)}."
        )
    # In memory first: HDF5 crashes the process when the disk is full.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        _write_meta(file.create_group("meta"), block)
        quality = file.create_group("quality")
        quality.create_group("detail")
        _write_mask(
            quality.create_group("injections"),
            "Inj",
            _INJECTION_NAMES,
            block.injection_mask,
            block,
        )
        _write_mask(quality.create_group("simple"), "DQ", DQ_NAMES, block.dq_mask, block)
        strain = file.create_group("strain").create_dataset(
            "Strain",
            data=np.asarray(block.strain, dtype="<f8"),
            chunks=(min(_CHUNK_S, block.duration) * block.sample_rate,),
            compression="gzip",
            compression_opts=_GZIP_LEVEL,
            shuffle=True,
            track_times=False,
        )
        _write_axis(strain, block, "Strain", 1 / block.sample_rate)
        strain.attrs["Yunits"] = ""
    write_bytes(path, content.getvalue())


def _write_meta(meta: h5py.Group, block: GwoscBlock) -> None:
    import lal  # here: reading needs none of it

    year, month, day, hour, minute, second = lal.GPSToUTC(block.gps_start)[:6]
    values = {
        "Description": "Strain data time series from LIGO",
        "DescriptionURL": "http://www.gw-openscience.org/",
        "Detector": block.detector,
        "Duration": block.duration,
        "GPSstart": block.gps_start,
        "Observatory": block.detector[0],
        "Type": "StrainTimeSeries",
        "UTCstart": f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}",
    }
    for name, value in values.items():
        meta.create_dataset(name, data=value, track_times=False)


def _write_mask(
    group: h5py.Group, prefix: str, names: tuple[str, ...], mask: np.ndarray, block: GwoscBlock
) -> None:
    descriptions = [f"Passes {name} test" for name in names]
    for what, texts in (("Descriptions", descriptions), ("Shortnames", names)):
        data = np.array([text.encode() for text in texts])
        group.create_dataset(f"{prefix}{what}", data=data, track_times=False)
    dataset = group.create_dataset(
        f"{prefix}mask",
        data=np.asarray(mask, dtype="<u4"),
        chunks=(block.duration,),
        compression="gzip",
        compression_opts=_GZIP_LEVEL,
        track_times=False,
    )
    _write_axis(dataset, block, f"{prefix}mask", 1.0)
    dataset.attrs["Bits"] = len(names)
    dataset.attrs["Description"] = _MASK_DESCRIPTION


def _write_axis(dataset: h5py.Dataset, block: GwoscBlock, label: str, spacing: float) -> None:
    dataset.attrs["Npoints"] = len(dataset)
    dataset.attrs["Xlabel"] = "GPS time"
    dataset.attrs["Xspacing"] = spacing
    dataset.attrs["Xstart"] = block.gps_start
    dataset.attrs["Xunits"] = "second"
    dataset.attrs["Ylabel"] = label
