"""A block from files to pictures: what is drawn, what is excluded, and why."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from igwn_segments import segment, segmentlist
from PIL import Image

from closeness import near
from gwmorph.block import (
    EventParameters,
    RenderParameters,
    Stretch,
    draw_block,
    draw_stretch,
)
from gwmorph.errors import StrainError
from gwmorph.evidence.events import admit
from gwmorph.naming import event_name
from gwmorph.segments import grid_windows
from gwmorph.spectra.albums import FolderAlbum, HeldAlbum
from gwmorph.spectra.conditioning import median_psd, whiten, whitening_filter
from gwmorph.spectra.pictures import crops, read_picture
from gwmorph.spectra.triggers import merge_triggers
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.files import describe
from gwmorph.tables.scores import SCORES
from gwosc_files import ALL_DQ, write_gwosc_file

RATE = 2048
BLOCK = 4096 * 300000
START, SECONDS = BLOCK + 1024, 512
PARAMETERS = RenderParameters(
    window_s=32, sample_rate=RATE, psd_segment_s=4, low_hz=20.0, high_hz=1700.0,
    q_low=4.0, q_high=64.0, f_low=20.0, f_high=2048.0, mismatch=0.2,
    height=56, width=56, plane="max", energy_max=25.5, scale="linear", colormap="cividis",
)  # fmt: skip
# Triggers alone, and what white noise hardly ever reaches besides.
NEVER = dict.fromkeys(("tile_snr", "excess", "track", "chirp"), np.inf)
CANDIDATES = {"tile_snr": 6.2, "excess": 5.0, "track": 17.0, "chirp": 13.0}
EVENTS = EventParameters(7.5, 5.5, gap_s=0.1, max_per_window=3, candidates=NEVER)


def strain(seed: int = 1) -> np.ndarray:
    return 1e-21 * np.random.default_rng(seed).standard_normal(SECONDS * RATE)


def receipt(path: Path, detector: str = "H1", dataset: str | None = None) -> LocalFile:
    found = describe(path, "auto", dataset=dataset)
    file = StrainFile(detector, found.gps_start, found.duration, found.sample_rate, str(path))
    return LocalFile.receipt(file, path, found.layout, dataset)


def analyse(
    tmp_path,
    values,
    *,
    dqmask=None,
    segments=None,
    context_s=4,
    name="a",
    start=START,
    events=EVENTS,
):
    path = write_gwosc_file(tmp_path / f"{name}.hdf5", "H1", start, values, RATE, dqmask=dqmask)
    segments = segments or segmentlist([segment(START, START + SECONDS)])
    windows = grid_windows(segments, 32, 32)
    folder = tmp_path / f"pictures-{name}"
    return draw_block(
        [receipt(path)], "H1", BLOCK, windows, segments, context_s, PARAMETERS, events,
        FolderAlbum.made(folder, tmp_path / f"events-{name}"),
    ), folder  # fmt: skip


def reasons(result) -> dict[int, str | None]:
    return {row["gps_start"] - START: row["reason"] for row in result.ledger}


def touched(first: float, last: float, context_s: int = 4) -> set[int]:
    """Windows, by brute force, whose span with context holds a part of ``[first, last)``."""
    return {
        t for t in range(0, SECONDS, 32) if t - context_s < last and t + 32 + context_s > first
    }


EDGES = {0, SECONDS - 32}  # no context inside the segment


def test_every_window_has_one_ledger_row_and_every_analysed_one_a_picture(tmp_path):
    result, folder = analyse(tmp_path, strain())
    starts = [row["gps_start"] for row in result.ledger]
    assert starts == list(range(START, START + SECONDS, 32))
    analysed = [row["gps_start"] for row in result.ledger if row["status"] == "analysed"]
    assert {t for t, reason in reasons(result).items() if reason == "context"} == EDGES
    assert [row["gps_start"] for row in result.measurements] == analysed
    assert {p.name for p in folder.iterdir()} == {
        f"H1-GWMORPH_WINDOW-{t}-32.png" for t in analysed
    }
    indices, scale = read_picture(next(folder.iterdir()))
    assert indices.shape == (56, 56)
    assert scale == PARAMETERS.picture_scale


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [(100.25, 100.2505, "nan"), (163.9, 164.1, "nan"), (200, 260, "nan"), (323.5, 324.5, "zeros")],
)
def test_bad_samples_exclude_exactly_the_windows_they_touch(tmp_path, first, last, reason):
    values = strain()
    values[int(first * RATE) : int(last * RATE) + 1] = np.nan if reason == "nan" else 0.0
    found = reasons(analyse(tmp_path, values)[0])
    assert {t for t, r in found.items() if r == reason} == touched(first, last) - EDGES
    assert {t for t, r in found.items() if r is None} == (
        set(found) - touched(first, last) - EDGES
    )


def test_dq_drops_exclude_exactly_the_windows_they_touch(tmp_path):
    dqmask = np.full(SECONDS, ALL_DQ)
    dqmask[260:262] = ALL_DQ - 1
    found = reasons(analyse(tmp_path, strain(), dqmask=dqmask)[0])
    assert {t for t, r in found.items() if r == "dq"} == touched(260, 262)


def test_seconds_without_a_file_are_gaps(tmp_path):
    values = strain()[: 300 * RATE]
    found = reasons(analyse(tmp_path, values)[0])
    assert {t for t, r in found.items() if r == "gap"} == touched(300, SECONDS) - EDGES


def test_a_hole_in_the_segments_costs_context_on_both_sides(tmp_path):
    segments = segmentlist(
        [segment(START, START + 256), segment(START + 256 + 32, START + SECONDS)]
    )
    found = reasons(analyse(tmp_path, strain(), segments=segments)[0])
    assert 256 not in found
    assert found[256 - 32] == found[256 + 32] == "context"


def test_pixels_do_not_change_when_the_context_grows(tmp_path):
    values = strain(2)
    values[200 * RATE : 200 * RATE + 20] += 4e-20
    _, near = analyse(tmp_path, values, context_s=4, name="near")
    _, far = analyse(tmp_path, values, context_s=24, name="far")
    shared = sorted(p.name for p in far.iterdir())
    assert 10 < len(shared) <= len(list(near.iterdir()))
    for name in shared:
        np.testing.assert_array_equal(read_picture(near / name)[0], read_picture(far / name)[0])


def test_equal_input_gives_equal_bytes(tmp_path):
    a, folder_a = analyse(tmp_path, planted(strain(3), 208.0), name="a")
    b, folder_b = analyse(tmp_path, planted(strain(3), 208.0), name="b")
    assert a == b
    events = tmp_path / "events-a", tmp_path / "events-b"
    for one, other in ((folder_a, folder_b), events):
        assert list(one.iterdir()) != []
        for path in one.iterdir():
            assert path.read_bytes() == (other / path.name).read_bytes()


def test_a_planted_burst_is_the_loudest_tile(tmp_path):
    values = strain(4)
    t = np.arange(-0.5, 0.5, 1 / RATE)
    values[200 * RATE - RATE // 2 :][: len(t)] += (
        8e-21 * np.exp(-((t / 0.01) ** 2)) * np.sin(2 * np.pi * 160 * t)
    )
    rows = {row["gps_start"] - START: row for row in analyse(tmp_path, values)[0].measurements}
    loudest = max(rows.values(), key=lambda row: row["tile_energy"])
    assert loudest is rows[192]
    assert loudest["tile_time"] == pytest.approx(START + 200, abs=0.01)
    assert 130 < loudest["tile_frequency"] < 190
    assert loudest["tile_snr"] > 10 > rows[96]["tile_snr"]


def test_wholly_nan_and_wholly_zero_strain_leaves_a_full_ledger(tmp_path):
    for value, reason in ((np.nan, "nan"), (0.0, "zeros")):
        dqmask = np.full(SECONDS, ALL_DQ)
        result, folder = analyse(
            tmp_path, np.full(SECONDS * RATE, value), dqmask=dqmask, name=reason
        )
        assert set(reasons(result).values()) == {"context", reason}
        assert result.measurements == []
        assert result.triggers.num_rows == 0
        assert list(folder.iterdir()) == []


def test_windows_without_noise_are_lost_alone(tmp_path):
    """Strain below what single precision can square: the spectrum of the others whitens it."""
    values = strain()
    values[188 * RATE : 330 * RATE] *= 1e-30
    result, folder = analyse(tmp_path, values)
    found = reasons(result)
    assert {t for t, reason in found.items() if reason == "flat"} == {224, 256}
    assert {t for t, reason in found.items() if reason is None} == set(found) - EDGES - {224, 256}
    for row in result.ledger:
        if row["reason"] == "flat":
            assert row["status"] == "excluded"
            assert "median tile energy 0" in row["detail"]
    drawn = {int(p.name.split("-")[2]) - START for p in folder.iterdir()}
    measured = {row["gps_start"] - START for row in result.measurements}
    assert drawn == measured == {t for t, reason in found.items() if reason is None}


def planted(values: np.ndarray, at: float, height: float = 2e-20) -> np.ndarray:
    """The strain with a blip of 160 Hz ``at`` seconds after its start; SNR 50 by default."""
    t = np.arange(len(values)) / RATE - at
    return values + height * np.exp(-((t / 0.005) ** 2)) * np.cos(2 * np.pi * 160 * t)


@pytest.mark.parametrize("offset_ms", [-50, -20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 50])
def test_a_transient_on_a_border_of_windows_is_one_trigger(tmp_path, offset_ms):
    at = 256 + offset_ms / 1000
    result, _ = analyse(tmp_path, planted(strain(5), at))
    (trigger,) = result.triggers.to_pylist()
    assert trigger["peak_time"] == pytest.approx(START + at, abs=0.005)
    assert trigger["time"] == pytest.approx(START + at, abs=0.005)
    assert 130 < trigger["peak_frequency"] < 190
    assert 40 < trigger["snr"] < 60
    if abs(offset_ms) > 2:
        assert trigger["gps_start"] - START == (224 if offset_ms < 0 else 256)


@pytest.mark.parametrize("offset_ms", [-50, -5, -1, 0, 1, 5, 50])
def test_a_transient_on_a_border_of_blocks_is_one_trigger(tmp_path, offset_ms):
    border = START + 256
    values = planted(strain(6), 256 + offset_ms / 1000)
    file = receipt(write_gwosc_file(tmp_path / "a.hdf5", "H1", START, values, RATE))
    segments = segmentlist([segment(START, START + SECONDS)])
    starts = grid_windows(segments, 32, 32)
    blocks = [[t for t in starts if t < border], [t for t in starts if t >= border]]
    parts = [
        draw_block(
            [file],
            "H1",
            BLOCK,
            windows,
            segments,
            4,
            PARAMETERS,
            EVENTS,
            FolderAlbum.made(tmp_path / f"pictures-{n}", tmp_path / f"events-{n}"),
        ).triggers
        for n, windows in enumerate(blocks)
    ]
    assert sum(part.num_rows for part in parts) in (1, 2)
    (trigger,) = merge_triggers(pa.concat_tables(parts), 32).to_pylist()
    assert trigger["peak_time"] == pytest.approx(border + offset_ms / 1000, abs=0.005)


def test_two_loud_transients_in_one_window_are_two_triggers(tmp_path):
    result, _ = analyse(tmp_path, planted(planted(strain(7), 200.0), 205.5, 1e-19))
    first, second = result.triggers.to_pylist()
    assert [first["peak_time"] - START, second["peak_time"] - START] == pytest.approx(
        [200.0, 205.5], abs=0.005
    )
    assert first["gps_start"] == second["gps_start"] == START + 192
    assert second["snr"] > 4 * first["snr"]
    assert second["energy"] == max(row["tile_energy"] for row in result.measurements)


def test_overlapping_windows_tell_of_a_trigger_once(tmp_path):
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", START, planted(strain(8), 205.0), RATE)
    segments = segmentlist([segment(START, START + SECONDS)])
    result = draw_block(
        [receipt(path)], "H1", BLOCK, grid_windows(segments, 32, 16), segments, 4, PARAMETERS,
        EVENTS, FolderAlbum.made(tmp_path / "p", tmp_path / "e"),
    )  # fmt: skip
    assert result.triggers.num_rows == 1
    assert names_of_views(result) == {path.name for path in (tmp_path / "e").iterdir()}


def test_a_saturated_glitch_is_one_trigger_and_loses_no_window(tmp_path):
    values = planted(strain(9), 208.3, 1e-15)
    result, _ = analyse(tmp_path, values)
    assert {t for t, reason in reasons(result).items() if reason} == EDGES
    (trigger,) = result.triggers.to_pylist()
    assert trigger["snr"] > 1e5
    assert trigger["peak_time"] == pytest.approx(START + 208.3, abs=0.005)


def names_of_views(result) -> set[str]:
    rows = result.triggers.to_pylist()
    return {event_name(row["detector"], row["peak_time"]) for row in rows if row["view"]}


def views_in(folder: Path) -> dict[str, np.ndarray]:
    return {path.name: read_picture(path)[0] for path in folder.iterdir()}


def test_the_loudest_triggers_of_a_window_get_a_view_each(tmp_path):
    values = strain(11)
    heights = [1, 5, 2, 4, 3]
    for number, height in enumerate(heights):
        values = planted(values, 196.0 + 5 * number, height * 2e-20)
    values = planted(values, 300.0)
    result, _ = analyse(tmp_path, values)
    rows = result.triggers.to_pylist()
    assert [row["view"] for row in rows] == [False, True, False, True, True, True]
    views = views_in(tmp_path / "events-a")
    assert set(views) == names_of_views(result)
    assert len(views) == 4
    for view in views.values():
        assert view.shape == (56, 56)
        for crop in crops(view):
            assert crop[:, 13:15].max() == 255


def test_quiet_windows_have_no_views(tmp_path):
    result, folder = analyse(tmp_path, strain(12))
    assert result.triggers.num_rows == 0
    assert list((tmp_path / "events-a").iterdir()) == []
    assert list(folder.iterdir()) != []


def test_a_view_shows_what_its_name_and_text_say(tmp_path):
    result, _ = analyse(tmp_path, planted(strain(13), 208.3))
    (row,) = result.triggers.to_pylist()
    (path,) = (tmp_path / "events-a").iterdir()
    assert path.name == event_name("H1", row["peak_time"])
    with Image.open(path) as image:
        about = json.loads(image.info["gwmorph"])
    assert about["trigger_time"] == row["peak_time"]
    assert about["detector"] == "H1"
    assert about["crops_s"] == [0.5, 1, 2, 4]
    assert about["render_id"] == PARAMETERS.render_id


@pytest.mark.parametrize("offset_ms", [-5, -1, 0, 1, 5])
def test_a_transient_on_a_border_has_one_view(tmp_path, offset_ms):
    result, _ = analyse(tmp_path, planted(strain(5), 256 + offset_ms / 1000))
    (view,) = (tmp_path / "events-a").iterdir()
    assert {view.name} == names_of_views(result)


@pytest.mark.parametrize("at", [0.001, 31.999])
def test_a_view_at_the_very_edge_of_a_segment_is_whole(tmp_path, at):
    """With 4 s of context its 4 s are all there: nothing beyond the segment is looked at."""
    segments = segmentlist([segment(START + 64 - 4, START + 96 + 4)])
    values = planted(strain(14), 64 + at)
    inside, _ = analyse(tmp_path, values, segments=segments, name="inside")
    (row,) = inside.triggers.to_pylist()
    assert (row["gps_start"], row["view"]) == (START + 64, True)
    outside = values.copy()
    outside[: 60 * RATE] = np.nan
    outside[100 * RATE :] = np.nan
    alone, _ = analyse(tmp_path, outside, segments=segments, name="alone")
    assert alone.triggers.equals(inside.triggers)
    (view,) = views_in(tmp_path / "events-inside").values()
    (same,) = views_in(tmp_path / "events-alone").values()
    np.testing.assert_array_equal(view, same)
    longest = crops(view)[3]
    assert longest[:, 13:15].max() == 255
    # No column repeats its neighbour: each shows time of its own.
    assert (np.diff(longest.astype(int), axis=1) != 0).any(axis=0).all()


def test_event_views_may_be_switched_off(tmp_path):
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", START, planted(strain(15), 208.0), RATE)
    segments = segmentlist([segment(START, START + SECONDS)])
    result = draw_block(
        [receipt(path)], "H1", BLOCK, [START + 192], segments, 4, PARAMETERS,
        replace(EVENTS, max_per_window=0), FolderAlbum.made(tmp_path / "p", tmp_path / "e"),
    )  # fmt: skip
    assert result.triggers["view"].to_pylist() == [False]
    assert list((tmp_path / "e").iterdir()) == []


def test_amplitude_is_strain(tmp_path):
    """A blip's root-sum-square is height·(width·√(π/8))^½."""
    height = 2e-20
    result, _ = analyse(tmp_path, planted(strain(10), 208.0, height))
    (trigger,) = result.triggers.to_pylist()
    h_rss = height * (0.005 * np.sqrt(np.pi / 8)) ** 0.5
    assert trigger["amplitude"] == near(h_rss, rel=0.2)


def test_context_shorter_than_guard_and_reach_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected at least 4"):
        analyse(tmp_path, strain(), context_s=3)


def test_damaged_file_fails_the_block(tmp_path):
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", START, strain(), RATE)
    file = receipt(path)
    path.write_bytes(path.read_bytes()[:100000])
    segments = segmentlist([segment(START, START + SECONDS)])
    with pytest.raises(StrainError, match=r"a\.hdf5"):
        draw_block(
            [file], "H1", BLOCK, [START], segments, 4, PARAMETERS, EVENTS,
            FolderAlbum.made(tmp_path / "p", tmp_path / "e"),
        )  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in fields(RenderParameters)])
def test_render_id_depends_on_every_parameter(name):
    value = getattr(PARAMETERS, name)
    other = {"plane": "loudest", "scale": "sqrt", "colormap": "gray"}.get(name) or 2 * value
    assert replace(PARAMETERS, **{name: other}).render_id != PARAMETERS.render_id
    assert replace(PARAMETERS, **{name: value}).render_id == PARAMETERS.render_id


@pytest.mark.parametrize(("detector", "delay"), [("H1", 0.0), ("L1", -0.007)])
def test_gw150914_is_the_loudest_tile_of_its_window(real_data, tmp_path, detector, delay):
    path = real_data / "strain" / "DERIVED_GW150914_H1L1_64s_4096Hz_1126259430.hdf5"
    parameters = RenderParameters(**{**PARAMETERS.__dict__, "sample_rate": 4096, "f_high": 1024.0})
    segments = segmentlist([segment(1126259430, 1126259494)])
    result = draw_block(
        [receipt(path, detector, detector)], detector, 1126256640, grid_windows(segments, 32, 32),
        segments, 4, parameters, EVENTS, FolderAlbum.made(tmp_path / "p", tmp_path / "e"),
    )  # fmt: skip
    (row,) = result.measurements
    assert row["gps_start"] == 1126259456
    assert row["tile_time"] == pytest.approx(1126259462.42 + delay, abs=0.01)
    assert 100 <= row["tile_frequency"] <= 200
    trigger = max(result.triggers.to_pylist(), key=lambda trigger: trigger["snr"])
    assert trigger["peak_time"] == row["tile_time"]
    assert trigger["energy"] == row["tile_energy"]
    assert trigger["time"] == pytest.approx(1126259462.42 + delay, abs=0.03)
    assert trigger["tstart"] < 1126259462.40 + delay  # the chirp begins before its peak
    assert trigger["fstart"] < 60
    assert trigger["fend"] > 200
    (picture,) = (tmp_path / "p").iterdir()
    indices, _ = read_picture(picture)
    column = np.flatnonzero(indices.max(axis=0) == 255)
    assert int((row["tile_time"] - 1126259456) * 56 / 32) in column
    view, _ = read_picture(tmp_path / "e" / event_name(detector, trigger["peak_time"]))
    half_second = crops(view)[0].astype(int)
    # The chirp rises: the later, the higher (row 0 is the top).
    bright = np.argwhere(half_second == 255)
    early, late = bright[bright[:, 1] < 13, 0], bright[bright[:, 1] >= 13, 0]
    assert len(early)
    assert early.mean() > late.mean() + 2


def test_quiet_noise_has_no_triggers_where_the_pass_band_begins_above_f_low(tmp_path):
    """Where a filter left nothing, rows hold rounding, and tiles of any SNR."""
    parameters = RenderParameters(**{**PARAMETERS.__dict__, "low_hz": 100.0})
    rate = parameters.sample_rate
    white = 1e-21 * np.random.default_rng(8).standard_normal(72 * rate)
    psd = median_psd(white, rate, 4)
    taps = whitening_filter(psd, rate, parameters.band)
    stretch = Stretch(START, whiten(white, taps, rate, START), [START + 20], psd)
    drawn = draw_stretch("H1", stretch, parameters, EVENTS, HeldAlbum())
    assert drawn.triggers == []
    assert drawn.measurements[0]["tile_snr"] < 7


def test_the_band_of_the_tiles_is_that_of_the_render_id():
    cut = RenderParameters(**{**PARAMETERS.__dict__, "low_hz": 100.0})
    same = RenderParameters(**{**PARAMETERS.__dict__, "low_hz": 100.0, "f_low": 100.0})
    assert cut == same
    assert cut.render_id == same.render_id


def test_slower_strain_is_looked_at_with_its_own_rate() -> None:
    assert PARAMETERS.up_to(RATE // 2).sample_rate == RATE // 2
    assert PARAMETERS.up_to(4 * RATE) == PARAMETERS


# -- candidates -----------------------------------------------------------------------------

LOOKING = replace(EVENTS, candidates=CANDIDATES)


def burst(values: np.ndarray, at: float, snr: float, last_s: float = 0.4) -> np.ndarray:
    """The strain with noise from 200 to 500 Hz around ``at``: no tile of it is loud."""
    t = np.arange(len(values)) / RATE
    spectrum = np.fft.rfft(np.random.default_rng(99).standard_normal(len(values)))
    frequency = np.fft.rfftfreq(len(values), 1 / RATE)
    spectrum[(frequency < 200) | (frequency > 500)] = 0
    signal = np.fft.irfft(spectrum) * (np.abs(t - at) < last_s / 2)
    return values + 1e-21 * snr * signal / np.sqrt(np.sum(signal**2))


def tone(values: np.ndarray, first: float, last: float, snr: float) -> np.ndarray:
    """The strain with a tone that climbs from 90 Hz by 5 Hz each second."""
    t = np.arange(len(values)) / RATE
    inside = (t > first) & (t < last)
    signal = np.where(inside, np.cos(2 * np.pi * (90 * t + 2.5 * (t - first) ** 2)), 0)
    return values + 1e-21 * snr * signal / np.sqrt(np.sum(signal**2))


def test_a_burst_without_a_loud_tile_is_a_candidate_and_has_a_view(tmp_path):
    result, _ = analyse(tmp_path, burst(strain(21), 200.0, 13), events=LOOKING)
    found = {row["found_by"]: row for row in result.triggers.to_pylist()}
    assert max(row["tile_snr"] for row in result.measurements) < EVENTS.snr
    box = found["excess"]
    assert box["gps_start"] == START + 192
    assert box["peak_time"] == pytest.approx(START + 200, abs=0.15)
    assert box["tstart"] < START + 200 < box["tend"]
    assert box["fstart"] < 300 < box["fend"]
    assert (box["significance"], box["chirp_mass"], box["view"]) == (None, None, True)
    assert 0 <= box["line_share"] < 0.5
    assert box["snr"] <= max(row["tile_snr"] for row in result.measurements)
    assert box["amplitude"] > 0
    assert names_of_views(result) == set(views_in(tmp_path / "events-a"))


def test_without_a_signal_there_is_no_candidate(tmp_path):
    result, _ = analyse(tmp_path, strain(21), events=LOOKING)
    assert [row["gps_start"] - START for row in result.triggers.to_pylist()] == []


def test_what_a_loud_tile_and_parts_found_is_the_tiles_alone(tmp_path):
    result, _ = analyse(tmp_path, planted(strain(13), 208.3), events=LOOKING)
    (row,) = result.triggers.to_pylist()
    assert (row["found_by"], row["line_share"], row["chirp_mass"]) == ("tile", None, None)
    measured = {row["gps_start"]: row for row in result.measurements}[row["gps_start"]]
    assert all(measured[part] > CANDIDATES[part] for part in ("excess", "track", "chirp"))


def test_a_windows_loudest_tile_may_be_a_candidate(tmp_path):
    values = planted(strain(13), 208.3, 2.7e-21)
    result, _ = analyse(tmp_path, values, events=LOOKING)
    found = {row["found_by"]: row for row in result.triggers.to_pylist()}
    assert CANDIDATES["tile_snr"] <= found["tile"]["snr"] < EVENTS.snr
    assert found["tile"]["peak_time"] == pytest.approx(START + 208.3, abs=0.02)
    assert analyse(tmp_path, values, name="b")[0].triggers.num_rows == 0


def test_a_track_over_a_border_is_one_event_of_the_run(tmp_path):
    result, _ = analyse(tmp_path, tone(strain(23), 252.0, 260.0, 26), events=LOOKING)
    claims = result.triggers.filter(pc.equal(result.triggers["found_by"], "track"))
    assert {start - START for start in claims["gps_start"].to_pylist()} == {224, 256}
    scores = [
        {field.name: 0 for field in SCORES}
        | {"detector": "H1", "gps_start": row["gps_start"], "score": 9.0, "limit": 2.0}
        | {"quiet": False, "surprise_track": 10.0 if row["gps_start"] >= START + 224 else 0.3}
        for row in result.measurements
    ]
    events, _ = admit(
        result.triggers, pa.Table.from_pylist(scores, schema=SCORES), 7.5, ["track"], 32
    )
    (event,) = events.to_pylist()
    assert START + 251 < event["peak_time"] < START + 261


def test_candidates_of_a_block_are_the_same_every_time(tmp_path):
    values = burst(tone(strain(24), 100.0, 110.0, 20), 200.0, 14)
    parts = [analyse(tmp_path, values, events=LOOKING, name=name)[0] for name in "ab"]
    assert parts[0].triggers.num_rows > 1
    assert parts[0].triggers.equals(parts[1].triggers)
    views = [views_in(tmp_path / f"events-{name}") for name in "ab"]
    assert views[0].keys() == views[1].keys()
    assert all(np.array_equal(views[0][name], views[1][name]) for name in views[0])


def test_no_view_means_none_of_candidates_either(tmp_path):
    never = replace(LOOKING, max_per_window=0)
    result, _ = analyse(tmp_path, burst(strain(21), 200.0, 14), events=never)
    assert result.triggers.num_rows > 0
    assert not any(result.triggers["view"].to_pylist())
    assert views_in(tmp_path / "events-a") == {}


@pytest.mark.parametrize(("detector", "delay"), [("H1", 0.0), ("L1", -0.007)])
def test_gw150914_is_the_loud_tiles_event_alone(real_data, tmp_path, detector, delay):
    path = real_data / "strain" / "DERIVED_GW150914_H1L1_64s_4096Hz_1126259430.hdf5"
    segments = segmentlist([segment(1126259430, 1126259494)])
    parameters = replace(PARAMETERS, sample_rate=4096)
    result = draw_block(
        [receipt(path, detector, detector)], detector, 1126256640, grid_windows(segments, 32, 32),
        segments, 4, parameters, LOOKING, FolderAlbum.made(tmp_path / "p", tmp_path / "e"),
    )  # fmt: skip
    (row,) = [row for row in result.triggers.to_pylist() if row["tend"] > 1126259462.3]
    assert row["found_by"] == "tile"
    assert row["peak_time"] == pytest.approx(1126259462.42 + delay, abs=0.01)


# --- strain so loud that rounding reaches its neighbours


@pytest.mark.parametrize(
    ("amplitude", "lost"),
    # The whitening's blocks lie on the windows here, and windows read 2 s of the next block.
    [(1e-17, set()), (1e-12, {256}), (1e-3, {224, 256, 288})],
)
def test_windows_whose_noise_is_lost_in_rounding_are_excluded(tmp_path, amplitude, lost):
    loud = strain()
    burst = slice((256 + 16) * RATE, (256 + 16) * RATE + RATE // 8)
    loud[burst] += amplitude * np.sin(2 * np.pi * 100 / RATE * np.arange(RATE // 8))
    around = segmentlist([segment(START + 188, START + 356)])
    (result, _), (quiet, _) = (
        analyse(tmp_path, values, name=name, segments=around)
        for name, values in (("a", loud), ("b", strain()))
    )
    assert {t for t, reason in reasons(result).items() if reason == "loud"} == lost
    details = [row["detail"] for row in result.ledger if row["reason"] == "loud"]
    assert all("times the noise's standard deviation, expected at most 0.05" in d for d in details)
    found = {row["gps_start"]: row["tile_snr"] for row in result.measurements}
    assert np.isfinite(list(found.values())).all()
    for row in quiet.measurements:
        start = row["gps_start"]
        assert (start in found) == (start - START not in lost)
        if start in found and start - START != 256:
            assert found[start] == near(row["tile_snr"], 0.02)
