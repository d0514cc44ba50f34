"""Labelled event views: what they show, and what they depend on."""

import numpy as np
import pytest

from gwmorph.evidence.labelled import Draws, labelled_views, pictures_of, write_labelled_views
from gwmorph.simulation.morphologies import INJECTED, Waveform
from gwmorph.simulation.signals import LabelledClass
from gwmorph.tables.comparison import LABELLED
from gwmorph.tables.parquet import read_metadata, read_table

LOUD = LabelledClass(INJECTED["blip"], 29.0, 31.0)
DRAWS = Draws("H1", seed=5, per_class=6)


@pytest.fixture(scope="module")
def blips(parameters, events):
    return labelled_views({"blip": LOUD}, DRAWS, parameters, events)


def test_every_view_is_centred_on_its_signal(blips, parameters):
    assert len(blips) == DRAWS.per_class
    late = np.subtract(blips["trigger_time"].to_pylist(), blips["gps_time"].to_pylist())
    assert np.abs(late).max() < 0.05
    snr = np.array(blips["trigger_snr"].to_pylist())
    assert ((snr > 15) & (snr < 40)).all()
    crop = pictures_of(blips, (parameters.height, parameters.width))[:, :16, :16]
    assert (crop.max(axis=1)[:, 7:9].max(axis=1) == 255).all()


def test_snrs_fill_the_range_they_are_drawn_from(blips):
    snr = np.array(blips["snr"].to_pylist())
    assert ((snr > 29) & (snr < 31)).all()
    assert len(set(snr.tolist())) == len(snr)


def test_another_class_beside_it_changes_nothing(blips, parameters, events):
    both = labelled_views(
        {"ring_up": LabelledClass(INJECTED["ring_up"], 29.0, 31.0), "blip": LOUD},
        DRAWS,
        parameters,
        events,
    )
    assert both["morphology"].to_pylist() == ["ring_up"] * 6 + ["blip"] * 6
    assert both.slice(6).equals(blips)


class Silence:
    """A signal that no trigger shows."""

    family, label = "none", "silence"

    def draw(self, rng, background, sample_rate):
        strain = 1e-30 * rng.standard_normal(8 * sample_rate)
        return Waveform(4 * sample_rate, strain, {})


def test_signals_without_a_trigger_have_no_view(parameters, events):
    faint = LabelledClass(Silence(), 0.01, 0.02)
    assert not len(labelled_views({"silence": faint}, Draws("H1", 5, 2), parameters, events))


def test_a_written_table_says_what_it_depends_on(tmp_path, parameters, events):
    population = tmp_path / "population.yaml"
    population.write_text("classes: {}", encoding="utf-8")
    draws, told = Draws("H1", seed=5, per_class=1), []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.parquet"
        write_labelled_views(
            path,
            {"name": name},
            {"blip": LOUD},
            draws,
            parameters,
            events.model_dump(),
            population,
        )
        assert read_table(path, LABELLED).num_rows == 1
        told.append(read_metadata(path))
    assert told[0]["gwmorph.render_id"] == parameters.render_id
    assert told[0]["gwmorph.inputs_hash"] == told[1]["gwmorph.inputs_hash"]
    assert told[0]["gwmorph.config_hash"] != told[1]["gwmorph.config_hash"]
