"""Names of rows and clusters of a run whose classes are planted."""

import numpy as np
import pyarrow as pa
import pytest

from closeness import near
from gwmorph.evidence.intervals import Bootstrap
from gwmorph.evidence.naming import COLUMNS, VECTORS, name_run, score_names
from gwmorph.evidence.reference import reference_table
from gwmorph.morphology.similarity import Name

GPS = 1_262_301_184
CLASSES = np.array(["blip", "whistle", "tomte", ""])
SIZES = (120, 80, 60, 20)
DRAWS = Bootstrap(256, 20, 5)


def planted(seed, detector="H1"):
    """A run of four islands, the last of which has no label; frequency tells one from the rest."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(4, 32))
    truth = rng.permutation(np.repeat(np.arange(4), SIZES))
    vectors = centres[truth] + 0.35 * rng.normal(size=(len(truth), 32))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    times = GPS + np.sort(rng.uniform(0, 40_000, len(truth)))
    tiles = {f"tile_{name}": np.ones(len(truth)) for name in ("time", "q", "energy", "snr")}
    run = pa.table(
        {
            "detector": [detector] * len(truth),
            "gps_start": times.astype(int) // 32 * 32,
            "view": ["event"] * len(truth),
            "trigger_time": times,
            **tiles,
            "tile_frequency": np.where(truth == 0, 200.0, 40.0)
            * rng.uniform(0.9, 1.1, len(truth)),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 32),
        }
    )
    shapes = dict.fromkeys(("duration", "bandwidth"), np.ones(len(truth)))
    return run, truth, reference_table(run, CLASSES[truth], shapes)


def scored(own, other=None):
    return score_names(own, other, 10, 500.0, DRAWS)


def scores_of(rows, features, figure="top1"):
    return {
        row["label"]: row["value"]
        for row in rows
        if (row["features"], row["figure"]) == (features, figure)
    }


@pytest.fixture(scope="module")
def alone():
    run, truth, own = planted(1)
    return run, truth, name_run(run, truth.astype(np.int32), own, None, 10)


def test_rows_are_named_by_other_rows_of_their_own_class(alone):
    _, truth, names = alone
    named = np.array(names.rows["named"].to_pylist())
    known = truth < 3
    given = known & (named != "")
    assert given[known].mean() > 0.85
    assert (named[given] == CLASSES[truth[given]]).all()
    assert names.rows["label"].to_pylist() == [CLASSES[k] or None for k in truth]
    # No row is its own neighbour.
    assert min(names.rows["distance"].to_pylist()) > 1e-3
    own = {row: place for place, row in enumerate(np.flatnonzero(known).tolist())}
    neighbors = names.rows["neighbors"].to_pylist()
    assert {len(near) for near in neighbors} == {10}
    assert not any(own.get(row) in near for row, near in enumerate(neighbors))


def test_clusters_have_the_name_of_their_rows_or_none(alone):
    _, _, names = alone
    assert [name.named for name in names.clusters] == ["blip", "whistle", "tomte", ""]
    assert names.clusters[0].agreeing == names.clusters[0].neighbors == 10 * 120
    assert names.clusters[3].unknown > 0.9


def test_the_later_part_is_named_by_the_earlier_one():
    found, confusion = scored(planted(1)[2])
    by_vectors, by_columns = (scores_of(found, features) for features in (VECTORS, COLUMNS))
    assert by_vectors[None] == near(1.0)
    assert by_columns["blip"] > 0.95  # by its frequency
    assert by_columns["tomte"] < 0.7  # as a whistle's
    rows = next(r["rows"] for r in found if r["label"] is None)
    assert 0.4 * 260 < rows < 0.5 * 260  # half of what is known, less the gap
    assert sum(row["rows"] for row in confusion) == rows


def test_another_run_names_all_rows():
    run, truth, own = planted(1)
    _, _, other = planted(2)
    names = name_run(run, truth.astype(np.int32), own, other, 10)
    assert [name.named for name in names.clusters] == ["blip", "whistle", "tomte", ""]
    found, _ = scored(own, other)
    assert scores_of(found, VECTORS)[None] == near(1.0)
    assert next(r["rows"] for r in found if r["label"] is None) == 260


def test_a_run_without_labels_is_named_by_another_one_and_not_scored():
    run, truth, own = planted(1)
    own, other = own.slice(0, 0), planted(2)[2]
    names = name_run(run, truth.astype(np.int32), own, other, 10)
    assert names.clusters[0].named == "blip"
    assert scored(own, other) == ([], [])
    assert set(names.rows["label"].to_pylist()) == {None}


def test_the_same_rows_in_another_reference_do_not_name_themselves():
    run, truth, own = planted(1)
    names = name_run(run, truth.astype(np.int32), own, own, 10)
    assert scored(own, own) == ([], [])
    assert min(names.rows["distance"].to_pylist()) > 1e-3


def test_a_class_with_one_member_can_be_wrong_but_breaks_nothing():
    _, _, own = planted(3)
    words = own["label"].to_pylist()
    words[5] = "alone"
    place = own.schema.get_field_index("label")
    odd = own.set_column(place, own.schema.field(place), pa.array(words))
    found, _ = scored(odd, planted(2)[2])
    assert scores_of(found, VECTORS)["alone"] == 0


@pytest.mark.parametrize("labelled", [0, 1])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_with_too_few_labelled_rows_nothing_has_a_name(labelled, elsewhere):
    """One row has no other, by which to say how near is near."""
    run, truth, own = planted(1)
    other = planted(2)[2].slice(0, labelled) if elsewhere else None
    own = own if elsewhere else own.slice(0, labelled)
    names = name_run(run, truth.astype(np.int32), own, other, 10)
    assert names.clusters == [Name("", agreeing=0, neighbors=0, unknown=1.0)] * 4
    assert scored(own, other) == ([], [])
    assert names.rows["named"].to_pylist() == [""] * len(run)
    assert np.isnan(names.rows["distance"].to_numpy()).all()
    known = [label for label in names.rows["label"].to_pylist() if label]
    assert len(known) == len(own)


@pytest.mark.parametrize("labelled", [0, 200])
def test_a_run_without_rows_has_no_names(labelled):
    run, _, own = planted(1)
    nothing = np.zeros(0, np.int32)
    names = name_run(run.slice(0, 0), nothing, own.slice(0, labelled), None, 10)
    assert names.clusters == []
    assert len(names.rows) == 0
