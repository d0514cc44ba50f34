import numpy as np
import pytest

from gwmorph.block import RenderParameters
from gwmorph.config import Config
from gwmorph.evidence.arrivals import TwoDetectors, arrivals, seen_twice
from gwmorph.evidence.timing import inside_window, light_travel_s
from gwmorph.simulation.morphologies import INJECTED
from gwmorph.simulation.signals import LabelledClass

CONFIG = Config()
PARAMETERS = RenderParameters.from_sections(
    32,
    *(getattr(CONFIG, name).model_dump() for name in ("conditioning", "qtransform", "picture")),
)


@pytest.fixture(scope="module")
def blips():
    classes = {"blip": LabelledClass(INJECTED["blip"], 15.0, 30.0)}
    seen_by = TwoDetectors("H1", "L1", light_travel_s("H1", "L1"), 11, 6)
    return arrivals(classes, seen_by, PARAMETERS, CONFIG.events)


def test_a_signal_is_in_both_detectors(blips):
    assert blips["detector"].to_pylist() == ["H1", "L1"] * 6
    times = blips["gps_time"].to_numpy().reshape(-1, 2)
    assert (np.abs(np.diff(times, axis=1)) <= 0.0101 + 1 / 4096).all()
    assert len(np.unique(times)) == 12
    snrs = blips["snr"].to_numpy().reshape(-1, 2)
    assert (snrs.max(axis=1) >= 15).all()
    assert (snrs.max(axis=1) <= 2 * snrs.min(axis=1) + 1e-9).all()


def test_loud_blips_coincide(blips):
    found = seen_twice(blips)
    assert len(found.lag_error) >= 5
    assert inside_window(found).mean() >= 0.8
    assert (np.abs(found.lag_error) < 0.02).all()


def test_a_detector_without_a_trigger_has_nulls():
    classes = {"blip": LabelledClass(INJECTED["blip"], 1.0, 1.5)}
    faint = arrivals(classes, TwoDetectors("H1", "V1", 0.027, 11, 2), PARAMETERS, CONFIG.events)
    assert faint["trigger_time"].null_count == 4
    assert faint["picture"].null_count == 4
    assert len(seen_twice(faint).lag_error) == 0


def test_another_class_changes_no_signal(blips):
    names = ("ring_up", "blip")
    classes = {name: LabelledClass(INJECTED[name], 15.0, 30.0) for name in names}
    seen_by = TwoDetectors("H1", "L1", light_travel_s("H1", "L1"), 11, 6)
    both = arrivals(classes, seen_by, PARAMETERS, CONFIG.events)
    assert both.slice(12).equals(blips)
