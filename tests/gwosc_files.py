"""Small strain files in the layout in which GWOSC releases its 4096 s HDF5 files."""

from datetime import datetime
from pathlib import Path

import h5py
import lal
import numpy as np

DQ_SHORTNAMES = (
    "DATA", "CBC_CAT1", "CBC_CAT2", "CBC_CAT3", "BURST_CAT1", "BURST_CAT2", "BURST_CAT3",
)  # fmt: skip
INJECTION_SHORTNAMES = (
    "NO_CBC_HW_INJ", "NO_BURST_HW_INJ", "NO_DETCHAR_HW_INJ", "NO_CW_HW_INJ", "NO_STOCH_HW_INJ",
)  # fmt: skip
ALL_DQ = 2 ** len(DQ_SHORTNAMES) - 1
NO_INJECTION = 2 ** len(INJECTION_SHORTNAMES) - 1

_MASK_DESCRIPTION = (
    'A bitmask encoded as an integer-valued timeseries. The first "Bits" bits might be used, '
    'for each there is an entry in "Bits", "Shortnames", "Descriptions", one for each bit.'
)
_RATE_NAMES = {2048: "2KHZ", 4096: "4KHZ", 16384: "16KHZ"}


def gwosc_file_name(
    detector: str,
    gps_start: int,
    *,
    duration: int = 4096,
    sample_rate: int = 4096,
    release: str = "O4a",
    revision: str = "R1",
) -> str:
    """Return the name under which GWOSC would release such a file."""
    rate = _RATE_NAMES[sample_rate]
    return (
        f"{detector[0]}-{detector}_GWOSC_{release}_{rate}_{revision}-{gps_start}-{duration}.hdf5"
    )


def write_gwosc_file(
    path: Path | str,
    detector: str,
    gps_start: int,
    values: np.ndarray,
    sample_rate: int,
    *,
    dqmask: np.ndarray | None = None,
    injmask: np.ndarray | None = None,
) -> Path:
    """Write ``values`` [whole seconds * sample_rate] to ``path`` and return it.

    ``dqmask`` and ``injmask`` hold one integer a second; by default every test is passed and
    there are no hardware injections. A second that is wholly NaN has no DATA bit by default.
    """
    path = Path(path)
    seconds = len(values) // sample_rate
    if seconds * sample_rate != len(values):
        raise ValueError(f"{len(values)} samples at {sample_rate} Hz are no whole seconds")
    if dqmask is None:
        missing = np.isnan(values).reshape(seconds, sample_rate).all(axis=1)
        dqmask = np.where(missing, 0, ALL_DQ)
    if injmask is None:
        injmask = np.full(seconds, NO_INJECTION)

    with h5py.File(path, "w") as file:
        meta = file.create_group("meta")
        meta["Description"] = "Strain data time series from LIGO"
        meta["DescriptionURL"] = "http://www.gw-openscience.org/"
        meta["Detector"] = detector
        meta["Duration"] = seconds
        meta["GPSstart"] = gps_start
        meta["Observatory"] = detector[0]
        meta["Type"] = "StrainTimeSeries"
        meta["UTCstart"] = datetime(*lal.GPSToUTC(gps_start)[:6]).isoformat()

        strain = file.create_dataset(
            "strain/Strain", data=np.asarray(values, "<f8"), chunks=True, compression="gzip"
        )
        strain.attrs.update(_axis(gps_start, len(values), 1 / sample_rate, "Strain"))
        strain.attrs["Yunits"] = ""

        for group in ("detail", "simple", "injections"):
            file.create_group(f"quality/{group}")
        _write_mask(file["quality/simple"], "DQ", gps_start, dqmask, DQ_SHORTNAMES)
        _write_mask(file["quality/injections"], "Inj", gps_start, injmask, INJECTION_SHORTNAMES)
    return path


def _axis(gps_start: int, points: int, spacing: float, label: str) -> dict[str, object]:
    return {
        "Npoints": points,
        "Xlabel": "GPS time",
        "Xspacing": float(spacing),
        "Xstart": gps_start,
        "Xunits": "second",
        "Ylabel": label,
    }


def _write_mask(
    group: h5py.Group, prefix: str, gps_start: int, mask: np.ndarray, names: tuple[str, ...]
) -> None:
    label = f"{prefix}mask"
    dataset = group.create_dataset(
        label, data=np.asarray(mask, "<u4"), chunks=True, compression="gzip"
    )
    dataset.attrs.update(_axis(gps_start, len(mask), 1.0, label))
    dataset.attrs["Bits"] = len(names)
    dataset.attrs["Description"] = _MASK_DESCRIPTION
    group[f"{prefix}Shortnames"] = np.array(names, "S")
    group[f"{prefix}Descriptions"] = np.array([f"Passes {name} test" for name in names], "S")
