import numpy as np
import pyarrow as pa

from closeness import near
from filled import filled
from gwmorph.evidence.drift import drift_of_run
from gwmorph.evidence.judging import (
    bounded,
    clusters_as_classes,
    judge_rows,
    quiet_of,
    status_of_events,
    status_of_windows,
)
from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.morphology.manifest import EACH_CLASS, OVERALL
from gwmorph.morphology.thresholds import limits_of
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column, embedding_matrix, of_width
from gwmorph.tables.scores import SCORES
from gwmorph.tables.validation import REFERENCE


def embedded(vectors, view="event"):
    vectors = np.asarray(vectors, float)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    count, schema = len(vectors), of_width(EMBEDDINGS, vectors.shape[1])
    columns = {
        "detector": ["H1"] * count,
        "gps_start": [32 * n for n in range(count)],
        "view": [view] * count,
        "trigger_time": [n * 32 + 0.5 if view == "event" else None for n in range(count)],
        **{f"tile_{n}": np.ones(count) for n in ("time", "frequency", "q", "energy", "snr")},
        "embedding": embedding_column(vectors),
    }
    return pa.table(columns, schema=schema)


RNG = np.random.default_rng(2)
NEAR = np.eye(6)[[0] * 30 + [1] * 30] + 0.1 * RNG.normal(size=(60, 6))
RUN = embedded(np.vstack([NEAR, [np.eye(6)[5]]]))
CLASSES = ["blip"] * 30 + ["tomte"] * 30
TRIGGERED = filled(
    TRIGGERS, *({"peak_time": n * 32 + 0.5, "gps_start": 32 * n} for n in range(61))
)


def reference():
    own = RUN.slice(0, 60)
    columns = {name: own[name] for name in own.column_names}
    shapes = {"duration": np.ones(60), "bandwidth": np.ones(60)}
    return pa.table({**columns, "label": CLASSES, **shapes}, schema=of_width(REFERENCE, 6))


def judged(run):
    labelled = reference()
    limits = limits_of(embedding_matrix(labelled), np.array(CLASSES), 0.05, 1)
    return judge_rows(run, labelled, limits, EACH_CLASS, 5)


def test_every_event_has_a_status_and_what_it_is_by():
    table = status_of_events(RUN, judged(RUN), 0.6)
    assert len(table) == 61
    assert table["status"][60].as_py() == "NOVEL"
    assert table["p_value"][60].as_py() == near(1 / 31)
    known = table.slice(0, 60)["status"].to_pylist()
    assert known.count("NOVEL") <= 2
    assert known.count("KNOWN") >= 50
    assert table["similarity"].to_numpy().max() < 0.9999999  # none is its own neighbour
    assert table["named"].to_pylist()[0] == "blip"


def test_every_planned_window_has_a_status_and_those_that_hold_nothing_no_name():
    run = embedded(NEAR[[0, 1, 35]], "window")
    planned = pa.Table.from_pylist(
        [
            analysed_row("H1", 0, 32, 0),
            analysed_row("H1", 32, 32, 0),
            analysed_row("H1", 64, 32, 0),
            excluded_row("H1", 96, 32, 0, reason=Reason.NAN, detail="none"),
        ],
        schema=LEDGER,
    )
    quiet = np.array([False, True, False, True])
    table = status_of_windows(planned, quiet, run, judged(run), 0.6)
    assert table["status"].to_pylist() == ["KNOWN", "QUIET", "KNOWN", "EXCLUDED"]
    assert table["named"].to_pylist() == ["blip", None, "tomte", None]
    assert table["p_value"].null_count == 2
    assert set(table["view"].to_pylist()) == {"window"}


def test_a_run_of_lost_windows_alone_is_excluded_and_nothing_else():
    planned = pa.Table.from_pylist(
        [excluded_row("H1", 0, 32, 0, reason=Reason.GAP, detail="none")], schema=LEDGER
    )
    run = embedded(NEAR[:1], "window").slice(0, 0)
    table = status_of_windows(planned, np.array([True]), run, judged(run), 0.6)
    assert table["status"].to_pylist() == ["EXCLUDED"]


def test_a_window_is_quiet_without_trigger_and_without_score():
    planned = pa.Table.from_pylist(
        [analysed_row("H1", 32 * n, 32, 0) for n in range(4)], schema=LEDGER
    )
    triggers = filled(
        TRIGGERS,
        {"detector": "H1", "gps_start": 32, "snr": 7.5},
        {"detector": "H1", "gps_start": 64, "snr": 7.4},
        {"detector": "L1", "gps_start": 0, "snr": 99},
    )
    scores = filled(
        SCORES,
        {"detector": "H1", "gps_start": 64, "score": 2.0, "limit": 2.0},
        {"detector": "H1", "gps_start": 96, "score": 2.1, "limit": 2.0},
    )
    assert quiet_of(planned, triggers, scores, 7.5).tolist() == [True, False, True, False]
    assert quiet_of(planned, triggers, None, 7.5).tolist() == [True, False, True, True]


def test_clusters_are_classes_where_no_label_is_and_outliers_are_none():
    outlier = [False] * 60 + [True]
    rows = [{"cluster": int(n >= 30), "outlier": lost} for n, lost in enumerate(outlier)]
    table = clusters_as_classes(RUN, filled(CLUSTERS, *rows), TRIGGERED)
    assert table["label"].to_pylist() == ["cluster 0"] * 30 + ["cluster 1"] * 30


def test_rows_that_are_too_few_to_cluster_have_no_class():
    rows = [{"cluster": 0, "outlier": False}] * 15
    assert len(clusters_as_classes(RUN.slice(0, 15), filled(CLUSTERS, *rows), TRIGGERED)) == 0


def of_classes(counts):
    names = np.repeat(list(counts), list(counts.values()))
    run = embedded(np.eye(6)[np.zeros(len(names), int)])
    shapes = {"duration": np.ones(len(names)), "bandwidth": np.ones(len(names))}
    columns = {name: run[name] for name in run.column_names}
    return pa.table({**columns, "label": names.tolist(), **shapes}, schema=of_width(REFERENCE, 6))


def kept(table):
    return dict(zip(*np.unique(table["label"].to_pylist(), return_counts=True), strict=True))


def test_a_reference_is_bounded_and_small_classes_stay_whole():
    table = of_classes({"quiet": 700, "blip": 200, "koi fish": 7})
    assert bounded(table, EACH_CLASS, 1) is table
    assert bounded(table, EACH_CLASS, 1, 907) is table
    found = bounded(table, EACH_CLASS, 1, 107)
    assert kept(found) == {"quiet": 50, "blip": 50, "koi fish": 7}
    assert found.equals(bounded(table, EACH_CLASS, 1, 107))
    assert not found.equals(bounded(table, EACH_CLASS, 2, 107))
    # In order of the run, and of each class not only the first.
    starts = found["gps_start"].to_numpy()
    assert (np.diff(starts) > 0).all()
    assert (starts > 32 * 500).any()


def test_a_promise_of_all_rows_together_draws_each_row_alike():
    table = of_classes({"quiet": 700, "blip": 200, "koi fish": 7})
    drawn = [kept(bounded(table, OVERALL, seed, 107)) for seed in range(40)]
    mean = np.mean([one["quiet"] for one in drawn])
    assert abs(mean - 107 * 700 / 907) < 2.5  # of a spread of 4.6 / sqrt(40)
    assert min(one.get("koi fish", 0) for one in drawn) < 3


def test_drift_is_of_a_run_against_its_reference():
    labelled = reference()
    same = drift_of_run(labelled, RUN.slice(0, 60), 64, 0.01, 1)
    assert same["then_median"] == same["now_median"]
    assert not same["recalibrate"]
    other = drift_of_run(labelled, embedded(RNG.normal(size=(60, 6)), "window"), 64, 0.01, 1)
    assert other["recalibrate"]
    assert np.isnan(drift_of_run(labelled.slice(0, 0), RUN, 64, 0.01, 1)["distance"])
