"""`gwmorph show` on any file: what is drawn, what is marked, what is refused."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from gwpy.timeseries import TimeSeries
from igwn_segments import segment
from matplotlib import colormaps
from PIL import Image

from closeness import near
from gwmorph.block import RenderParameters
from gwmorph.cli import main
from gwmorph.config import Config
from gwmorph.report.moment import Moment, _outline, draw_moment, whole_seconds
from gwmorph.report.palette import saved_figure
from gwosc_files import write_gwosc_file

START, RATE = 1262304000, 4096


_CONFIG = Config()
PARAMETERS = RenderParameters.from_sections(
    32,
    _CONFIG.conditioning.model_dump(),
    _CONFIG.qtransform.model_dump(),
    _CONFIG.picture.model_dump(),
)


def brightest(path):
    """Return where the largest energies are drawn, as shares of the axes: from top, from left."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    # White is outside of the axes; beside them stands the colour bar.
    inked = pixels.min(axis=2) < 250
    rows = np.flatnonzero(inked.mean(axis=1) > 0.5)
    columns = np.flatnonzero(inked.mean(axis=0) > 0.5)
    columns = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)[0]
    brightest = np.multiply(255, colormaps[PARAMETERS.colormap](1.0)[:3])
    found = (np.abs(pixels - brightest) < 8).all(axis=2)[:, : columns[-1] + 1]
    row, column = np.argwhere(found).mean(axis=0)
    return (row - rows[0]) / np.ptp(rows), (column - columns[0]) / np.ptp(columns)


@pytest.fixture
def file(tmp_path):
    values = 1e-21 * np.random.default_rng(1).standard_normal(48 * RATE)
    t = np.arange(-RATE // 4, RATE // 4) / RATE
    values[20 * RATE + t.size :][: t.size] += (
        8e-21 * np.exp(-((t / 0.02) ** 2)) * np.sin(2 * np.pi * 200 * t)
    )
    return write_gwosc_file(tmp_path / "H-H1_X-1262304000-48.hdf5", "H1", START, values, RATE)


def test_show_draws_and_names_the_loudest_tile(file, tmp_path, capsys):
    out = tmp_path / "a.png"
    assert main(["show", str(file), "--gps", str(START + 24), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    time = float(said.split("loudest tile at GPS ")[1].split(",")[0])
    assert time == pytest.approx(START + 20.75, abs=0.02)
    assert Image.open(out).size[0] > 1000


@pytest.mark.parametrize("gps", [0.0, 1.5, 30.2, 47.9])
def test_any_moment_of_the_file_can_be_shown(file, tmp_path, gps):
    out = tmp_path / "a.png"
    assert main(["show", str(file), "--gps", str(START + gps), "--out", str(out)]) == 0
    assert out.is_file()


def test_missing_context_is_marked(file, tmp_path):
    marked, whole = tmp_path / "a.png", tmp_path / "b.png"
    for out, gps, seconds in ((marked, 2, 16), (whole, 24, 16)):
        arguments = ["show", str(file), "--gps", str(START + gps), "--seconds", str(seconds)]
        assert main([*arguments, "--out", str(out)]) == 0

    def blank_edge(path):  # hatching on white at the left of the axes
        pixels = np.asarray(Image.open(path).convert("L")).astype(int)
        strip = pixels[200:600, 120:180]
        return (strip > 210).mean()

    assert blank_edge(marked) > 0.5 > blank_edge(whole)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gps", "5"], "holds GPS 1262304000 to 1262304048, not 5"),
        (["--gps", "nan"], "holds GPS 1262304000 to 1262304048, not nan"),
        (["--gps", "5", "--seconds", "509"], "--seconds: expected 0.1 to 508, got 509"),
        (["--gps", "5", "--seconds", "0"], "--seconds: expected 0.1 to 508, got 0"),
        (["--gps", "5", "--out", "a.gif"], "expected a name that ends in .png or .pdf or .svg"),
        (["--gps", "5", "--out", "a"], "expected a name that ends in .png or .pdf or .svg"),
        (["--gps", str(START + 5), "--configfile", "none.yaml"], "none.yaml: cannot be read"),
        (["--gps", str(START + 5), "--detector", "L1"], "holds strain of H1, not of L1"),
    ],
)
def test_errors_are_one_message_and_exit_status_1(file, arguments, message, capsys):
    assert main(["show", str(file), *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_surroundings_that_are_none_of_its_business_do_not_stop_it(file, tmp_path):
    """A notebook's backend, a home that cannot be written, a locale that is not UTF-8."""
    surroundings = {
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "HOME": "/dev/null/home",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    out = tmp_path / "é.png"
    call = [sys.executable, "-m", "gwmorph.cli", "show", str(file), "--gps", str(START + 24)]
    done = subprocess.run(
        [*call, "--out", str(out)],
        env={**os.environ, **surroundings},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert out.is_file()


def test_missing_file_is_named(tmp_path, capsys):
    assert main(["show", str(tmp_path / "none.hdf5"), "--gps", "5"]) == 1
    assert "none.hdf5" in capsys.readouterr().err


def test_a_folder_is_named_as_one(tmp_path, capsys):
    assert main(["show", str(tmp_path), "--gps", "5"]) == 1
    assert f"{tmp_path}: is a folder" in capsys.readouterr().err


def test_unusable_strain_is_refused_with_its_reason(tmp_path, capsys):
    values = np.full(48 * RATE, np.nan)
    path = write_gwosc_file(
        tmp_path / "a.hdf5", "H1", START, values, RATE, dqmask=np.ones(48, int)
    )
    assert main(["show", str(path), "--gps", str(START + 5)]) == 1
    error = capsys.readouterr().err
    assert f"{path}: strain at GPS {START + 5} cannot be used: nan" in error


def test_a_frame_s_only_channel_and_its_file_s_name_are_enough(tmp_path, capsys):
    values = 1e-21 * np.random.default_rng(1).standard_normal(32 * RATE)
    path = tmp_path / f"L-L1_X-{START}-32.gwf"
    series = TimeSeries(values, t0=START, sample_rate=RATE, name="Strain", channel="Strain")
    series.write(path, format="gwf", backend="lalframe")
    out = tmp_path / "a.png"
    assert main(["show", str(path), "--gps", str(START + 16), "--out", str(out)]) == 0
    assert f"{out}: L1 GPS" in capsys.readouterr().out
    assert main(["show", str(path), "--gps", "1", "--channel", "none"]) == 1
    assert "Name one: source.directory.channel, or --channel of" in capsys.readouterr().err


def test_strain_so_loud_that_rounding_drowns_the_noise_is_refused(tmp_path, capsys):
    values = 1e-21 * np.random.default_rng(1).standard_normal(48 * RATE)
    values[20 * RATE : 20 * RATE + 99] += 1e-3 * np.sin(np.arange(99))
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", START, values, RATE)
    out = tmp_path / "a.png"
    assert main(["show", str(path), "--gps", str(START + 30), "--out", str(out)]) == 1
    assert "so loud in or beside the window that rounding drowns" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("seconds", ["-4", "1e2", "nan", "inf", "0x1", "1,5"])
def test_what_is_no_length_is_refused(file, seconds, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["show", str(file), "--gps", str(START + 5), f"--seconds={seconds}"])
    error = capsys.readouterr().err
    assert f"--seconds: expected seconds, as in 32 or 0.5, got '{seconds}'" in error


@pytest.mark.parametrize("seconds", [0.5, 1.5])
def test_parts_of_a_second_can_be_shown(file, tmp_path, seconds, capsys):
    out, gps = tmp_path / "a.png", START + 20.8
    call = ["show", str(file), "--gps", str(gps), "--seconds", str(seconds), "--out", str(out)]
    assert main(call) == 0
    said = capsys.readouterr().out
    assert f"of this, {seconds:g} s around GPS {gps:.12g} are drawn" in said
    time = float(said.split("loudest tile at GPS ")[1].split(",")[0])
    assert time == pytest.approx(START + 20.75, abs=0.02)
    # The burst, the only thing in there, is drawn to scale: 0.05 s left of the middle.
    assert brightest(out)[1] == pytest.approx(0.5 - 0.05 / seconds, abs=0.03)


def test_columns_do_not_thin_out_in_a_short_window():
    assert whole_seconds(PARAMETERS, 8.0) == PARAMETERS.cut_to(8)
    short = whole_seconds(PARAMETERS, 0.5)
    assert (short.window_s, short.width) == (2, 4 * PARAMETERS.width)


def test_a_window_cut_short_says_so_and_why(file, tmp_path, capsys):
    call = ["show", str(file), "--gps", str(START + 24), "--out", str(tmp_path / "a.png")]
    assert main([*call, "--seconds", "100"]) == 0
    said = capsys.readouterr().out
    assert f"only 44 s of 100 s are drawn: sound strain reaches from GPS {START} to" in said
    assert main([*call, "--seconds", "44"]) == 0
    said = capsys.readouterr().out
    assert "only" not in said
    assert "are drawn" not in said


def test_a_pdf_is_a_pdf(file, tmp_path):
    contents = []
    for name in ("a.pdf", "b.pdf"):
        path = tmp_path / name
        assert main(["show", str(file), "--gps", str(START + 24), "--out", str(path)]) == 0
        contents.append(path.read_bytes())
    assert contents[0].startswith(b"%PDF")
    assert contents[0] == contents[1]


@pytest.mark.parametrize("command", ["show", "triggers"])
def test_a_detector_is_written_as_the_field_writes_it(command, tmp_path, capsys):
    rest = {"show": ["--gps", "5"], "triggers": ["--out", str(tmp_path / "a.h5")]}[command]
    with pytest.raises(SystemExit, match="2"):
        main([command, str(tmp_path / "a"), *rest, "--detector", "h1"])
    error = capsys.readouterr().err
    assert "--detector: expected one of H1, L1, V1, K1, G1, got 'h1'" in error


def test_a_name_that_is_too_long_is_one_message(capsys):
    assert main(["summary", 300 * "x"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("gwmorph: error: ")
    assert "File name too long" in error


@pytest.mark.parametrize(
    "name",
    [
        "H-H1_LOSC_4_V2-1126259446-32.hdf5",
        "L-L1_LOSC_4_V2-1126259446-32.gwf",
        "H-H1_GWOSC_16KHZ_R1-1126259447-32.hdf5",
    ],
)
def test_gw150914_is_found_in_real_files_of_every_layout(real_data, tmp_path, capsys, name):
    out = tmp_path / "a.png"
    path = real_data / "strain" / name
    assert main(["show", str(path), "--gps", "1126259462.4", "--out", str(out)]) == 0
    time = float(capsys.readouterr().out.split("loudest tile at GPS ")[1].split(",")[0])
    assert time == pytest.approx(1126259462.42, abs=0.011)


# -- candidates -----------------------------------------------------------------------------


def shown(path, gps: float, tmp_path, capsys) -> dict[str, str]:
    """What the command says was found, by part."""
    assert main(["show", str(path), "--gps", str(gps), "--out", str(tmp_path / "a.png")]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    return {line.split()[1]: line for line in lines if line.startswith("found_by")}


def moment_in(line: str) -> float:
    return float(line.split(" at GPS ")[1].split(",", maxsplit=1)[0])


def test_show_names_and_frames_what_has_no_loud_tile(tmp_path, capsys):
    values = 1e-21 * np.random.default_rng(4).standard_normal(48 * RATE)
    quiet = write_gwosc_file(tmp_path / "q.hdf5", "H1", START, values, RATE)
    out = tmp_path / "q.png"
    assert main(["show", str(quiet), "--gps", str(START + 24), "--out", str(out)]) == 0
    assert "found_by chirp" not in capsys.readouterr().out
    t = np.arange(48 * RATE) / RATE - 24
    left = np.maximum(-t, 1e-6)
    frequency = 25 * (left / 1.2) ** (-3 / 8)
    chirp = np.cos(-2 * np.pi * 8 / 5 * frequency * left) * frequency ** (2 / 3)
    chirp[(frequency < 22) | (frequency > 110) | (t > 0)] = 0
    values += 1e-21 * 16 * chirp / np.sqrt(np.sum(chirp**2))
    path = write_gwosc_file(tmp_path / "c.hdf5", "H1", START, values, RATE)
    line = shown(path, START + 24, tmp_path, capsys)["chirp"]
    assert moment_in(line) == pytest.approx(START + 24, abs=0.1)
    mass = float(line.split("chirp mass ")[1].split(",")[0])
    assert mass == near(15.6, rel=0.3)
    assert "log-likelihood ratio" in line
    framed, plain = (np.asarray(Image.open(p).convert("RGB")) for p in (tmp_path / "a.png", out))
    white = [np.all(picture[150:600, 200:900] > 250, axis=-1).sum() for picture in (framed, plain)]
    assert white[0] > white[1] + 40


@pytest.mark.parametrize(
    "name", ["H-H1_LOSC_4_V2-1126259446-32.hdf5", "L-L1_LOSC_4_V2-1126259446-32.hdf5"]
)
def test_the_chirp_of_gw150914_is_shown(real_data, tmp_path, capsys, name):
    found = shown(real_data / "strain" / name, 1126259462.4, tmp_path, capsys)
    assert found.keys() == {"excess", "track", "chirp"}
    for line in found.values():
        assert moment_in(line) == pytest.approx(1126259462.42, abs=0.1)
        assert "line" not in line.replace("log-likelihood", "").split(": ")[1]


@pytest.mark.parametrize("name", ["H-H1", "L-L1"])
def test_lvt151012_is_a_chirp_and_lines_are_told_from_it(real_data, tmp_path, capsys, name):
    """It merged at GPS 1128678900.44 and has no tile above SNR 6.2 in either file."""
    path = real_data / "strain" / f"{name}_LOSC_4_V2-1128678884-32.hdf5"
    found = shown(path, 1128678900.4, tmp_path, capsys)
    assert moment_in(found["chirp"]) == pytest.approx(1128678900.44, abs=0.5)
    assert "along a line" not in found["chirp"]
    if name == "H-H1":
        assert found["excess"].endswith("along a line")
        assert found["track"].endswith("along a line")


def test_frames_and_names_of_candidates_are_seen_on_the_brightest_picture(tmp_path):
    found = SimpleNamespace(tstart=2.0, tend=8.0, fstart=30.0, fend=60.0)
    candidate = SimpleNamespace(trigger=found, found_by="track")
    with saved_figure(tmp_path / "f.png", 4, 2) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 10), ylim=(0, 100))
        axes.axis("off")
        _outline(axes, candidate, 0.0)
    with Image.open(tmp_path / "f.png") as image:
        dark = np.asarray(image.convert("L")) < 128
    # 600 pixels are 10 s, 300 are 100 Hz, from below.
    assert dark[205:215, 130:470].any(axis=0).mean() > 0.9  # the frame's lower edge
    assert dark[100:119, 122:140].mean() > 0.3  # the ground of its name


def test_high_frequencies_are_drawn_above_and_late_times_to_the_right(tmp_path):
    indices = np.zeros((100, 200), np.uint8)
    indices[10:20, 140:160] = 255  # a tenth below the top, three quarters along
    span = segment(START, START + 32)
    moment = Moment(
        detector="H1", gps_start=START, window_s=32, indices=indices, held=span, sound=span,
        f_low=20.0, f_top=1291.0, tile_time=START + 24.0, tile_frequency=800.0, tile_q=10.0,
        tile_energy=50.0, tile_snr=9.0, candidates=[],
    )  # fmt: skip
    draw_moment(moment, START + 16.0, 32, PARAMETERS.picture_scale, tmp_path / "a.png")
    row, column = brightest(tmp_path / "a.png")
    assert row == pytest.approx(0.15, abs=0.02)
    assert column == pytest.approx(0.75, abs=0.02)
