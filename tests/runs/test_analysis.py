"""What a notebook gets of some strain is what the workflow's scripts make of it."""

import importlib.util
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gwpy.segments import SegmentList
from gwpy.table import EventTable
from gwpy.timeseries import TimeSeries
from igwn_segments import segment, segmentlist

import gwmorph
from gwmorph.config import Config
from gwmorph.encoders.shards import EventOutputs, WindowOutputs
from gwmorph.errors import ConfigError, GwmorphError, StrainError
from gwmorph.grid import Grid
from gwmorph.spectra.pictures import read_picture
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.files import describe
from gwmorph.strain.receipts import write_receipts
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_metadata, write_table
from gwosc_files import write_gwosc_file

ROOT = Path(__file__).resolve().parents[2]
RATE = 4096
BORDER = 4096 * 300000  # between two blocks
START, END = BORDER - 160, BORDER + 192
BURSTS = (BORDER - 77.3, BORDER - 16.2, BORDER + 90.71)


def script(name: str):
    """Return the module of a rule's script."""
    spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / f"scripts/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """White noise with three bursts, one of them beside the border, and a missing second."""
    rng = np.random.default_rng(14)
    strain = 1e-21 * rng.standard_normal((END - START) * RATE)
    times = START + np.arange(len(strain)) / RATE
    for moment in BURSTS:
        shape = np.exp(-(((times - moment) / 0.01) ** 2)) * np.cos(400 * np.pi * (times - moment))
        strain += 1.2e-20 * shape
    strain[(170 * RATE) : (171 * RATE)] = np.nan
    return strain


@pytest.fixture(scope="module")
def analysis(values):
    series = TimeSeries(values, t0=START, sample_rate=RATE, name="H1:STRAIN")
    return gwmorph.analyse(series)


@pytest.fixture(scope="module")
def workflow(values, tmp_path_factory) -> dict[str, list[Path]]:
    """Return the outputs of the scripts of both blocks, and the shards of their vectors."""
    folder = tmp_path_factory.mktemp("workflow")
    receipts = [_receipt(folder, values, START, BORDER), _receipt(folder, values, BORDER, END)]
    config = Config()
    window = config.window.model_dump()
    grid = Grid(window["duration_s"], window["stride_s"], window["context_s"])
    found = {"windows": [], "events": [], "folder": [folder]}
    snr = config.events.snr
    for block in (BORDER - 4096, BORDER):
        own = {
            name: folder / f"H1-GWMORPH_{name.upper()}-{block}-4096{suffix}"
            for name, suffix in (("ledger", ".parquet"), ("measurements", ".parquet"),
                                 ("triggers", ".parquet"), ("pictures", ""), ("event_views", ""))
        }  # fmt: skip
        near = grid.block_segments(segmentlist([segment(START, END)]), block)
        script("block").block(
            receipts=receipts,
            root=Path(),
            detector="H1",
            gps_start=block,
            segments=[(int(a), int(b)) for a, b in near],
            window=window,
            rendering={
                name: getattr(config, name).model_dump()
                for name in ("conditioning", "qtransform", "picture")
            },
            events=config.events.model_dump(exclude={"parts"}),
            **own,
        )
        found["windows"].append(WindowOutputs(own["ledger"], own["measurements"], own["pictures"]))
        found["events"].append(EventOutputs(own["triggers"], own["event_views"], snr))
    size = (config.picture.height, config.picture.width)
    for view in ("window", "event"):
        shard = folder / f"{view}.parquet"
        script("embed").embed(found[f"{view}s"], config.encoder, size, {}, shard)
        found[view] = [shard]
    admitted = folder / "admitted.parquet"
    every = _as_if_all_were_admitted([block.triggers for block in found["events"]])
    albums = [block.pictures for block in found["events"]]
    script("embed_admitted").embed_admitted(
        every, albums, window["duration_s"], snr, config.encoder, size, {}, admitted
    )
    found["event"].append(admitted)
    return found


def _as_if_all_were_admitted(triggers: list[Path]) -> Path:
    path = triggers[0].with_name("triggers.parquet")
    metadata = {"gwmorph.render_id": read_metadata(triggers[0])["gwmorph.render_id"]}
    write_table(path, TRIGGERS, joined(triggers), metadata)
    return path


def _receipt(folder: Path, values: np.ndarray, start: int, end: int) -> Path:
    part = values[(start - START) * RATE : (end - START) * RATE]
    path = write_gwosc_file(folder / f"{start}.hdf5", "H1", start, part, RATE)
    about = describe(path)
    file = StrainFile("H1", about.gps_start, about.duration, about.sample_rate, str(path))
    write_receipts(folder / f"{start}.json", [LocalFile.receipt(file, path, about.layout)])
    return folder / f"{start}.json"


def joined(paths: list[Path]) -> list[dict]:
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def test_tables_are_those_of_the_blocks(analysis, workflow):
    windows, events = workflow["windows"], workflow["events"]
    assert analysis.ledger_table.to_pylist() == joined([block.ledger for block in windows])
    assert analysis.measurements_table.to_pylist() == joined([b.measurements for b in windows])
    assert analysis.triggers_table.to_pylist() == joined([block.triggers for block in events])
    assert {row["reason"] for row in analysis.ledger_table.to_pylist()} == {None, "context", "nan"}


def test_pictures_are_those_of_the_blocks_byte_for_byte(analysis, workflow, tmp_path):
    paths = analysis.save(tmp_path)
    made = {path.name: path.read_bytes() for path in paths}
    folders = [block.pictures for kind in ("windows", "events") for block in workflow[kind]]
    expected = {path.name: path.read_bytes() for folder in folders for path in folder.iterdir()}
    assert made == expected
    assert len(made) > 10


@pytest.mark.parametrize("view", ["window", "event"])
def test_vectors_are_those_of_the_shard_bit_for_bit(analysis, workflow, view):
    shards = [pq.read_table(path) for path in workflow[view]]
    assert all(shard.num_rows for shard in shards)
    order = "gps_start" if view == "window" else "trigger_time"
    shard = pa.concat_tables(shards).sort_by(order)
    np.testing.assert_array_equal(analysis.vectors(view), embedding_matrix(shard))
    expected = shard.drop_columns(["embedding"]).to_pylist()
    rows = analysis.rows(view)
    assert rows["gps_start"].tolist() == [row["gps_start"] for row in expected]
    ids = shard.schema.metadata
    assert analysis.identity().render_id == ids[b"gwmorph.render_id"].decode()
    assert analysis.identity().encoder_id == ids[b"gwmorph.encoder_id"].decode()


def test_triggers_are_a_data_frame_with_units_and_an_event_table(analysis):
    found = analysis.triggers()
    assert isinstance(found, pd.DataFrame)
    np.testing.assert_allclose(found["peak_time"], BURSTS, rtol=0, atol=0.02)
    assert found.attrs["units"]["peak_frequency"] == "Hz"
    assert (found["found_by"] == "tile").all()
    assert (found["snr"] >= analysis.config.events.snr).all()
    table = analysis.event_table()
    assert isinstance(table, EventTable)
    assert table["peak_time"].tolist() == found["peak_time"].tolist()
    assert len(found) + len(analysis.candidates()) == analysis.triggers_table.num_rows


def test_windows_are_told_with_their_fate(analysis):
    found = analysis.windows()
    assert found["gps_start"].tolist() == list(range(START, END, 32))
    lost = found[found["status"] == "excluded"]
    assert lost["tile_snr"].isna().all()
    assert found.attrs["units"]["tile_frequency"] == "Hz"
    with pytest.raises(GwmorphError, match=r"no analysed window holds GPS .*: nan \(1 s of"):
        analysis.window_picture(START + 170.5)
    with pytest.raises(GwmorphError, match="none is planned"):
        analysis.window_picture(END + 1000)


def test_pictures_are_images_that_hold_the_scale(analysis, tmp_path):
    window = analysis.window_picture(BURSTS[0])
    event = analysis.event_picture(BURSTS[0] + 0.3)
    assert (window.mode, window.size) == ("P", (224, 224))
    assert np.asarray(event).max() == 255
    event.save(tmp_path / "a.png", pnginfo=None)
    assert f'"trigger_time": {analysis.triggers()["peak_time"][0]}' in event.info["gwmorph"]


def test_what_shows_no_event_is_said(analysis):
    nearest = analysis.triggers()["peak_time"].max()
    with pytest.raises(GwmorphError, match=rf"is 1\.000 s earlier: ask for GPS {nearest:.3f}"):
        analysis.event_picture(nearest + 1)
    with pytest.raises(GwmorphError, match="expected 'event' or 'window', got 'events'"):
        analysis.vectors("events")


def test_an_analysis_is_told_in_a_line(analysis):
    windows = len(analysis.rows("window"))
    assert repr(analysis) == (
        f"Analysis(H1, GPS {START} to {END}: {windows} windows analysed, "
        f"{len(analysis.triggers())} triggers)"
    )


def test_an_array_gives_the_same_as_a_time_series(analysis, values):
    found = gwmorph.analyse(values, "H1", START, RATE)
    assert found.triggers_table.equals(analysis.triggers_table)


def test_parts_of_seconds_are_left_out_and_faster_strain_decimated(values):
    fast = np.repeat(values[: 100 * RATE], 2)
    found = gwmorph.analyse(fast[3:-5], "H1", START + 3 / (2 * RATE), 2 * RATE)
    assert found.windows()["gps_start"].tolist() == [BORDER - 128, BORDER - 96]


def test_segments_are_what_is_science(values):
    segments = SegmentList([(START, START + 100), (START + 120, END)])
    found = gwmorph.analyse(values, "H1", START, RATE, segments=segments).windows()
    assert BORDER - 160 + 96 not in found["gps_start"].tolist()
    with pytest.raises(StrainError, match="none holds a part of the strain"):
        gwmorph.analyse(values, "H1", START, RATE, segments=[(5, 6)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"detector": None}, "does not say its detector"),
        ({"detector": "Q9"}, "expected one of H1, L1, V1, K1, G1, got 'Q9'"),
        ({"gps_start": None}, "does not say its gps_start"),
        ({"gps_start": START + 0.3 / RATE}, "no sample lies on GPS"),
        ({"sample_rate": 2048}, "2048 Hz is lower than the analysis' 4096 Hz"),
        ({"sample_rate": 6144}, "no multiple"),
        ({"sample_rate": 4096.5}, "expected a whole number"),
        ({"segments": [(START + 0.5, END)]}, "segments: expected a whole number"),
        ({"strain": np.zeros((2, 9))}, r"expected real numbers \[samples\]"),
        ({"strain": np.zeros(100)}, "holds no whole second"),
    ],
)
def test_what_is_missing_of_an_array_is_said(values, change, said):
    given = {"strain": values, "detector": "H1", "gps_start": START, "sample_rate": RATE} | change
    with pytest.raises(StrainError, match=said):
        gwmorph.analyse(**given)


def test_a_time_series_is_not_contradicted(values):
    series = TimeSeries(values[: 40 * RATE], t0=START, sample_rate=RATE, name="L1:STRAIN")
    with pytest.raises(StrainError, match="got 'H1', but the time series says 'L1'"):
        gwmorph.analyse(series, "H1")


def test_a_configuration_is_checked(values):
    with pytest.raises(ConfigError, match="hight"):
        gwmorph.analyse(values, "H1", START, RATE, config={"picture": {"hight": 3}})
    small = {"picture": {"height": 112, "width": 112}, "encoder": {"name": "dct"}}
    found = gwmorph.analyse(values[: 80 * RATE], "H1", START, RATE, config=small)
    assert found.window_picture(BORDER - 128 + 5).size == (112, 112)


def test_strain_without_a_whole_window_is_no_empty_answer(values):
    with pytest.raises(StrainError, match=r"no window of 32 s that starts at a multiple of 32 s"):
        gwmorph.analyse(values[: 40 * RATE], "H1", START + 5, RATE)


def test_a_saved_picture_is_read_as_any_other(analysis, tmp_path):
    indices, scale = read_picture(analysis.save(tmp_path)[0])
    assert indices.shape == (224, 224)
    assert scale.energy_max == analysis.config.picture.energy_max


def test_gw150914_is_a_trigger_of_its_64_seconds(real_data):
    path = real_data / "strain" / "DERIVED_GW150914_H1L1_64s_4096Hz_1126259430.hdf5"
    with h5py.File(path) as file:
        strain = file["H1"][:]
    found = gwmorph.analyse(strain, "H1", 1126259430, 4096).triggers()
    loudest = found.loc[found["snr"].idxmax()]
    assert loudest["peak_time"] == pytest.approx(1126259462.42, abs=0.05)
