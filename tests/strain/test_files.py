"""Reading strain from every layout: what comes out, and how faults are told."""

import errno
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import lalframe
import numpy as np
import pytest
from gwpy.io.gwf import lalframe as gwf
from gwpy.timeseries import TimeSeries, TimeSeriesDict
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import csd, welch

from gwmorph.errors import StrainError
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.decimation import anti_alias_filter
from gwmorph.strain.files import Strain, describe, read_injections, read_strain
from gwmorph.strain.layouts import open_strain
from gwmorph.strain.reader import StrainReader, read_faults
from gwosc_files import write_gwosc_file

GPS = 1262301184
RNG = np.random.default_rng(5)


def receipt(
    path: Path, detector: str = "H1", dataset: str | None = None, rank: int = 0
) -> LocalFile:
    found = describe(path, dataset=dataset)
    file = StrainFile(
        detector, found.gps_start, found.duration, found.sample_rate, str(path), rank=rank
    )
    return LocalFile.receipt(file, path, found.layout, found.dataset_or_channel)


def noise(seconds: int, rate: int = 256) -> np.ndarray:
    return RNG.normal(size=seconds * rate)


def write_plain(path: Path, values: np.ndarray, name: str = "data", **attributes: object) -> Path:
    with h5py.File(path, "a") as file:
        file[name] = values
        file[name].attrs.update(attributes)
    return path


def write_frame(path: Path, channels: dict[str, np.ndarray], rate: int, gps: float = GPS) -> Path:
    series = TimeSeriesDict()
    for name, values in channels.items():
        own_rate = 1 if values.dtype.kind == "i" else rate
        series[name] = TimeSeries(values, t0=gps, sample_rate=own_rate, name=name, channel=name)
    series.write(path, format="gwf", backend="lalframe")
    return path


# --- what comes out


def test_a_span_is_cut_to_the_sample(tmp_path: Path) -> None:
    values = noise(16)
    file = receipt(write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, values, 256))
    strain = read_strain([file], "H1", GPS + 3, GPS + 9, 256)
    assert np.array_equal(strain.values, values[3 * 256 : 9 * 256])
    assert strain.values.dtype == np.float64
    assert (strain.detector, strain.gps_start, strain.sample_rate) == ("H1", GPS + 3, 256)
    assert strain.science.all()
    assert strain.covered.all()


def test_files_join_and_what_none_covers_is_nan(tmp_path: Path) -> None:
    first, second = noise(8), noise(8)
    files = [
        receipt(write_gwosc_file(tmp_path / "b.hdf5", "H1", GPS + 8, second, 256)),
        receipt(write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, first, 256)),
        receipt(write_gwosc_file(tmp_path / "c.hdf5", "H1", GPS + 20, noise(8), 256)),
    ]
    strain = read_strain(files, "H1", GPS - 2, GPS + 20, 256)
    covered = np.array([False] * 2 + [True] * 16 + [False] * 4)
    assert np.array_equal(strain.covered, covered)
    assert np.array_equal(strain.science, covered)
    samples = np.repeat(covered, 256)
    assert np.array_equal(strain.values[samples], np.concatenate([first, second]))
    assert np.isnan(strain.values[~samples]).all()


def test_science_is_the_data_bit_alone_and_nan_stays(tmp_path: Path) -> None:
    values = noise(8)
    values[2 * 256 + 7] = np.nan
    mask = np.array([127, 126, 127, 1, 63, 0, 2, 127])
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, values, 256, dqmask=mask)
    strain = read_strain([receipt(path)], "H1", GPS, GPS + 8, 256)
    assert strain.science.tolist() == [True, False, True, True, True, False, False, True]
    assert strain.covered.all()
    assert np.flatnonzero(np.isnan(strain.values)).tolist() == [2 * 256 + 7]


def test_the_lowest_rank_serves_whole_seconds_even_with_nan(tmp_path: Path) -> None:
    best, rest = noise(4), noise(12)
    best[300] = np.nan
    files = [
        receipt(write_gwosc_file(tmp_path / "rest.hdf5", "H1", GPS, rest, 256), rank=1),
        receipt(write_gwosc_file(tmp_path / "best.hdf5", "H1", GPS + 4, best, 256), rank=0),
    ]
    strain = read_strain(files, "H1", GPS, GPS + 12, 256)
    expected = rest.copy()
    expected[4 * 256 : 8 * 256] = best
    assert np.array_equal(strain.values, expected, equal_nan=True)


@pytest.mark.parametrize("rate", [16, 8])
def test_any_number_of_files_is_read_with_few_open(
    tmp_path: Path, rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gwmorph.strain.files._CHUNK_S", 20)
    values = noise(4 * 30, 16)
    mask = RNG.integers(0, 2, 4 * 30)
    files = []
    for n in range(30):
        part = slice(4 * n, 4 * n + 4)
        path = tmp_path / f"{n}.hdf5"
        samples = values.reshape(-1, 16)[part].ravel()
        write_gwosc_file(path, "H1", GPS + 4 * n, samples, 16, dqmask=mask[part])
        files.append(receipt(path))
    counts: list[int] = []
    opened: list[Path] = []

    @contextmanager
    def counted(path: Path, *options: object, **named: object) -> Iterator[StrainReader]:
        with open_strain(path, *options, **named) as reader:  # type: ignore[arg-type]
            opened.append(path)
            counts.append(counts[-1] + 1 if counts else 1)
            yield reader
        counts.append(counts[-1] - 1)

    monkeypatch.setattr("gwmorph.strain.files.open_strain", counted)
    strain = read_strain(files, "H1", GPS - 3, GPS + 123, rate)
    assert max(counts) <= 8
    assert counts[-1] == 0
    assert len(opened) <= 2 * len(files)
    assert np.array_equal(strain.science[3:-3], mask.astype(bool))
    assert np.array_equal(strain.covered[3:-3], np.ones(120, bool))
    assert np.isfinite(strain.values[3 * rate : -3 * rate]).all()
    if rate == 16:
        assert np.array_equal(strain.values[3 * rate : -3 * rate], values)


def test_equal_ranks_never_merge(tmp_path: Path) -> None:
    files = [
        receipt(write_gwosc_file(tmp_path / name, "H1", GPS + shift, noise(8), 256))
        for name, shift in (("a.hdf5", 0), ("b.hdf5", 7))
    ]
    with pytest.raises(StrainError, match=r"a\.hdf5 and .*b\.hdf5 .*source\.directory\.prefer"):
        read_strain(files, "H1", GPS, GPS + 12, 256)


@settings(max_examples=25)
@given(start=st.integers(-2, 18), length=st.integers(1, 20), chunk=st.integers(1, 7))
def test_decimation_knows_no_borders_of_files_chunks_or_reads(
    decimation_case: tuple[list[LocalFile], Strain], start: int, length: int, chunk: int
) -> None:
    files, whole = decimation_case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gwmorph.strain.files._CHUNK_S", chunk)
        part = read_strain(files, "H1", GPS + start, GPS + start + length, 512)
    offset = start + 2
    expected = whole.values[offset * 512 : (offset + length) * 512]
    assert np.allclose(part.values, expected, rtol=0, atol=1e-12, equal_nan=True)
    assert np.array_equal(part.covered, whole.covered[offset : offset + length])


@pytest.fixture(scope="module")
def decimation_case(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[LocalFile], Strain]:
    """Twenty seconds at 2048 Hz in three files, with a gap inside; and all of it at 512 Hz."""
    folder = tmp_path_factory.mktemp("three")
    values = noise(20, 2048)
    values[9 * 2048 + 100 : 9 * 2048 + 140] = np.nan
    files = []
    for first, last in ((0, 5), (5, 6), (6, 20)):
        part = values[first * 2048 : last * 2048]
        path = folder / f"{first}.hdf5"
        files.append(receipt(write_gwosc_file(path, "H1", GPS + first, part, 2048)))
    return files, read_strain(files, "H1", GPS - 2, GPS + 38, 512)


def test_decimated_noise_equals_filtering_in_one_piece(
    decimation_case: tuple[list[LocalFile], Strain],
) -> None:
    files, whole = decimation_case
    native = read_strain(files, "H1", GPS, GPS + 9, 2048).values
    expected = np.convolve(native, anti_alias_filter(4), mode="same")[::4]
    inner = slice(100, -100)
    assert np.allclose(whole.values[2 * 512 : 11 * 512][inner], expected[inner], atol=1e-12)


def test_files_of_two_rates_serve_one_span(tmp_path: Path) -> None:
    def tone(start: int, seconds: int, rate: int) -> np.ndarray:
        return np.sin(2 * np.pi * 20 * (start + np.arange(seconds * rate) / rate))

    fast = write_gwosc_file(tmp_path / "fast.hdf5", "H1", GPS, tone(0, 8, 1024), 1024)
    slow = write_gwosc_file(tmp_path / "slow.hdf5", "H1", GPS + 8, tone(8, 8, 256), 256)
    strain = read_strain([receipt(fast), receipt(slow)], "H1", GPS, GPS + 16, 256)
    error = np.abs(strain.values - tone(0, 16, 256))
    border = slice(8 * 256 - 60, 8 * 256)
    assert error[border].max() < 0.5  # the faster file's last samples see their own reflection
    error[border] = 0
    error[:60] = 0
    assert error.max() < 1e-4


@pytest.mark.parametrize(
    "attributes",
    [
        {"start_time": float(GPS), "delta_t": 1 / 256},
        {"x0": float(GPS), "dx": 1 / 256},
        {"Xstart": GPS, "Xspacing": 1 / 256},
        {"t0": GPS, "sample_rate": 256},
        {"t0": GPS, "dt": 1 / 256},
    ],
    ids="-".join,
)
def test_plain_hdf5_with_any_known_time_axis(
    tmp_path: Path, attributes: dict[str, object]
) -> None:
    values = noise(8)
    path = write_plain(tmp_path / "plain.h5", values.astype("f4"), **attributes)
    found = describe(path)
    assert (found.detector, found.gps_start, found.duration, found.sample_rate, found.layout) == (
        None, GPS, 8, 256, "hdf5",
    )  # fmt: skip
    strain = read_strain([receipt(path)], "H1", GPS + 1, GPS + 8, 256)
    assert np.array_equal(strain.values, values.astype("f4")[256:])
    assert strain.science.all()


def test_files_written_by_gwpy_are_read(tmp_path: Path) -> None:
    values = noise(8)
    series = TimeSeries(values, t0=GPS, sample_rate=256, channel="L1:TEST", name="L1:TEST")
    series.write(tmp_path / "gwpy.h5", path="strain", format="hdf5")
    found = describe(tmp_path / "gwpy.h5")
    assert (found.detector, found.gps_start, found.sample_rate) == ("L1", GPS, 256)
    file = receipt(tmp_path / "gwpy.h5", "L1")
    assert np.array_equal(read_strain([file], "L1", GPS, GPS + 8, 256).values, values)


def test_a_rate_that_rounds_is_whole(tmp_path: Path) -> None:
    path = write_plain(
        tmp_path / "plain.h5", noise(3, 1000), start_time=GPS, delta_t=np.float32(1e-3)
    )
    assert describe(path).sample_rate == 1000


def test_two_detectors_in_one_file(tmp_path: Path) -> None:
    values = {"H1": noise(4), "L1": noise(4)}
    for name, series in values.items():
        write_plain(tmp_path / "both.h5", series, name, t0=GPS, sample_rate=256)
    for name, series in values.items():
        file = receipt(tmp_path / "both.h5", name, dataset=name)
        assert np.array_equal(read_strain([file], name, GPS, GPS + 4, 256).values, series)


def test_frames_with_their_mask(tmp_path: Path) -> None:
    values = noise(8)
    mask = np.array([127, 0, 126, 1, 127, 127, 127, 127], dtype="int32")
    path = write_frame(
        tmp_path / "H-H1_X-1.gwf",
        {"H1:GWOSC-4KHZ_R1_STRAIN": values, "H1:GWOSC-4KHZ_R1_DQMASK": mask},
        256,
    )
    found = describe(path)
    assert (found.detector, found.layout, found.dataset_or_channel) == (
        "H1", "gwf", "H1:GWOSC-4KHZ_R1_STRAIN",
    )  # fmt: skip
    strain = read_strain([receipt(path)], "H1", GPS + 1, GPS + 7, 256)
    assert np.array_equal(strain.values, values[256 : 7 * 256])
    assert strain.science.tolist() == [False, False, True, True, True, True]


def test_frames_are_decimated_and_joined(tmp_path: Path) -> None:
    values = noise(12, 1024)
    whole = receipt(write_gwosc_file(tmp_path / "all.hdf5", "H1", GPS, values, 1024))
    parts = [
        receipt(
            write_frame(
                tmp_path / f"{first}.gwf",
                {"H1:STRAIN": values[first * 1024 : (first + 6) * 1024]},
                1024,
                GPS + first,
            )
        )
        for first in (0, 6)
    ]
    expected = read_strain([whole], "H1", GPS, GPS + 12, 256).values
    assert np.allclose(
        read_strain(parts, "H1", GPS, GPS + 12, 256).values, expected, rtol=0, atol=1e-12
    )


def write_frames_at(path: Path, values: np.ndarray, starts: list[int]) -> Path:
    """Write one file of 4 s frames that begin ``starts`` seconds after GPS."""
    frames = []
    for start in starts:
        part = values[start * 256 : (start + 4) * 256]
        series = TimeSeries(part, t0=GPS + start, sample_rate=256, name="H1:STRAIN")
        frames.append(gwf.create_frame(GPS + start, 4, ifos=["H1"]))
        lalframe.FrameAddREAL8TimeSeriesProcData(frames[-1], series.to_lal())
    gwf.write_frames(path, frames)
    return path


def test_a_file_of_several_frames(tmp_path: Path) -> None:
    values = noise(12)
    path = write_frames_at(tmp_path / "three.gwf", values, [0, 4, 8])
    assert describe(path).duration == 12
    strain = read_strain([receipt(path)], "H1", GPS + 2, GPS + 11, 256)
    assert np.array_equal(strain.values, values[2 * 256 : 11 * 256])


def test_an_altered_later_frame_is_noticed(tmp_path: Path) -> None:
    path = write_frames_at(tmp_path / "three.gwf", noise(12), [0, 4, 8])
    file = receipt(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(StrainError, match=r"three\.gwf: damaged or truncated"):
        describe(path)  # of large files only what is read is looked at
    with pytest.raises(StrainError, match=r"three\.gwf: damaged or truncated"):
        read_strain([file], "H1", GPS, GPS + 12, 256)


@pytest.mark.parametrize("order", [1, -1])
def test_a_frame_without_the_channel_is_named(tmp_path: Path, order: int) -> None:
    frames = []
    for start, name in ((0, "H1:STRAIN"), (4, "H1:AUX")):
        series = TimeSeries(noise(4), t0=GPS + start, sample_rate=256, name=name)
        frames.append(gwf.create_frame(GPS + start, 4, ifos=["H1"]))
        lalframe.FrameAddREAL8TimeSeriesProcData(frames[-1], series.to_lal())
    gwf.write_frames(tmp_path / "a.gwf", frames[::order])
    file = LocalFile("H1", GPS, 8, 256, str(tmp_path / "a.gwf"), "", 0, "gwf", "H1:STRAIN")
    with pytest.raises(
        StrainError, match=rf"a\.gwf: the frame at GPS {GPS + 4} has no channel 'H1:STRAIN'"
    ):
        read_strain([file], "H1", GPS, GPS + 8, 256)


ODD_NAMES = [
    "strain[1].gwf", "a?*.gwf", "a:b.gwf", "d:e/x.gwf", "d[1]/x.gwf", "a b.gwf", "a%20b.gwf",
    "{x}.gwf", "H-H1_X-5-10.gwf", f"H-H1_X-{GPS + 6}-8.gwf", "a\nb.gwf",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_reach_the_frame_library_as_they_are(tmp_path: Path, name: str) -> None:
    values = noise(8)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    write_frame(tmp_path / "plain.gwf", {"H1:STRAIN": values}, 256).rename(path)
    for other in ("strain1.gwf", "axx.gwf"):
        write_frame(tmp_path / other, {"H1:STRAIN": -values}, 256)
    strain = read_strain([receipt(path)], "H1", GPS, GPS + 8, 256)
    assert np.array_equal(strain.values, values)


def test_frames_are_read_where_they_lie_behind_relative_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_frame(tmp_path / "a.gwf", {"H1:STRAIN": noise(4)}, 256)
    monkeypatch.chdir(tmp_path)
    assert describe("a.gwf").duration == 4


def test_a_temporary_folder_that_cannot_be_named_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_frame(tmp_path / "a.gwf", {"H1:STRAIN": noise(4)}, 256)
    odd = tmp_path / "t[1]"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    with pytest.raises(StrainError, match=r"a\.gwf: .*Set TMPDIR"):
        describe(path)
    assert not list(odd.iterdir())


def test_frames_with_a_gap_are_refused(tmp_path: Path) -> None:
    path = write_frames_at(tmp_path / "gap.gwf", noise(12), [0, 8])
    with pytest.raises(StrainError, match=r"gap\.gwf: its frames leave gaps"):
        describe(path)


def test_only_the_seconds_asked_for_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = receipt(write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, noise(64), 256))
    read: list[int] = []
    direct = h5py.Dataset.read_direct

    def counting(self: h5py.Dataset, out: np.ndarray, source: object) -> None:
        read.append(len(out))
        direct(self, out, source)

    monkeypatch.setattr(h5py.Dataset, "read_direct", counting)
    read_strain([file], "H1", GPS + 30, GPS + 34, 256)
    read_strain([file], "H1", GPS + 30, GPS + 34, 128)
    assert sum(read) == (4 + 6) * 256


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_stays_near_the_result(tmp_path: Path) -> None:
    """A 4096 s file at 16384 Hz is 537 MB; its strain at 4096 Hz 134 MB."""
    path = tmp_path / "long.hdf5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "data", shape=(4096 * 16384,), dtype="f8", chunks=(1 << 20,), compression="lzf"
        )  # no chunk is written: the file is nearly empty, and reads as zeros
        data.attrs.update({"start_time": GPS, "delta_t": 1 / 16384})
    # Not ru_maxrss, which a child inherits from the process that starts it.
    code = f"""
from pathlib import Path
from gwmorph.strain.base import LocalFile
from gwmorph.strain.files import read_strain
file = LocalFile("H1", {GPS}, 4096, 16384, {str(path)!r}, "", 0, "hdf5", "data")
strain = read_strain([file], "H1", {GPS - 4}, {GPS + 4100}, 4096)
assert strain.covered.sum() == 4096 and (strain.values[4 * 4096 : -4 * 4096] == 0).all()
import sys
assert not {{"gwpy", "lal"}} & set(sys.modules)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 500


# --- faults


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StrainError, match=r"none\.hdf5: no such file"):
        describe(tmp_path / "none.hdf5")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x89HDF but not really"])
def test_neither_hdf5_nor_frame(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.hdf5"
    path.write_bytes(content)
    with pytest.raises(StrainError, match=r"a\.hdf5: neither HDF5 nor a frame file"):
        describe(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_truncated_hdf5(tmp_path: Path, kept: float) -> None:
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, noise(8), 256)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(StrainError, match=r"a\.hdf5: (damaged or truncated|neither HDF5)"):
        describe(path)


def test_a_locked_file_is_not_called_damaged(tmp_path: Path) -> None:
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, noise(4), 256)
    code = f"import h5py, sys; f = h5py.File({str(path)!r}, 'a'); print(flush=True); input()"
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdout
        writer.stdout.readline()
        with pytest.raises(StrainError, match=r"a\.hdf5: locked: another program has it open"):
            describe(path)
        writer.kill()


def test_a_missing_filter_is_not_called_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", data=noise(4), chunks=(256,), compression="gzip")
        data.attrs.update({"t0": GPS, "sample_rate": 256})
    content = bytearray(path.read_bytes())
    place = content.index(b"deflate") - 8
    assert content[place : place + 2] == b"\x01\x00"
    content[place : place + 2] = (32001).to_bytes(2, "little")  # the number of blosc
    path.write_bytes(content)
    with pytest.raises(StrainError, match=r"a\.hdf5:/data: .*filter 32001 .*hdf5plugin"):
        describe(path)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "may not be read by this user"),
        (errno.EMFILE, "too many files are open in this process"),
        (errno.EIO, "the disk or the network file system failed"),
    ],
)
def test_what_the_system_says_is_not_called_damage(number: int, said: str) -> None:
    with pytest.raises(StrainError, match=rf"^a\.gwf: {said}"), read_faults("a.gwf"):
        raise OSError(number, "text")


def test_damaged_samples(tmp_path: Path) -> None:
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, noise(64), 256)
    file = receipt(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    path.write_bytes(content)
    with pytest.raises(StrainError, match=r"a\.hdf5: damaged or truncated"):
        read_strain([file], "H1", GPS, GPS + 64, 256)
    with pytest.raises(StrainError, match=r"a\.hdf5: expected sha256"):
        file.verify()


@pytest.mark.parametrize("fault", ["truncated", "noise", "altered"])
def test_damaged_frames_are_refused_without_a_crash(tmp_path: Path, fault: str) -> None:
    path = write_frame(tmp_path / "a.gwf", {"H1:STRAIN": noise(16, 4096)}, 4096)
    file = receipt(path)
    content = bytearray(path.read_bytes())
    if fault == "truncated":
        content = content[: len(content) // 2]
    elif fault == "noise":
        content[4:] = RNG.bytes(len(content) - 4)
    else:
        content[200_000:200_100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(StrainError, match=r"a\.gwf: damaged or truncated"):
        read_strain([file], "H1", GPS, GPS + 16, 4096)


@pytest.mark.parametrize("way", ["link", "storage", "virtual"])
@pytest.mark.parametrize("layout", ["gwosc", "plain"])
def test_no_strain_is_read_from_a_file_that_another_names(
    tmp_path: Path, way: str, layout: str
) -> None:
    values = noise(4)
    path = tmp_path / "H-H1_STRAIN.hdf5"
    if layout == "gwosc":
        write_gwosc_file(path, "H1", GPS, values, 256)
        name = "strain/Strain"
    else:
        write_plain(path, values, "H1", t0=GPS, dt=1 / 256)
        name = "H1"
    assert describe(path).sample_rate == 256
    secret = tmp_path / "secret.hdf5"
    with h5py.File(path, "a") as file, h5py.File(secret, "w") as other:
        attributes = dict(file[name].attrs)
        other["there"] = values
        other["there"].attrs.update(attributes)
        del file[name]
        if way == "link":
            file[name] = h5py.ExternalLink(str(secret), "there")
        elif way == "storage":
            raw = tmp_path / "secret.bin"
            raw.write_bytes(values.tobytes())
            at = [(str(raw), 0, values.nbytes)]
            file.create_dataset(name, values.shape, values.dtype, external=at)
            file[name].attrs.update(attributes)
        else:
            virtual = h5py.VirtualLayout(values.shape, values.dtype)
            virtual[:] = h5py.VirtualSource(str(secret), "there", values.shape)
            file.create_virtual_dataset(name, virtual)
            file[name].attrs.update(attributes)
    with pytest.raises(StrainError, match=r"lie in another file|no data set|holds 0 data sets"):
        describe(path)
    with pytest.raises(StrainError, match="lie in another file"):
        describe(path, dataset=name)


def altered(path: Path, change: str) -> Path:
    write_gwosc_file(path, "H1", GPS, noise(8), 256)
    with h5py.File(path, "a") as file:
        if change == "short":
            attributes = dict(file["strain/Strain"].attrs)
            del file["strain/Strain"]
            file["strain/Strain"] = noise(6)
            file["strain/Strain"].attrs.update(attributes)
        elif change == "moved":
            file["meta/GPSstart"][...] = GPS + 1
        elif change == "mask":
            del file["quality/simple/DQmask"]
            file["quality/simple/DQmask"] = np.full(5, 127)
        elif change == "no detector":
            del file["meta/Detector"]
        elif change == "no axis":
            del file["strain/Strain"].attrs["Xspacing"]
        elif change == "fraction":
            file["strain/Strain"].attrs["Xstart"] = GPS + 0.25
        elif change == "zero step":
            file["strain/Strain"].attrs["Xspacing"] = 0.0
        elif change == "text":
            del file["strain/Strain"]
            file["strain/Strain"] = np.array([b"a", b"b"])
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("short", r"meta/Duration says 8 s at 256 Hz, that is 2048 samples, but .* holds 1536"),
        ("moved", rf"meta/GPSstart is {GPS + 1}, but strain/Strain starts at {GPS}"),
        ("mask", r"DQmask holds 5 values, expected one for each of 8 s"),
        ("no detector", r"no value meta/Detector"),
        ("no axis", r"no attributes give GPS start and sample spacing"),
        ("fraction", rf"Xstart is {GPS}\.25, expected a whole number"),
        ("zero step", r"Xspacing is 0\.0, expected more than zero"),
        ("text", r"no data set 'strain/Strain' with a series of numbers"),
    ],
)
def test_a_gwosc_file_that_contradicts_itself(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(StrainError, match=rf"a\.hdf5.*{message}"):
        describe(altered(tmp_path / "a.hdf5", change))


def test_a_gwosc_file_without_a_mask_is_all_science(tmp_path: Path) -> None:
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, noise(4), 256)
    with h5py.File(path, "a") as file:
        del file["quality"]
    assert read_strain([receipt(path)], "H1", GPS, GPS + 4, 256).science.all()


def test_the_wrong_detector_inside(tmp_path: Path) -> None:
    path = write_gwosc_file(tmp_path / "a.hdf5", "L1", GPS, noise(4), 256)
    with pytest.raises(StrainError, match=r"a\.hdf5: holds strain of L1, expected H1"):
        read_strain([receipt(path, "H1")], "H1", GPS, GPS + 4, 256)
    with pytest.raises(StrainError, match=r"a\.hdf5: is of L1, expected H1"):
        read_strain([receipt(path, "L1")], "H1", GPS, GPS + 4, 256)


@pytest.mark.parametrize("dataset", ["L1", "L1/strain", "O3/L1/data", "strain/L1", "l1", "x_L1"])
def test_the_wrong_data_set_is_the_wrong_detector(tmp_path: Path, dataset: str) -> None:
    path = write_plain(tmp_path / "both.h5", noise(4), dataset, t0=GPS, sample_rate=256)
    with pytest.raises(StrainError, match=r"both\.h5: holds strain of L1, expected H1"):
        read_strain([receipt(path, "H1", dataset)], "H1", GPS, GPS + 4, 256)


@pytest.mark.parametrize("dataset", ["strain_V1", "v1", "H1H2/strain", "H1_L1/x", "TH1", "data"])
def test_a_name_that_tells_no_detector(tmp_path: Path, dataset: str) -> None:
    path = write_plain(tmp_path / "a.h5", noise(4), dataset, t0=GPS, sample_rate=256)
    assert describe(path).detector is None


@pytest.mark.parametrize("place", ["file", "group", "data set", "name of the file"])
def test_a_detector_is_found_wherever_it_is_told(tmp_path: Path, place: str) -> None:
    name = f"L-L1_X-{GPS}-4.h5" if place == "name of the file" else "a.h5"
    path = write_plain(tmp_path / name, noise(4), "strain/data", t0=GPS, sample_rate=256)
    with h5py.File(path, "a") as file:
        if place == "file":
            file.attrs["detector"] = "L1"
        elif place == "group":
            file["strain"].attrs["IFO"] = b"L1"
        elif place == "data set":
            file["strain/data"].attrs["Detector"] = "L1"
    assert describe(path).detector == "L1"


@pytest.mark.parametrize("told", ["L", "Livingston", "LIGO Livingston", "LLO", b"L1"])
def test_an_attribute_may_name_the_observatory(tmp_path: Path, told: str | bytes) -> None:
    path = write_plain(tmp_path / "a.h5", noise(4), "data", t0=GPS, sample_rate=256)
    with h5py.File(path, "a") as file:
        file["data"].attrs["ifo"] = told
    assert describe(path).detector == "L1"


def test_a_released_file_that_is_read_as_a_plain_one_says_its_detector(tmp_path: Path) -> None:
    path = write_gwosc_file(tmp_path / "a.hdf5", "L1", GPS, noise(4), 256)
    assert describe(path, "hdf5", dataset="strain/Strain").detector == "L1"


def test_the_name_of_a_frame_file_tells_its_detector(tmp_path: Path) -> None:
    path = write_frame(tmp_path / "V-V1_X-1-4.gwf", {"Strain": noise(4)}, 256)
    assert describe(path).detector == "V1"
    assert describe(path.rename(tmp_path / "V-H1_X-1-4.gwf")).detector is None


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (512, r"256 Hz is lower than the analysis' 512 Hz. Lower conditioning.sample_rate"),
        (100, r"256 Hz is no multiple of the analysis' 100 Hz"),
    ],
)
def test_rates_that_cannot_be_reached(tmp_path: Path, rate: int, message: str) -> None:
    file = receipt(write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, noise(4), 256))
    with pytest.raises(StrainError, match=rf"a\.hdf5: sample rate {message}"):
        read_strain([file], "H1", GPS, GPS + 4, rate)


def test_a_file_that_is_not_what_its_receipt_says(tmp_path: Path) -> None:
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, noise(8), 256)
    file = receipt(path)
    write_gwosc_file(path, "H1", GPS + 4, noise(8), 256)
    with pytest.raises(StrainError, match=rf"gps_start is {GPS + 4} s GPS, expected {GPS}"):
        read_strain([file], "H1", GPS, GPS + 4, 256)


def test_a_missing_or_ambiguous_data_set_lists_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "two.h5"
    write_plain(path, noise(4), "one/a", t0=GPS, sample_rate=256)
    write_plain(path, noise(4), "one/b", t0=GPS, sample_rate=256)
    with pytest.raises(StrainError, match=r"no data set 'c' .*\['one/a', 'one/b'\]"):
        describe(path, dataset="c")
    with pytest.raises(StrainError, match=r"holds 2 data sets .*\['one/a', 'one/b'\]"):
        describe(path)


@pytest.mark.parametrize("name", ["Strain", "H1:strain_x", "H1:OMC-DCPD_SUM"])
def test_the_only_channel_needs_no_name(tmp_path: Path, name: str) -> None:
    path = write_frame(tmp_path / "one.gwf", {name: noise(4)}, 256)
    assert describe(path).dataset_or_channel == name


def test_a_missing_or_ambiguous_channel_lists_those_there_are(tmp_path: Path) -> None:
    path = write_frame(
        tmp_path / "two.gwf", {"H1:A_STRAIN": noise(4), "H1:B_STRAIN": noise(4)}, 256
    )
    with pytest.raises(StrainError, match=r"no channel 'H1:C'.*'H1:A_STRAIN', 'H1:B_STRAIN'"):
        describe(path, channel="H1:C")
    with pytest.raises(StrainError, match=r"2 channels are named STRAIN.*'H1:B_STRAIN'"):
        describe(path)
    assert describe(path, channel="H1:B_STRAIN").dataset_or_channel == "H1:B_STRAIN"


def test_frames_that_start_between_seconds(tmp_path: Path) -> None:
    path = write_frame(tmp_path / "a.gwf", {"H1:STRAIN": noise(4)}, 256, GPS + 0.5)
    with pytest.raises(StrainError, match=rf"a\.gwf: GPS start is {GPS}\.5"):
        describe(path)


@pytest.mark.parametrize("start", [-64, 2**31, 3e9, 1e15])
def test_times_that_are_no_gps_times(tmp_path: Path, start: float) -> None:
    path = write_plain(tmp_path / "a.h5", noise(4), t0=start, sample_rate=256)
    with pytest.raises(
        StrainError, match=rf"a\.h5:/data: t0 is {int(start)}, expected a GPS time"
    ):
        describe(path)


def test_early_gps_times_are_times(tmp_path: Path) -> None:
    for start in (0, 100):
        path = write_frame(tmp_path / f"{start}.gwf", {"H1:STRAIN": noise(4)}, 256, start)
        strain = read_strain([receipt(path)], "H1", start, start + 4, 256)
        assert strain.covered.all()


@pytest.mark.parametrize("rate", [np.nan, np.inf, 0, -1])
def test_a_rate_that_is_none(tmp_path: Path, rate: float) -> None:
    path = write_plain(tmp_path / "a.h5", noise(4), t0=GPS, sample_rate=rate)
    with pytest.raises(StrainError, match=r"a\.h5:/data: sample_rate is .*, expected more than"):
        describe(path)


@pytest.mark.parametrize("layout", ["gwosc", "gwf"])
def test_another_layout_than_asked_for(tmp_path: Path, layout: str) -> None:
    path = write_plain(tmp_path / "a.h5", noise(4), t0=GPS, sample_rate=256)
    with pytest.raises(StrainError, match=rf"a\.h5: expected the layout '{layout}', found 'hdf5'"):
        describe(path, layout=layout)  # type: ignore[arg-type]


def test_a_plain_file_of_less_than_a_second(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "a.h5", noise(1)[:100], t0=GPS, sample_rate=256)
    with pytest.raises(StrainError, match=r"100 samples at 256 Hz are less than 1 s"):
        describe(path)


# --- real files


def test_hdf5_and_frames_of_gw150914_are_equal(real_data: Path) -> None:
    for detector in ("H1", "L1"):
        name = f"{detector[0]}-{detector}_LOSC_4_V2-1126259446-32"
        strains = [
            read_strain(
                [receipt(real_data / "strain" / f"{name}.{kind}", detector)],
                detector, 1126259440, 1126259480, 4096,
            )
            for kind in ("hdf5", "gwf")
        ]  # fmt: skip
        assert np.array_equal(strains[0].values, strains[1].values, equal_nan=True)
        assert strains[0].covered.sum() == 32
        for strain in strains:
            assert np.array_equal(strain.science, strain.covered)


def test_16_khz_decimates_to_the_4_khz_release(real_data: Path) -> None:
    """GWOSC's own filter has zero delay and ripples between 0 and -1.2 % below 1650 Hz."""
    for detector in ("H1", "L1"):
        release, ours = (
            read_strain(
                [receipt(real_data / "strain" / f"{detector[0]}-{name}.hdf5", detector)],
                detector, 1126259447, 1126259478, 4096,
            ).values[4096:-4096]
            for name in (
                f"{detector}_LOSC_4_V2-1126259446-32", f"{detector}_GWOSC_16KHZ_R1-1126259447-32",
            )
        )  # fmt: skip
        frequency, cross = csd(release, ours, 4096, nperseg=4096)
        _, power = welch(release, 4096, nperseg=4096)
        band = (frequency >= 20) & (frequency <= 1600)
        transfer = cross[band] / power[band]
        assert abs(transfer).min() > 0.998
        assert abs(transfer).max() < 1.013
        assert abs(np.angle(transfer)).max() < 5e-3
        delay = np.median(-np.angle(transfer) / (2 * np.pi * frequency[band]))
        assert abs(delay) < 1e-9


def test_the_longer_repackaged_span_equals_the_release(real_data: Path) -> None:
    path = real_data / "strain" / "DERIVED_GW150914_H1L1_64s_4096Hz_1126259430.hdf5"
    for detector in ("H1", "L1"):
        long = read_strain(
            [receipt(path, detector, detector)], detector, 1126259430, 1126259494, 4096
        )
        assert long.covered.all()
        assert np.isfinite(long.values).all()
        release = real_data / "strain" / f"{detector[0]}-{detector}_LOSC_4_V2-1126259446-32.hdf5"
        short = read_strain([receipt(release, detector)], detector, 1126259446, 1126259478, 4096)
        assert np.abs(long.values[16 * 4096 : 48 * 4096] - short.values).max() < 1e-28


def test_an_older_mask_without_its_last_bit_is_still_data(real_data: Path) -> None:
    path = real_data / "strain" / "L-L1_LOSC_4_V1-1128678884-32.hdf5"
    with h5py.File(path) as file:
        assert file["quality/simple/DQmask"][14] == 63
    strain = read_strain([receipt(path, "L1")], "L1", 1128678884, 1128678916, 4096)
    assert strain.science.all()
    assert np.isfinite(strain.values).all()


def test_pycbc_noise_needs_a_lower_rate(real_data: Path) -> None:
    file = receipt(real_data / "strain" / "O3a_real_noise_500s_2048Hz_1238205077.hdf")
    with pytest.raises(StrainError, match=r"2048 Hz is lower than the analysis' 4096 Hz"):
        read_strain([file], "H1", 1238205077, 1238205100, 4096)
    strain = read_strain([file], "H1", 1238205077, 1238205577, 2048)
    assert np.isfinite(strain.values).all()
    loudest = strain.gps_start + np.abs(strain.values).argmax() / 2048
    assert 1238205077 < loudest < 1238205577
    assert 1e-21 < strain.values.std() < 1e-20


# -- injections -----------------------------------------------------------------------------


def test_a_second_is_told_by_the_file_that_serves_it(tmp_path: Path) -> None:
    masks = [np.full(64, 0b11111), np.full(64, 0b11110)]
    files = [
        receipt(
            write_gwosc_file(tmp_path / f"{i}.hdf5", "H1", start, noise(64), 256, injmask=mask),
            rank=i,
        )
        for i, (start, mask) in enumerate(zip((GPS, GPS + 32), masks, strict=True))
    ]
    found = read_injections(files, "H1", GPS - 8, GPS + 100)
    expected = [-1] * 8 + [0b11111] * 64 + [0b11110] * 32 + [-1] * 4
    assert found.tolist() == expected


def test_files_without_a_mask_tell_nothing(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "H-H1_x.hdf5", noise(16), start_time=GPS, delta_t=1 / 256)
    assert read_injections([receipt(path)], "H1", GPS, GPS + 16).tolist() == [-1] * 16


def test_a_frame_s_own_mask_is_read(tmp_path: Path) -> None:
    mask = np.array([31, 31, 30, 31], dtype=np.int64)
    channels = {"H1:LOSC-STRAIN": noise(4), "H1:LOSC-INJMASK": mask.astype(np.int32)}
    path = write_frame(tmp_path / "a.gwf", channels, 256)
    assert read_injections([receipt(path)], "H1", GPS, GPS + 4).tolist() == mask.tolist()


def test_a_mask_of_another_length_is_an_error(tmp_path: Path) -> None:
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", GPS, noise(16), 256)
    with h5py.File(path, "a") as file:
        del file["quality/injections/Injmask"]
        file["quality/injections/Injmask"] = np.full(9, 31)
    with pytest.raises(StrainError, match="Injmask holds 9 values, expected one for each of 16 s"):
        describe(path)


def test_another_detector_s_file_is_refused(tmp_path: Path) -> None:
    path = write_gwosc_file(tmp_path / "a.hdf5", "L1", GPS, noise(16), 256)
    with pytest.raises(StrainError, match="is of L1, expected H1"):
        read_injections([receipt(path, "L1")], "H1", GPS, GPS + 16)
