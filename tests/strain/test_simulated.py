import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from gwpy.timeseries import StateVector, TimeSeries

from gwmorph.errors import ConfigError, StrainError
from gwmorph.formats.gwosc_layout import DQ_NAMES, GwoscBlock, write_gwosc_block
from gwmorph.simulation.blocks import truth_path
from gwmorph.storage import sha256_of_file
from gwmorph.strain.simulated import SimulatedSource
from gwmorph.tables.parquet import read_table
from gwmorph.tables.truth import TRUTH

POPULATION = Path(__file__).parents[2] / "config" / "population.yaml"
BLOCK = 1262301184
RATE = 2048


def make_source(cache, **changes):
    parameters = {
        "seed": 4,
        "population": POPULATION,
        "rate_scale": 1.0,
        "duty_cycle": 0.6,
        "sample_rate": RATE,
        "cache": cache,
    }
    return SimulatedSource(**{**parameters, **changes})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    source = make_source(tmp_path_factory.mktemp("cache"))
    (file,) = source.files("V1", BLOCK, BLOCK + 4096)
    return source, file, source.obtain(file)


def test_receipt_is_true(made):
    _, _, receipt = made
    receipt.verify()
    assert (receipt.detector, receipt.gps_start, receipt.duration) == ("V1", BLOCK, 4096)
    assert receipt.layout == "gwosc"
    assert Path(receipt.path).name == f"V-V1_GWOSC_SIM_2KHZ_R1-{BLOCK}-4096.hdf5"


def test_gwpy_reads_strain_and_quality(made):
    source, _, receipt = made
    strain = TimeSeries.read(receipt.path, format="hdf5.gwosc")
    assert strain.t0.value == BLOCK
    assert strain.sample_rate.value == RATE
    assert strain.duration.value == 4096
    quality = StateVector.read(receipt.path, format="hdf5.gwosc")
    assert len(quality.bits) == len(DQ_NAMES)
    active = quality.to_dqflags()["Passes DATA test"].active
    expected = source.segments("V1", BLOCK, BLOCK + 4096)
    assert [tuple(map(int, s)) for s in active] == [tuple(map(int, s)) for s in expected]
    assert 0 < sum(abs(s) for s in expected) < 4096
    seconds = strain.value.reshape(4096, RATE)
    on = np.zeros(4096, dtype=bool)
    for start, end in expected:
        on[start - BLOCK : end - BLOCK] = True
    assert np.isfinite(seconds[on]).all()
    assert np.isnan(seconds[~on]).any()


def test_segments_are_clipped_and_add_up(made):
    source, _, _ = made
    whole = source.segments("V1", BLOCK, BLOCK + 40000)
    left = source.segments("V1", BLOCK, BLOCK + 17000)
    right = source.segments("V1", BLOCK + 17000, BLOCK + 40000)
    assert (left + right).coalesce() == whole
    assert whole[0][0] >= BLOCK
    assert whole[-1][1] <= BLOCK + 40000


def test_files_are_the_aligned_blocks_that_touch_the_span(tmp_path):
    source = make_source(tmp_path)
    files = source.files("L1", BLOCK - 1, BLOCK + 4097)
    assert [f.gps_start for f in files] == [BLOCK - 4096, BLOCK, BLOCK + 4096]
    assert not list(tmp_path.iterdir())


def test_the_same_bytes_elsewhere_and_whatever_else_was_made(made, tmp_path):
    _, _, receipt = made
    other = make_source(tmp_path)
    neighbour, again = other.files("V1", BLOCK - 4096, BLOCK + 4096)
    other.obtain(neighbour)
    remade = other.obtain(again)
    assert remade.sha256 == receipt.sha256
    assert sha256_of_file(truth_path(remade.path)) == sha256_of_file(truth_path(receipt.path))
    # A second request is answered from the cache.
    before = Path(remade.path).stat().st_mtime_ns
    assert other.obtain(again) == remade
    assert Path(remade.path).stat().st_mtime_ns == before


@pytest.mark.parametrize("harm", ["flip a byte", "cut", "no sidecar", "no truth"])
def test_what_is_damaged_is_made_anew(made, tmp_path, harm):
    source, _, receipt = made
    copy = make_source(tmp_path)
    (file,) = copy.files("V1", BLOCK, BLOCK + 4096)
    shutil.copytree(source.folder, copy.folder)
    path = copy.cache / file.location
    if harm == "flip a byte":
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif harm == "no sidecar":
        path.with_name(f"{path.name}.sha256").unlink()
    else:
        truth_path(path).unlink()
    assert copy.obtain(file).sha256 == receipt.sha256
    assert truth_path(path).is_file()
    assert sorted(p.name for p in copy.folder.iterdir()) == sorted(
        p.name for p in source.folder.iterdir()
    )


def test_truth_follows_its_schema(made):
    _, _, receipt = made
    truth = read_table(truth_path(receipt.path), TRUTH).to_pandas()
    assert len(truth) > 0
    assert (truth["detector"] == "V1").all()
    assert truth["gps_time"].between(BLOCK, BLOCK + 4096).all()
    with h5py.File(receipt.path) as stored:
        mask = stored["quality/simple/DQmask"][()]
        strain = stored["strain/Strain"]
        for time in truth["gps_time"]:
            second = int(time) - BLOCK
            assert np.isfinite(strain[second * RATE])
        assert set(np.unique(mask)) >= {0, 127}
        assert (stored["quality/injections/Injmask"][()] == 31).all()


def test_cache_folder_depends_on_every_parameter(tmp_path):
    changed = tmp_path / "population.yaml"
    changed.write_text(
        POPULATION.read_text().replace("largest_mass_ratio: 8", "largest_mass_ratio: 7")
    )
    folders = {
        make_source(tmp_path, **change).folder
        for change in (
            {},
            {"seed": 5},
            {"rate_scale": 2.0},
            {"duty_cycle": 0.7},
            {"sample_rate": 4096},
            {"population": changed},
        )
    }
    assert len(folders) == 6
    moved = tmp_path / "elsewhere.yaml"
    shutil.copy(POPULATION, moved)
    assert make_source(tmp_path, population=moved).folder in folders


def test_unknown_detector_and_bad_population_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"'X1'.*H1, L1, V1"):
        make_source(tmp_path).segments("X1", BLOCK, BLOCK + 4096)
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        make_source(tmp_path, population=tmp_path / "absent.yaml").files("H1", BLOCK, BLOCK + 1)


def test_layout_is_that_of_a_real_file(real_data, tmp_path):
    real = real_data / "strain" / "H-H1_LOSC_4_V2-1126259446-32.hdf5"
    with h5py.File(real) as stored:
        ours = GwoscBlock(
            "H1",
            1126259446,
            4096,
            stored["strain/Strain"][()],
            stored["quality/simple/DQmask"][()],
            stored["quality/injections/Injmask"][()],
        )
    path = tmp_path / "ours.hdf5"
    write_gwosc_block(path, ours)
    assert structure(path) == structure(real)
    theirs = TimeSeries.read(str(real), format="hdf5.gwosc")
    assert np.array_equal(TimeSeries.read(str(path), format="hdf5.gwosc").value, theirs.value)
    with h5py.File(path) as mine, h5py.File(real) as stored:
        for name in ("Detector", "Duration", "GPSstart", "Observatory", "Type"):
            assert mine[f"meta/{name}"][()] == stored[f"meta/{name}"][()]
        # The real file is a second off: GPS 1126259462 is 09:50:45 UTC.
        assert mine["meta/UTCstart"][()] == b"2015-09-14T09:50:29"
        for name in ("Xspacing", "Xstart", "Npoints", "Xunits"):
            assert mine["strain/Strain"].attrs[name] == stored["strain/Strain"].attrs[name]


def structure(path):
    """Names, kinds, shapes, number formats and attributes of everything in a file."""
    found = {}

    def visit(name, item):
        attributes = {k: np.asarray(v).dtype.kind for k, v in item.attrs.items()}
        if isinstance(item, h5py.Dataset):
            kind = "text" if item.dtype.kind in "OS" else str(item.dtype)
            found[name] = (kind, item.shape, item.compression, attributes)
        else:
            found[name] = ("group", attributes)

    with h5py.File(path) as stored:
        stored.visititems(visit)
    return found


def test_arrays_that_do_not_fit_are_refused_and_leave_nothing(tmp_path):
    block = GwoscBlock("H1", 0, 4, np.zeros(7), np.zeros(2, int), np.zeros(2, int))
    with pytest.raises(StrainError, match="expected 2 s x 4 Hz = 8 samples, got 7"):
        write_gwosc_block(tmp_path / "x.hdf5", block)
    assert not list(tmp_path.iterdir())
