import numpy as np
import pyarrow as pa
import pytest

from closeness import near
from gwmorph.config import TimeslidesConfig
from gwmorph.errors import TableError
from gwmorph.evidence import rates
from gwmorph.evidence.coincidences import Observed, compare, efficiencies, rate_limits
from gwmorph.evidence.ring import CoincidenceError
from gwmorph.ledger import analysed_row
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column, of_width
from gwmorph.tables.injections import RECALL
from gwmorph.tables.timeslides import (
    CANDIDATES,
    EFFICIENCY,
    LIMITS,
    SEARCHED,
    SUMMARY,
    WINDOW_COUNTS,
)
from gwmorph.tables.truth import TRUTH

START = 1262301184
HOURS = 6
SETTINGS = TimeslidesConfig(slides=2000, repeats=50)
WIDTH = 8


def trigger_row(detector, time, snr=8.0, **other):
    row = dict.fromkeys(TRIGGERS.names, 0.0) | {
        "detector": detector,
        "gps_start": int(time // 32) * 32,
        "found_by": "tile",
        "peak_time": float(time),
        "peak_frequency": 150.0,
        "q": 8.0,
        "snr": float(snr),
        "tiles": 3,
        "view": True,
    }
    return row | other


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def run_of(rows, vectors, ledger, anomalous=(), known=None, known_windows=None):
    triggers = pa.Table.from_pylist(rows, schema=TRIGGERS)
    shown = triggers.filter(triggers["view"])
    columns = {
        **{name: shown[name] for name in ("detector", "gps_start")},
        "view": ["event"] * len(shown),
        "trigger_time": shown["peak_time"],
        **{
            f"tile_{name}": shown[f"peak_{name}" if name in ("time", "frequency") else name]
            for name in ("time", "frequency", "q", "energy", "snr")
        },
        "embedding": embedding_column(unit(vectors)[np.asarray(triggers["view"])]),
    }
    return Observed(
        pa.Table.from_pylist(ledger, schema=LEDGER),
        triggers,
        pa.table(columns, schema=of_width(EMBEDDINGS, WIDTH)),
        pa.Table.from_pylist(
            [{"detector": d, "gps_start": t} for d, t in anomalous],
            schema=pa.schema([("detector", pa.string()), ("gps_start", pa.int64())]),
        ),
        np.zeros(len(triggers), bool) if known is None else known,
        np.zeros(len(ledger), bool) if known_windows is None else known_windows,
    )


def analysed(detector, first=START, windows=HOURS * 3600 // 32):
    return [analysed_row(detector, first + 32 * n, 32, START) for n in range(windows)]


def glitches(detectors=("H1", "L1"), count=400, seed=5, planted=()):
    """Independent glitches of each detector, and signals that all of them have."""
    rng = np.random.default_rng(seed)
    rows, vectors = [], []
    for detector in detectors:
        for time in START + rng.uniform(0, HOURS * 3600, count):
            rows.append(trigger_row(detector, time, 7.5 + rng.exponential(3)))
            vectors.append(rng.normal(size=WIDTH))
    for time in planted:
        look = rng.normal(size=WIDTH)
        for place, detector in enumerate(detectors):
            rows.append(trigger_row(detector, time + 0.004 * place, 10.0))
            vectors.append(look + 0.05 * rng.normal(size=WIDTH))
    return rows, np.array(vectors)


SIGNALS = START + np.array([1000.5, 5000.25, 9000.75, 13000.1, 17000.9])


@pytest.fixture(scope="module")
def found():
    ledger = [*analysed("H1"), *analysed("L1")]
    odd = [(d, START + 32 * n) for d in ("H1", "L1") for n in (3, 17, 80, 200, 400)]
    return compare(run_of(*glitches(planted=SIGNALS), ledger, odd), ["H1", "L1"], 32, SETTINGS)


def test_planted_signals_are_the_loudest_candidates_and_significant(found):
    best = found.candidates[:5]
    assert sorted(row["gps_time_one"] for row in best) == near(SIGNALS.tolist(), rel=1e-12)
    for row in best:
        assert row["time_difference"] == near(0.004, rel=1e-3)
        assert 0 < row["p_run"] < 0.01
        assert 0 < row["p_loudest"] < 0.01
        assert row["similarity"] > 0.9
        assert row["far_low_per_year"] <= row["far_per_year"] <= row["far_high_per_year"]
        # Without the triggers of candidates there is less background.
        assert row["louder_without"] <= row["louder"]
    ranks = [row["rank"] for row in found.candidates]
    assert ranks == sorted(ranks, reverse=True)


def test_counts_become_rates_by_their_formulas(found):
    (summary,) = found.summary
    assert summary["livetime"] == HOURS * 3600
    assert summary["background"] == 2000 * HOURS * 3600
    for row in found.candidates:
        far = (row["louder"] + 1) / (summary["background"] / rates.YEAR_S)
        assert row["far_per_year"] == near(far)
        assert row["p_run"] == near(1 - np.exp(-far * HOURS * 3600 / rates.YEAR_S), rel=1e-4)
        assert row["p_loudest"] >= 1 / 2001
        assert row["far_per_year"] >= summary["far_floor_per_year"]
    assert summary["p_loudest"] == found.candidates[0]["p_loudest"]


def test_windows_that_are_odd_in_both_are_more_than_chance(found):
    (summary,) = found.summary
    assert summary["windows"] == HOURS * 3600 // 32
    assert (summary["windows_both"], summary["windows_chance"]) == (5, near(25 / 675, rel=0.2))
    # At most one or two of them meet in a slide.
    assert summary["p_windows"] == near(1 / (summary["window_slides"] + 1))
    assert sum(row["slides"] for row in found.window_counts) == summary["window_slides"]


def test_what_is_known_is_a_candidate_and_in_no_slide(found):
    """Its triggers make no background: what they had is gone, as from all without candidates."""
    rows, vectors = glitches(planted=SIGNALS)
    ledger = [*analysed("H1"), *analysed("L1")]
    odd = [(d, START + 32 * n) for d in ("H1", "L1") for n in (3, 17, 80, 200, 400)]
    known = np.isin([row["snr"] for row in rows], [10.0])
    assert known.sum() == 2 * len(SIGNALS)
    windows = np.array([row["gps_start"] in (START + 96, START + 544) for row in ledger])
    windows[len(ledger) // 2 :] = False  # known of H1 alone
    quiet = compare(run_of(rows, vectors, ledger, odd, known, windows), ["H1", "L1"], 32, SETTINGS)
    assert sorted(row["gps_time_one"] for row in quiet.candidates if row["known"]) == near(
        SIGNALS.tolist(), rel=1e-12
    )
    assert len(quiet.candidates) == len(found.candidates)
    assert quiet.summary[0]["chance"] < found.summary[0]["chance"]
    assert sum(r["louder"] for r in quiet.candidates) < sum(r["louder"] for r in found.candidates)
    assert not any(row["known"] for row in found.candidates)
    assert quiet.summary[0]["windows"] == found.summary[0]["windows"] - 2
    assert quiet.summary[0]["windows_both"] == 3


def test_rows_fit_their_schemas(found):
    run = run_of(*glitches(planted=SIGNALS), [*analysed("H1"), *analysed("L1")])
    limits = rate_limits(found, 0.01, None)
    for rows, schema in (
        (found.candidates, CANDIDATES),
        (found.summary, SUMMARY),
        (found.searched, SEARCHED),
        (found.window_counts, WINDOW_COUNTS),
        (limits, LIMITS),
        (efficiencies(run, found, truth_of(SIGNALS)), EFFICIENCY),
    ):
        table = pa.Table.from_pylist(rows, schema=schema)
        assert len(table) == len(rows) > 0
        for name in schema.names:
            assert schema.field(name).nullable or table[name].null_count == 0, name


def test_equal_seeds_give_equal_rows(found):
    ledger = [*analysed("H1"), *analysed("L1")]
    again = compare(run_of(*glitches(planted=SIGNALS), ledger), ["H1", "L1"], 32, SETTINGS)
    assert again.candidates == found.candidates


def test_triggers_outside_of_common_time_are_left_out_and_counted():
    rows = [
        trigger_row("H1", START + 31.9),  # L1 starts later
        trigger_row("H1", START + 32.0),  # the first moment of both
        trigger_row("L1", START + 32.003),
        trigger_row("H1", START + 32 + 32 * 100 - 0.001),  # the last
        trigger_row("L1", START + 32 + 32 * 100 + 0.001),  # and just behind it
        trigger_row("L1", START + 40.0, found_by="track"),
    ]
    ledger = [*analysed("H1"), *analysed("L1", START + 32, 100)]
    found = compare(run_of(rows, np.ones((6, WIDTH)), ledger), ["H1", "L1"], 32, SETTINGS)
    assert [row["gps_time_one"] for row in found.candidates] == [START + 32.0]
    assert {
        r["detector"]: (r["searched"], r["outside"], r["extended"]) for r in found.searched
    } == {
        "H1": (2, 1, 0),
        "L1": (1, 1, 1),
    }


def test_one_detector_without_triggers_is_a_null_result():
    rows, vectors = glitches(("H1",))
    ledger = [*analysed("H1"), *analysed("L1")]
    found = compare(run_of(rows, vectors, ledger), ["H1", "L1"], 32, SETTINGS)
    (summary,) = found.summary
    assert found.candidates == []
    assert (summary["candidates"], summary["chance"], summary["p_loudest"]) == (0, 0.0, 1.0)
    assert {r["detector"]: r["searched"] for r in found.searched} == {"H1": 400, "L1": 0}
    (poisson, loudest) = rate_limits(found, 0.01, None)
    years = HOURS * 3600 / rates.YEAR_S
    assert poisson["rate_per_year"] == near(2.302585 / years)
    assert loudest["rate_per_year"] == near(3.889720 / years)


def test_no_time_together_or_too_little_is_an_error_of_its_own():
    rows, vectors = glitches(count=5)
    apart = [*analysed("H1", windows=10), *analysed("L1", START + 3200, 10)]
    with pytest.raises(
        CoincidenceError, match=r"H1 L1: no coincident time: .* H1 320 s, L1 320 s"
    ):
        compare(run_of(rows, vectors, apart), ["H1", "L1"], 32, SETTINGS)
    short = [*analysed("H1", windows=1), *analysed("L1", windows=1)]
    with pytest.raises(CoincidenceError, match="32 s together, too little for one slide"):
        compare(
            run_of(rows, vectors, short),
            ["H1", "L1"],
            32,
            SETTINGS.model_copy(update={"min_shift_s": 16.0}),
        )
    with pytest.raises(CoincidenceError, match="need two detectors, got H1"):
        compare(run_of(rows, vectors, apart), ["H1"], 32, SETTINGS)


def test_three_detectors_are_compared_by_pairs_and_as_a_triple():
    names = ("H1", "L1", "V1")
    ledger = [row for name in names for row in analysed(name)]
    found = compare(run_of(*glitches(names, planted=SIGNALS), ledger), names, 32, SETTINGS)
    assert [row["detectors"] for row in found.summary] == ["H1 L1", "H1 V1", "L1 V1", "H1 L1 V1"]
    triples = [row for row in found.candidates if row["detectors"] == "H1 L1 V1"]
    assert sorted(row["gps_time_one"] for row in triples[:5]) == near(SIGNALS.tolist(), rel=1e-12)
    assert all(row["gps_time_third"] == near(row["gps_time_one"] + 0.008) for row in triples[:5])
    assert all(row["p_run"] < 0.01 for row in triples[:5])


def test_a_triples_third_detector_goes_no_farther_than_once_around():
    names = ("H1", "L1", "V1")
    ledger = [row for name in names for row in analysed(name)]
    every = SETTINGS.model_copy(update={"slides": 10**6})
    found = compare(run_of(*glitches(names, 50), ledger), names, 32, every)
    for row in found.summary:
        turns = len(row["detectors"].split()) - 1
        first = np.floor(row["least_shift"] / 5.0) + 1
        last = first + row["slides"] - 1
        room = row["livetime"] - row["least_shift"]
        assert 5.0 * turns * last < room <= 5.0 * turns * (last + 1)


def test_a_signals_own_triggers_can_be_left_out_of_the_background():
    """Glitches of L1 look like the signal and are as loud: its H1 trigger meets them in slides."""
    time = START + 10000.5
    rows = [trigger_row("H1", time, 30.0), trigger_row("L1", time + 0.002, 30.0)]
    rows += [trigger_row("L1", START + 50.0 * n + 0.5, 30.0) for n in range(1, 400) if n != 200]
    ledger = [*analysed("H1"), *analysed("L1")]
    found = compare(run_of(rows, np.ones((len(rows), WIDTH)), ledger), ["H1", "L1"], 32, SETTINGS)
    (row,) = found.candidates
    assert row["louder"] > 0
    assert row["louder_without"] == 0
    assert row["far_without_per_year"] < row["far_per_year"]


def test_a_detector_that_shares_no_time_leaves_the_others_compared():
    names = ("H1", "L1", "V1")
    ledger = [*analysed("H1"), *analysed("L1"), *analysed("V1", START - 32000, 10)]
    found = compare(run_of(*glitches(names), ledger), names, 32, SETTINGS)
    reasons = {row["detectors"]: row.get("reason") for row in found.summary}
    assert reasons["H1 L1"] is None
    for group in ("H1 V1", "L1 V1", "H1 L1 V1"):
        assert "no coincident time" in reasons[group]


def test_triggers_without_a_view_rank_lowest():
    rows = [
        trigger_row("H1", START + 100.0, 30.0, view=False),
        trigger_row("L1", START + 100.001, 30.0),
        trigger_row("H1", START + 200.0, 8.0),
        trigger_row("L1", START + 200.001, 8.0),
    ]
    ledger = [*analysed("H1"), *analysed("L1")]
    found = compare(run_of(rows, np.ones((4, WIDTH)), ledger), ["H1", "L1"], 32, SETTINGS)
    assert [row["snr_one"] for row in found.candidates] == [8.0, 30.0]
    assert np.isnan(found.candidates[1]["similarity"])
    assert found.candidates[1]["view_one"] is False


def truth_of(times):
    rows = [
        {
            "detector": detector, "event": number, "gps_time": float(time), "morphology": "chirp",
            "snr": 12.0, "frequency": 150.0, "duration": 0.2, "parameters": "{}",
        }
        for number, time in enumerate([*times, START + 20000.0])
        for detector in ("H1", "L1")
    ]  # fmt: skip
    alone = {**rows[0], "event": 99, "morphology": "blip"}
    return pa.Table.from_pylist([*rows, alone], schema=TRUTH)


def test_efficiency_counts_signals_that_reached_both(found):
    run = run_of(*glitches(planted=SIGNALS), [*analysed("H1"), *analysed("L1")])
    (row,) = efficiencies(run, found, truth_of(SIGNALS))
    assert (row["morphology"], row["signals"], row["coincident"]) == ("chirp", 6, 5)
    assert row["triggered"] == 5
    assert row["efficiency"] == near(5 / 6)
    assert row["low"] < 5 / 6 < row["high"]


def test_limits_with_a_campaign_are_for_what_both_would_find(found):
    rows = [
        {
            "statistic": name, "false_alarm_fraction": fraction, "limit": 1.0,
            "morphology": "blip", "snr": 12.0, "injections": 10, "found": 5, "recall": recall,
            "low": 0.0, "high": 1.0,
        }
        for name, fraction, recall in (
            ("loudest_tile", 0.01, 0.9), ("loudest_tile", 0.001, 0.5), ("track", 0.001, 0.1),
        )
    ]  # fmt: skip
    made = rate_limits(found, 0.01, pa.Table.from_pylist(rows, schema=RECALL))
    assert [row["efficiency"] for row in made] == [0.25, 0.25]
    assert {row["events"] for row in made} == {5}
    other = pa.Table.from_pylist(rows[2:], schema=RECALL)
    with pytest.raises(TableError, match=r"statistic loudest_tile, got that of track\. Name a"):
        rate_limits(found, 0.01, other)
    assert made[0]["rate_per_year"] == near(
        rates.poisson_limit(5) / 0.25 / (HOURS * 3600 / rates.YEAR_S)
    )
