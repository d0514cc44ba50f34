"""Real glitches from labelled strain: their views, triggers, and what they are taken for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from closeness import near
from gwmorph.errors import StrainError
from gwmorph.evidence.labelled import pictures_of
from gwmorph.evidence.real_strain import (
    morphology_of,
    real_strain_quality,
    real_strain_views,
    trigger_rows,
    with_view,
)
from gwmorph.simulation.population import load_population
from gwmorph.strain.labelled import LabelledStrain, read_labelled_strain
from gwmorph.tables.comparison import LABELLED, REAL_STRAIN

RATE = 2048
TIME = 7.25
SIZE = (32, 32)


def stretch(name="blip", snr=20.0, time=TIME, seconds=14, **changes):
    """White noise with a pulse of this SNR at ``time`` of the label, in units of 1e-21."""
    values = np.random.default_rng(3).standard_normal(seconds * RATE)
    t = np.arange(len(values)) / RATE - TIME
    pulse = np.exp(-0.5 * (t / 0.004) ** 2) * np.cos(2 * np.pi * 150 * t)
    values += snr * pulse / np.linalg.norm(pulse)
    whole = LabelledStrain(name, Path("g.hdf5"), "H1", "Blip", snr, RATE, time, values)
    return replace(whole, **changes)


def test_a_glitch_has_the_view_that_a_run_would_draw_of_it(parameters, events):
    row = real_strain_views([stretch()], parameters, events).to_pylist()[0]
    assert abs(row["trigger_time"] - TIME) < 0.01
    assert 0.8 < row["trigger_snr"] / 20 < 1.1
    assert abs(row["trigger_frequency"] - 150) < 30
    picture = np.frombuffer(row["picture"], np.uint8).reshape(SIZE)
    assert picture[:16, 7:9].max() == 255
    assert (row["triggers"], row["label"], row["snr"]) == (1, "Blip", 20)


def test_the_unit_of_strain_does_not_matter(parameters, events):
    one, other = stretch(), stretch(values=1e-21 * stretch().values)
    rows = real_strain_views([one, other], parameters, events).to_pylist()
    assert rows[0]["trigger_time"] == rows[1]["trigger_time"]
    np.testing.assert_allclose(rows[0]["trigger_snr"], rows[1]["trigger_snr"], rtol=1e-4)


def test_a_glitch_so_loud_that_rounding_drowns_the_noise_is_refused(parameters, events):
    with pytest.raises(StrainError, match=r"g\.hdf5:blip: too loud: rounding adds .* times"):
        real_strain_views([stretch(snr=1e12)], parameters, events)


@pytest.mark.parametrize("missed", [{"snr": 0.0}, {"time": 8.5}, {"time": 6.0}])
def test_a_glitch_without_a_trigger_at_its_time_stays_without_a_view(parameters, events, missed):
    views = real_strain_views([stretch(**missed)], parameters, events)
    (row,) = views.to_pylist()
    assert row["picture"] is None
    assert row["trigger_time"] is None
    assert row["tile_snr"] > 0
    assert row["triggers"] == (0 if "snr" in missed else 1)
    assert not len(with_view(views))


def test_of_two_triggers_near_the_label_the_nearest_is_meant(parameters, events):
    both = stretch(snr=30.0).values + np.roll(stretch(snr=40.0).values, int(0.45 * RATE))
    near = stretch(values=both, time=TIME + 0.2)
    row = real_strain_views([near], parameters, events).to_pylist()[0]
    assert row["triggers"] >= 2
    assert abs(row["trigger_time"] - TIME) < 0.01


def test_strain_that_cannot_be_compared_is_named(parameters, events):
    with pytest.raises(StrainError, match=r"g.hdf5:blip: strain of 4096 Hz, expected 2048"):
        real_strain_views([stretch(sample_rate=4096)], parameters, events)
    for short in (stretch(seconds=11), stretch(time=2.0), stretch(time=13.5)):
        with pytest.raises(StrainError, match=r"g.hdf5:blip: 1\d s of strain.*expected at least"):
            real_strain_views([short], parameters, events)
    with pytest.raises(StrainError, match=r"g.hdf5:blip: .*constant or damaged"):
        real_strain_views([stretch(values=np.zeros(14 * RATE))], parameters, events)


def glitches(labels):
    """Rows of REAL_STRAIN with pictures of noise, SNR 10 and triggers of 9; the last has none."""
    rng = np.random.default_rng(5)
    rows = [
        {
            "name": f"g{i}",
            "detector": "H1",
            "label": label,
            "snr": 10.0,
            "glitch_time": 7.0,
            "tile_snr": 9.0,
            "tile_time": 7.1,
            "triggers": 1,
            "trigger_time": 7.1,
            "trigger_frequency": 100.0,
            "trigger_q": 6.0,
            "trigger_duration": 0.1,
            "trigger_bandwidth": 50.0,
            "trigger_snr": 9.0,
            "picture": rng.integers(0, 255, SIZE).astype(np.uint8).tobytes(),
        }
        for i, label in enumerate(labels)
    ]
    for name in [name for name in rows[-1] if name.startswith("trigger_") or name == "picture"]:
        rows[-1][name] = None
    return pa.Table.from_pylist(rows, schema=REAL_STRAIN)


def simulated(classes):
    shown = with_view(glitches([*classes, "none"])).to_pylist()
    rows = [
        {
            **{key: row[key] for key in row if key.startswith("trigger_") or key == "picture"},
            "morphology": row["label"],
            "number": i,
            "snr": 10.0,
            "gps_time": 0.0,
            "parameters": "{}",
        }
        for i, row in enumerate(shown)
    ]
    return pa.Table.from_pylist(rows, schema=LABELLED)


def test_triggers_stand_against_labels():
    rows = {row["figure"]: row for row in trigger_rows(glitches(["Blip"] * 4), 1)}
    assert rows["has_trigger"]["value"] == 0.75
    assert rows["has_trigger"]["low"] < 0.75 < rows["has_trigger"]["high"]
    assert rows["snr_ratio"]["value"] == near(0.9)
    assert rows["offset_s"]["value"] == near(0.1)
    assert rows["offset_s"]["pictures"] == 3


def told(labels, classes, real, views):
    rows, named = real_strain_quality(
        glitches([*labels, "Blip"]), simulated(classes), {"dct": (real, views)}, SIZE, 1
    )
    of_dct = [row for row in rows if row["features"] == "dct"]
    found = {row["figure"]: row for row in of_dct if row["morphology"] is None}
    return of_dct, found, [row for row in named if row["features"] == "dct"]


def test_glitches_are_named_by_their_neighbours():
    labels, classes = ["Blip", "Blip", "Tomte", "Other"], ["blip"] * 3 + ["tomte"] * 3
    axes = np.eye(8, dtype="f4")
    near = axes[[0, 0, 1, 2]] + 0.01 * axes[[4, 5, 6, 7]]
    views = axes[[0, 0, 0, 1, 1, 1]]
    rows, found, named = told(labels, classes, near, views)
    # Tomte and Other have no second glitch; Other is no simulated class.
    assert found["real_strain_top1"]["pictures"] == 2
    assert found["real_strain_top1"]["value"] == 1
    assert found["simulated_to_real_top1"]["pictures"] == 3
    assert found["simulated_to_real_top1"]["value"] == 1
    assert 0.4 < found["simulated_to_real_top1"]["low"] < found["simulated_to_real_top1"]["high"]
    assert {row["data"] for row in rows} == {"real_strain"}
    assert {r["morphology"] for r in rows} == {None, "blip", "tomte"}
    assert [row["named"] for row in named][:3] == ["blip", "blip", "tomte"]
    assert (named[0]["nearest"], named[0]["nearest_label"]) == ("g1", "Blip")


def test_a_glitch_does_not_answer_for_itself():
    axes = np.eye(4, dtype="f4")
    real = axes[[0, 1, 0, 1]] + 0.01 * axes[[2, 2, 3, 3]]
    _, found, named = told(["Blip", "Blip", "Tomte", "Tomte"], ["blip"] * 6, real, axes[[0] * 6])
    assert found["real_strain_top1"]["value"] == 0
    assert [row["nearest"] for row in named] == ["g2", "g3", "g0", "g1"]
    assert found["simulated_to_real_top1"]["pictures"] == 2


@pytest.mark.parametrize(
    ("label", "name"), [("Light_Modulation", "light_modulation"), ("1080Lines", "lines_1080")]
)
def test_gravity_spys_classes_are_found_under_their_populations_names(label, name):
    _, found, _ = told([label] * 2, [name] * 6, np.eye(2, 8), np.eye(8)[2:])
    assert found["simulated_to_real_top1"]["value"] == 1


def test_every_class_that_is_called_otherwise_is_in_the_population():
    population = load_population(Path(__file__).parents[2] / "config" / "population_o3.yaml")
    for label in ("1080Lines", "Blip_Low_Frequency", "Violin_Mode", "Koi_Fish"):
        assert morphology_of(label) in population.glitches


def test_one_view_says_nothing():
    assert told(["Blip"], ["blip"] * 6, np.eye(1, 4), np.eye(6, 4)) == ([], {}, [])


def test_real_o3_glitches_have_the_triggers_that_their_labels_say(real_data, events):
    from gwmorph.block import RenderParameters
    from gwmorph.config import Config

    path = real_data / "strain" / "O3_labelled_glitches_14s_4096Hz.hdf5"
    config = Config()
    parameters = RenderParameters.from_sections(
        32,
        config.conditioning.model_dump(),
        config.qtransform.model_dump(),
        config.picture.model_dump(),
    )
    views = real_strain_views(read_labelled_strain([path]), parameters, events)
    rows = {row["figure"]: row["value"] for row in trigger_rows(views, 1)}
    assert rows["has_trigger"] == near(0.9)
    assert 0.9 < rows["snr_ratio"] < 1.0
    assert rows["offset_s"] < 0.01
    missed = {row["name"] for row in views.to_pylist() if row["picture"] is None}
    assert "O3a_L1_Scattered_Light_0" in missed
    assert pictures_of(with_view(views), (224, 224)).shape == (27, 224, 224)
