import numpy as np
import pyarrow as pa
import pytest

from filled import filled
from gwmorph.evidence.truth import classes_of, cross_tabulate, nearest_injections
from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.tables.block import LEDGER
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.truth import TRUTH


def injection(detector: str, time: float, morphology: str, duration: float) -> dict:
    own = {"detector": detector, "gps_time": time, "morphology": morphology}
    return own | {"duration": duration}


def event(detector: str, time: float, cluster: int = 0, outlier: bool = False) -> dict:
    own = {"detector": detector, "trigger_time": time, "cluster": cluster}
    return own | {"outlier": outlier}


@pytest.fixture
def truth() -> pa.Table:
    rows = [
        injection("H1", 100.0, "blip", 0.01),
        injection("H1", 102.0, "scattered_light", 4.0),
        injection("L1", 100.0, "tomte", 0.05),
        injection("L1", 900.0, "blip", 0.01),
    ]
    return filled(TRUTH, *rows)


def events_of(*rows: dict) -> pa.Table:
    return filled(CLUSTERS, *rows)


def test_an_event_shows_the_injection_that_is_nearest_in_its_own_durations(truth):
    events = events_of(
        event("H1", 100.05),  # 0.45 of the blip's reach, 0.48 of the light's
        event("H1", 100.06),  # 0.55 and 0.47
        event("H1", 100.20),  # beyond the blip's reach
        event("H1", 106.05),  # the light's last moment
        event("H1", 106.15),  # beyond
        event("L1", 100.0),  # not H1's blip
        event("V1", 100.0),
    )
    assert nearest_injections(events, truth).tolist() == [0, 1, 1, 1, -1, 2, -1]
    events = events_of(event("H1", 100.02), event("V1", 3.0))
    assert classes_of(events, truth).tolist() == ["blip", ""]


def test_no_injections_and_no_events_give_none(truth):
    assert nearest_injections(events_of(), truth).tolist() == []
    nothing = TRUTH.empty_table()
    assert nearest_injections(events_of(event("H1", 1.0)), nothing).tolist() == [-1]
    assert classes_of(events_of(event("H1", 1.0)), nothing).tolist() == [""]


def test_counts_by_morphology_and_cluster_are_the_known_ones(truth):
    events = events_of(
        event("H1", 101.0, 1),
        event("H1", 102.0, 1),
        event("H1", 103.0, 0),
        event("H1", 103.5, 0, outlier=True),
        event("L1", 100.0, 0),
        event("L1", 500.0, 2),
    )
    lost = {"reason": Reason.NAN, "detail": "synthetic"}
    ledger = pa.Table.from_pylist(
        [
            *(analysed_row("H1", gps, 32, 0) for gps in (64, 96)),
            *(analysed_row("L1", gps, 32, 0) for gps in (96, 480)),
            excluded_row("L1", 896, 32, 0, **lost),
        ],
        schema=LEDGER,
    )
    table = cross_tabulate(events, truth, ledger)
    assert table.morphologies == ["scattered_light", "tomte", "blip"]
    assert table.events.tolist() == [[1, 2, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    # L1's blip lies in a window that was lost: nobody could have found it.
    assert table.injected.tolist() == [1, 1, 1]
    assert table.found.tolist() == [1, 1, 0]


def test_every_event_is_counted_once(truth):
    rng = np.random.default_rng(1)
    some = [event("H1", float(rng.uniform(90, 110)), int(rng.integers(4))) for _ in range(50)]
    table = cross_tabulate(events_of(*some), truth, LEDGER.empty_table())
    assert table.events.sum() == 50
