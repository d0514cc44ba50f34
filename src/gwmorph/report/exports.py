"""Triggers for other programs: HDF5 with Omicron's columns, and LIGO_LW's sngl_burst table."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.errors import GwmorphError, TableError
from gwmorph.naming import parse_span_name
from gwmorph.storage import atomic_path
from gwmorph.tables.block import TILE, TRIGGERS
from gwmorph.tables.parquet import read_metadata, read_table

_HDF5 = {".h5", ".hdf5", ".hdf"}
_LIGO_LW = {".xml"}
# Columns of sngl_burst and where they come from; times are split into s and ns besides.
_BURST = {
    "ifo": "detector",
    "duration": "duration",
    "peak_frequency": "peak_frequency",
    "central_freq": "frequency",
    "bandwidth": "bandwidth",
    "flow": "fstart",
    "fhigh": "fend",
    "snr": "snr",
    "amplitude": "amplitude",
    "param_one_value": "q",
    "param_two_value": "chirp_mass",
    "confidence": "significance",
}
_PARAMETERS = {"param_one_name": "q", "param_two_name": "chirp_mass"}
_BURST_TIMES = {"peak": "peak_time", "start": "tstart", "stop": "tend"}


def triggers_of_run(run: Path, detector: str | None) -> tuple[pa.Table, dict[str, str]]:
    """Return a run's triggers (schema ``TRIGGERS``), of one detector if named, and metadata.

    Raises
    ------
    GwmorphError
        The run's folder has no triggers, or the run has no windows of the detector.
    TableError
        They were written by another version.
    """
    path = run / "triggers.parquet"
    if not path.is_file():
        raise GwmorphError(
            f"{path}: no such file; run snakemake to its end first, or name another run's folder."
        )
    found = read_table(path, TRIGGERS)
    if detector:
        ledgers = (run / "ledger").glob("*.parquet")
        analysed = sorted({parse_span_name(ledger.name).detector for ledger in ledgers})
        if detector not in analysed:
            raise GwmorphError(
                f"{run}: holds nothing of {detector}, but of {', '.join(analysed) or 'nobody'}; "
                "name one of these with --detector, or leave it out for all."
            )
        found = found.filter(pc.equal(found["detector"], detector))
    return found, read_metadata(path)


def export_triggers(triggers: pa.Table, path: Path, metadata: Mapping[str, str]) -> None:
    """Write triggers (schema ``TRIGGERS``) in the format that the file's name ends in.

    ``.h5``, ``.hdf5``, ``.hdf``: the data set ``triggers``, one compound row each, with all
    columns of the table (``detector`` is called ``ifo``), as Omicron lays them; nulls are NaN and
    ``metadata`` become attributes. gwpy:
    ``EventTable.read(path, format="hdf5", path="triggers")``.

    ``.xml``: LIGO_LW with a ``sngl_burst`` table; Q is its first parameter, the chirp mass its
    second, the significance its confidence (NaN where there is none), and numbers other than times
    have single precision. ``search`` is ``gwmorph``, and ``gwmorph:track`` (or another part of
    the score) where no tile found the event. gwpy: ``EventTable.read(path, format="ligolw",
    tablename="sngl_burst")``.

    Raises
    ------
    TableError
        The name ends in something else.
    StorageError
        The file cannot be written whole.
    """
    if path.suffix in _HDF5:
        with atomic_path(path, locked_by_others=True) as partial:
            _write_hdf5(triggers, partial, metadata)
    elif path.suffix in _LIGO_LW:
        with atomic_path(path) as partial:
            _write_ligo_lw(triggers, partial)
    else:
        known = ", ".join(sorted(_HDF5 | _LIGO_LW))
        raise TableError(f"{path}: expected a name that ends in one of {known}.")


def _write_hdf5(triggers: pa.Table, path: Path, metadata: Mapping[str, str]) -> None:
    columns = {
        "ifo" if name == "detector" else name: np.asarray(
            triggers[name].to_pylist(),
            "S" if pa.types.is_string(field.type) else field.type.to_pandas_dtype(),
        )
        for name, field in zip(triggers.column_names, triggers.schema, strict=True)
    }
    rows = np.empty(triggers.num_rows, [(name, value.dtype) for name, value in columns.items()])
    for name, value in columns.items():
        rows[name] = value
    with h5py.File(path, "w") as file:
        data = file.create_dataset("triggers", data=rows)
        data.attrs.update(metadata)


def _write_ligo_lw(triggers: pa.Table, path: Path) -> None:
    from igwn_ligolw import ligolw, lsctables
    from igwn_ligolw.utils import write_filename

    times = [f"{end}_time{part}" for end in _BURST_TIMES for part in ("", "_ns")]
    table = lsctables.SnglBurstTable.new([*_BURST, *times, "search", *_PARAMETERS, "event_id"])
    for number, trigger in enumerate(triggers.to_pylist()):
        row = table.RowType()
        row.search = "gwmorph" if trigger["found_by"] == TILE else f"gwmorph:{trigger['found_by']}"
        row.event_id = number
        for name, value in _PARAMETERS.items():
            setattr(row, name, value)
        for name, source in (_BURST | _BURST_TIMES).items():
            setattr(row, name, float("nan") if trigger[source] is None else trigger[source])
        table.append(row)
    document = ligolw.Document()
    document.appendChild(ligolw.LIGO_LW()).appendChild(table)
    write_filename(document, str(path))
