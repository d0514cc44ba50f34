"""Limits, recall and its intervals, against counting by hand."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom

from closeness import near
from gwmorph.evidence import injections, recall, statistics
from gwmorph.evidence.campaign import plan_jobs
from gwmorph.evidence.injections import observe, simulated_backgrounds
from gwmorph.evidence.recall import (
    achieved,
    fit_score,
    half_recall_rows,
    half_snr,
    limits,
    noise_rows,
    recall_rows,
    wilson,
)
from gwmorph.evidence.statistics import STATISTICS, combination, statistic
from gwmorph.tables.injections import NOISE_COUNTS, RECALL, injected_windows


def windows(number=40, **columns):
    """Scored windows with one made-up statistic for each keyword."""
    made_up = {k: x for k, x in columns.items() if k not in injected_windows({}).names}
    widths = {name: 1 if np.ndim(x) == 1 else np.shape(x)[1] for name, x in made_up.items()}
    schema = injected_windows(widths)
    blank = {
        "string": "x",
        "int64": 0,
        "double": 0.0,
    }
    rows = {field.name: [blank.get(str(field.type))] * number for field in schema}
    rows.update({name: list(map(list, x)) if np.ndim(x) > 1 else x for name, x in columns.items()})
    return pa.table(rows, schema=schema)


@pytest.fixture
def registry(monkeypatch):
    """An empty registry of statistics."""
    empty = {}
    for module in (statistics, injections, recall):
        monkeypatch.setattr(module, "STATISTICS", empty)
    return empty


# -- intervals and limits -------------------------------------------------------------------


def test_wilson_interval_is_the_published_one():
    # Newcombe 1998, Statistics in Medicine 17, 857, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


def test_achieved_fraction_is_counted_on_the_test_set():
    rng = np.random.default_rng(2)
    calibration, test = {"a": rng.random(1000)}, {"a": rng.random(2000)}
    (row,) = achieved(calibration, test, [0.01])
    assert row["above"] == sum(x > row["limit"] for x in test["a"])
    assert row["achieved"] == row["above"] / 2000
    assert (row["low"], row["high"]) == wilson(row["above"], 2000)
    assert row["nominal_inside"] == (row["low"] <= 0.01 <= row["high"])
    # The limit's own error makes the range wider than counting alone would.
    alone = binom(2000, 0.01)
    assert row["expected_low"] * 2000 < alone.ppf(0.025)
    assert row["expected_high"] * 2000 > alone.ppf(0.975)


def test_expected_range_holds_what_it_says():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(400):
        (row,) = achieved({"a": rng.random(500)}, {"a": rng.random(500)}, [0.05])
        inside += row["expected_low"] <= row["achieved"] <= row["expected_high"]
    assert 0.92 < inside / 400 < 0.995


# -- learning and combining -----------------------------------------------------------------


def test_learned_statistics_never_meet_themselves(registry):
    """Vectors are learned on even reference windows, combinations on scores of odd ones."""
    seen = {}

    def fit(quiet):
        seen["learned"] = quiet[:, 0].tolist()
        return lambda features: features[:, 0] * 10

    statistic("vector", "", fit=fit)(lambda batch, pictures: None)
    statistic("plain", "")(lambda batch, pictures: None)

    @combination("both", "", parts=("vector", "plain"))
    def both(quiet):
        seen["combined"] = quiet.tolist()
        return lambda parts: parts @ [1, 2]

    vector = np.column_stack([np.arange(6), np.zeros(6)])
    score = fit_score(windows(6, vector=vector, plain=np.arange(6) / 8))
    assert seen["learned"] == [0, 2, 4]
    assert seen["combined"] == [[10, 1 / 8], [30, 3 / 8], [50, 5 / 8]]
    scores = score(windows(2, vector=[[7, 0], [8, 0]], plain=[0.5, 1.5]))
    assert scores["vector"].tolist() == [70, 80]
    assert scores["both"].tolist() == [71, 83]


# -- recall ---------------------------------------------------------------------------------


def test_recall_counts_equal_brute_force():
    rng = np.random.default_rng(5)
    morphology = rng.choice(["blip", "comb"], 300).tolist()
    snr = rng.choice([8.0, 12.0], 300).tolist()
    scores = {"a": rng.random(300), "b": rng.random(300)}
    limit = {("a", 0.1): 0.9, ("a", 0.01): 0.99, ("b", 0.1): 0.8}
    injected = windows(300, morphology=morphology, snr=snr)
    rows = recall_rows(injected, scores, limit)
    assert len(rows) == 3 * 4
    for row in rows:
        chosen = [
            i for i in range(300) if morphology[i] == row["morphology"] and snr[i] == row["snr"]
        ]
        bound = limit[row["statistic"], row["false_alarm_fraction"]]
        found = sum(scores[row["statistic"]][i] > bound for i in chosen)
        assert (row["injections"], row["found"]) == (len(chosen), found)
        assert row["recall"] == found / len(chosen)
        assert (row["low"], row["high"]) == wilson(found, len(chosen))
    assert RECALL.names == list(rows[0])


@pytest.mark.parametrize(
    ("recall_at", "expected"),
    [
        ([0.0, 0.25, 0.75, 1.0], ("inside", np.sqrt(12 * 20))),
        ([0.0, 0.5, 0.9, 1.0], ("inside", 12)),
        ([0.6, 0.7, 0.9, 1.0], ("below", None)),
        ([0.0, 0.1, 0.2, 0.4], ("not", None)),
        ([0.1, 0.6, 0.4, 0.9], ("inside", 20 * (32 / 20) ** 0.2)),
    ],
)
def test_snr_of_half_recall(recall_at, expected):
    reached, snr = half_snr([8, 12, 20, 32], recall_at)
    assert reached == expected[0]
    assert snr == (None if expected[1] is None else near(expected[1]))


def test_half_recall_is_taken_for_each_curve_apart():
    common = {"false_alarm_fraction": 0.01, "limit": 1.0, "injections": 4, "low": 0.0, "high": 1.0}
    rows = [
        {**common, "statistic": s, "morphology": "blip", "snr": snr, "found": f, "recall": f / 4}
        for s, found in (("a", (0, 4)), ("b", (0, 1)))
        for snr, f in zip((20.0, 5.0), found[::-1], strict=True)
    ]
    curves = half_recall_rows(pa.Table.from_pylist(rows, schema=RECALL))
    assert [(row["statistic"], row["reached"]) for row in curves] == [
        ("a", "inside"),
        ("b", "not"),
    ]
    assert curves[0]["snr"] == near(10)


def test_counts_in_real_noise_keep_quiet_windows_apart():
    table = windows(
        5,
        morphology=[None, "blip", None, "blip", "comb"],
        snr=[None, 8.0, None, 8.0, 8.0],
        detector=["L1"] * 5,
    )
    rows = noise_rows(table, {"a": np.array([5.0, 1.0, 0.0, 3.0, 2.0])}, {("a", 0.1): 1.5})
    assert [(r["morphology"], r["snr"], r["windows"], r["above"]) for r in rows] == [
        (None, None, 2, 1),
        ("blip", 8.0, 2, 1),
        ("comb", 8.0, 1, 1),
    ]
    assert all((r["detector"], r["limit"]) == ("L1", 1.5) for r in rows)
    pa.Table.from_pylist(rows, schema=NOISE_COUNTS)


def test_a_small_campaign_from_noise_to_recall(campaign, parameters, encoder, events):
    seen = {}
    for job in plan_jobs(campaign):
        found = observe(job, simulated_backgrounds(job, parameters), parameters, encoder, events)
        seen.setdefault(job.role, []).append(found)
    joined = {role: pa.concat_tables(parts) for role, parts in seen.items()}
    score = fit_score(joined["reference"])
    scores = {role: score(part) for role, part in joined.items()}
    bounds = limits(scores["calibration"], campaign.false_alarm_fractions)
    rows = recall_rows(joined["injection"], scores["injection"], bounds)
    # The baseline has no patches, so what needs them is not there; nor is what needs a network.
    expected = set(STATISTICS) - {"patch_evidence", "chirp_network", "reconstruction"}
    assert {r["statistic"] for r in rows} == expected
    assert len(rows) == len(expected) * 2 * 2
    assert {"score", "extended", "event_vector", "window_vector"} < {r["statistic"] for r in rows}
    by_key = {(r["statistic"], r["morphology"], r["snr"]): r["recall"] for r in rows}
    for morphology in ("blip", "chirp_30_30"):
        assert by_key["loudest_tile", morphology, 20.0] == 1
        assert by_key["loudest_tile", morphology, 6.0] < 1
