"""Readers of tables (Parquet), of an atlas's parts, and of arrays (NumPy's archives)."""

import io
import json
import shutil
import tempfile
import zipfile
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from fuzzing import ODD_TEXTS, ODD_VALUES, Reader, odd_copy, register, require
from gwmorph.errors import CalibrationError, TableError
from gwmorph.evidence.chirp_noise import read_noise, write_noise
from gwmorph.evidence.chirp_windows import Look, Signals, read_signals, write_signals
from gwmorph.learning.labelled_pictures import (
    LabelledPictures,
    read_labelled_pictures,
    write_labelled_pictures,
)
from gwmorph.learning.pairs import Pairs, read_pairs
from gwmorph.morphology.atlas import read_atlas, write_atlas
from gwmorph.morphology.manifest import About
from gwmorph.simulation.binaries import Binary
from gwmorph.spectra.conditioning import Band
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.block import LEDGER
from gwmorph.tables.calibration import THRESHOLDS
from gwmorph.tables.embeddings import embedding_column, of_width
from gwmorph.tables.parquet import read_table, write_table
from gwmorph.tables.validation import REFERENCE

_IDS = {"gwmorph.render_id": "r1", "gwmorph.encoder_id": "e1"}


def _ledger_rows() -> list[dict[str, Any]]:
    return [
        {"detector": "H1", "gps_start": 1000 + 32 * n, "duration_s": 32, "block": 0,
         "status": "analysed" if n % 2 else "excluded", "reason": None if n % 2 else "gap",
         "detail": None}
        for n in range(20)
    ]  # fmt: skip


def _written(write: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        write(path)
        return path.read_bytes()


@lru_cache
def _ledger() -> bytes:
    return _written(lambda path: write_table(path, LEDGER, _ledger_rows(), _IDS))


def _table_proven(path: Path, found: pa.Table) -> None:
    require(found.schema.names == LEDGER.names, f"other columns: {found.schema.names}")
    require(found.schema.types == LEDGER.types, f"other types: {found.schema.types}")
    found.validate(full=True)
    for field in LEDGER:
        nulls = found[field.name].null_count
        require(field.nullable or not nulls, f"{field.name}: {nulls} nulls")
    write_table(path, LEDGER, found)
    require(read_table(path, LEDGER).equals(found), "written again, it is another")


@st.composite
def _odd_tables(draw: Any) -> bytes:
    """Parquet with the ledger's name on it and other columns in it."""
    arrays: dict[str, pa.Array] = {}
    rows = draw(st.integers(0, 3))
    for field in LEDGER:
        kind = draw(st.sampled_from([field.type] * 12 + [pa.int64(), pa.string(), pa.float32(),
                                     pa.binary(), pa.list_(pa.int64()), pa.null()]))  # fmt: skip
        if draw(st.integers(0, 15)):
            arrays[field.name] = _array(kind, rows, draw(st.integers(0, 7)) == 0)
    if draw(st.booleans()):
        arrays[draw(ODD_TEXTS)] = pa.array([1] * rows)
    about = {"gwmorph.schema": "ledger", "gwmorph.schema_version": "6"}
    if not draw(st.integers(0, 5)):
        about[draw(ODD_TEXTS)] = draw(st.sampled_from(["", "é", "6"]))
    metadata = {k.encode(errors="replace"): v.encode("latin-1") for k, v in about.items()}
    out = io.BytesIO()
    table = pa.table(arrays).replace_schema_metadata(metadata)
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def _array(kind: pa.DataType, rows: int, nulls: bool) -> pa.Array:
    if nulls or kind == pa.null():
        return pa.nulls(rows, kind)
    value: Any = [1] if pa.types.is_list(kind) else "x" if kind == pa.string() else 1
    return pa.array([b"\xff" if kind == pa.binary() else value] * rows, kind)


register(
    Reader(
        "tables",
        ".parquet",
        "tables of the workflow",
        lambda: [_ledger()],
        lambda path: read_table(path, LEDGER),
        _table_proven,
        _odd_tables(),
        (TableError,),
        in_c=True,
    )
)

# -- labelled pictures ------------------------------------------------------------------------


def _labelled_pictures() -> LabelledPictures:
    shown = np.arange(3 * 8 * 8, dtype=np.uint8).reshape(3, 8, 8)
    names = np.array(["a", "b", "c"])
    return LabelledPictures(
        shown, PictureScale("linear", 25.5, "cividis"), np.array(["Blip"] * 3), names,
        np.array([1.0, 2.0, np.nan]), np.array(["train", "", "test"]), np.full(3, 0.5), None,
    )  # fmt: skip


@lru_cache
def _labelled_file() -> bytes:
    return _written(lambda path: write_labelled_pictures(path, _labelled_pictures(), _IDS))


def _labelled_proven(path: Path, found: LabelledPictures) -> None:
    require(found.pictures.dtype == np.uint8 and found.pictures.ndim == 3, "no pictures")
    require(found.scale.scale in ("linear", "sqrt"), f"scale {found.scale.scale!r}")
    require(0 < found.scale.energy_max < np.inf, "no scale")
    require(set(found.splits) <= {"", "train", "validation", "test"}, f"parts {set(found.splits)}")
    write_labelled_pictures(path, found, {})
    again = read_labelled_pictures(path)
    require(np.array_equal(again.pictures, found.pictures), "written again, it is another")


@st.composite
def _odd_labelled(draw: Any) -> bytes:
    table = pq.read_table(io.BytesIO(_labelled_file()))
    about = dict(table.schema.metadata)
    for key in [key for key in about if key in _ABOUT_KEYS]:
        if draw(st.booleans()):
            good = json.loads(about[key])
            value = draw(st.one_of(odd_copy(good), ODD_VALUES))
            about[key] = json.dumps(value).encode()
    rows = table.to_pylist()
    if draw(st.booleans()):
        rows[0]["picture"] = draw(st.binary(max_size=70))
        rows[1]["split"] = draw(ODD_TEXTS.filter(str.isprintable))
    schema = table.schema.with_metadata(about)
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), out)
    return out.getvalue()


_ABOUT_KEYS = (
    b"gwmorph.picture_scale",
    b"gwmorph.picture_size",
    b"gwmorph.scale",
    b"gwmorph.size",
)

register(
    Reader(
        "labelled_pictures",
        ".parquet",
        "tables of labelled pictures",
        lambda: [_labelled_file()],
        read_labelled_pictures,
        _labelled_proven,
        _odd_labelled(),
        (TableError,),
        in_c=True,
    )
)

# -- an atlas ---------------------------------------------------------------------------------

_ABOUT = About(
    "demo", ("H1",), 1000, 9000, "r1", "e1", "c1", "labels", "each_class", 0.05, 0.6, 5, ("event",)
)


@lru_cache
def _atlas() -> dict[str, bytes]:
    """Return the files of a small atlas by their names."""
    count = 4
    vectors = np.eye(count, 8, dtype=np.float32)
    columns = {
        "detector": ["H1"] * count,
        "gps_start": range(count),
        "view": ["event"] * count,
        "trigger_time": np.arange(count, dtype=float),
        "label": ["blip"] * count,
        **{f"tile_{n}": np.ones(count) for n in ("time", "frequency", "q", "energy", "snr")},
        "duration": np.ones(count),
        "bandwidth": np.ones(count),
        "embedding": embedding_column(vectors),
    }
    limits = [{"label": "blip", "members": 4, "rate": 0.05, "granted": 0.2, "limit": 0.5,
               "percentile": 0.25}]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        schema = of_width(REFERENCE, 8)
        write_table(folder / "reference", schema, pa.table(columns, schema=schema), _IDS)
        write_table(folder / "thresholds", THRESHOLDS, limits, _IDS)
        parts = {part: folder / part for part in ("reference", "thresholds")}
        write_atlas(folder / "atlas", _ABOUT, {"event": parts}, {}, "run: {}\n")
        files = sorted(path for path in (folder / "atlas").rglob("*") if path.is_file())
        return {str(path.relative_to(folder / "atlas")): path.read_bytes() for path in files}


def _packed(files: dict[str, bytes]) -> bytes:
    """Return files one after the other, so that a change of bytes may be in any of them."""
    head = json.dumps({name: len(content) for name, content in files.items()}).encode()
    return len(head).to_bytes(4, "big") + head + b"".join(files.values())


_HEAD = len(_packed(_atlas())) - sum(map(len, _atlas().values()))


def _read_atlas(path: Path) -> Any:
    folder = path.parent / "outside.atlas.d"
    shutil.rmtree(folder, ignore_errors=True)
    content, at = path.read_bytes(), _HEAD
    for name, good in _atlas().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content[at : at + len(good)])
        at += len(good)
    atlas = read_atlas(folder)
    return atlas, atlas.reference("event"), atlas.limits("event")


def _atlas_proven(path: Path, found: Any) -> None:
    """Every byte of an atlas is under a hash, so that only the good one is accepted."""
    for name, good in _atlas().items():
        held = (path.parent / "outside.atlas.d" / name).read_bytes()
        same = json.loads(held) == json.loads(good) if name == "manifest.json" else held == good
        require(same, f"{name} is accepted and is not what was written")


register(
    Reader(
        "atlas",
        ".atlas",
        "atlases",
        lambda: [_packed(_atlas())],
        _read_atlas,
        _atlas_proven,
        st.tuples(
            st.integers(_HEAD, len(_packed(_atlas())) - 1), st.binary(min_size=1, max_size=4)
        )
        .map(lambda change: (bytearray(_packed(_atlas())), *change))
        .map(lambda g: bytes(g[0][: g[1]] + g[2] + g[0][g[1] + len(g[2]) :])),
        (CalibrationError,),
    )
)

# -- arrays -----------------------------------------------------------------------------------

_LOOK = Look(("H1", "L1"), 64, 64, Band(8.0, 30.0), 0.5, 0.9)


def _repacked(content: bytes, change: tuple[int, int, bytes]) -> bytes:
    """Return an archive in which bytes inside one array's file were changed; its CRC is right."""
    which, place, part = change
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        for number, name in enumerate(names):
            held = bytearray(old.read(name))
            if number == which % len(names):
                first = place % max(len(held), 1)
                held[first : first + len(part)] = part
            new.writestr(name, bytes(held))
    return out.getvalue()


def _odd_archives(good: bytes) -> st.SearchStrategy[bytes]:
    changes = st.tuples(st.integers(0, 9), st.integers(0, 400), st.binary(min_size=1, max_size=6))
    return changes.map(lambda change: _repacked(good, change))


@lru_cache
def _noise_file() -> bytes:
    spectra = {name: np.ones(33) for name in _LOOK.detectors}
    return _written(lambda path: write_noise(path, spectra, None))


def _noise_proven(path: Path, found: Any) -> None:
    spectra, _ = found
    for name, psd in spectra.items():
        require(psd.ndim == 1 and psd.dtype == np.float64, f"{name}: no spectrum: {psd.dtype}")
        require(np.isfinite(psd).all() and (psd > 0).all(), f"{name}: no power")


@lru_cache
def _signals_file() -> bytes:
    one = Binary(30.0, 20.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    signals = Signals((one, one), np.ones((2, 2, _LOOK.kept), np.float32))
    return _written(lambda path: write_signals(path, signals))


def _signals_proven(path: Path, found: Signals) -> None:
    white = np.asarray(found.white)
    require(white.ndim == 3 and white.dtype == np.float32, "no signals")
    require(len(white) == len(found.binaries), "not one signal of each pair")
    require(np.isfinite(white).all(), "signals that are not finite")
    require(all(np.isfinite(list(asdict(b).values())).all() for b in found.binaries), "no pairs")


@lru_cache
def _pairs_file() -> bytes:
    shown = np.zeros((2, 2, 4, 56, 56), np.uint8)
    pairs = Pairs(shown, shown, np.array(["blip", "quiet"]), np.array(["quiet", "real"]))
    return _written(pairs.write)


def _pairs_proven(path: Path, found: Pairs) -> None:
    for name in ("events", "windows"):
        shown, names = getattr(found, name), getattr(found, f"{name[:-1]}_names")
        require(shown.dtype == np.uint8 and shown.shape[1:] == (2, 4, 56, 56), f"no {name}")
        require(len(shown) == len(names) and names.dtype.kind == "U", f"no names of {name}")


for _name, _reads, _good, _read, _prove in (
    (
        "noise",
        "noise of a chirp search",
        _noise_file,
        lambda p: read_noise(p, _LOOK),
        _noise_proven,
    ),
    ("signals", "signals of a chirp search", _signals_file, read_signals, _signals_proven),
    ("pairs", "pairs of a training", _pairs_file, lambda path: read_pairs([path]), _pairs_proven),
):
    register(
        Reader(
            _name,
            ".npz",
            _reads,
            lambda good=_good: [good()],
            _read,
            _prove,
            _odd_archives(_good()),
            (TableError,),
        )
    )
