"""The nearest rows are those of all products, wherever the rows lie."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_run import IDENTITY, LOST, START, events_of, make_run, vectors

from closeness import near
from gwmorph.errors import GwmorphError
from gwmorph.runs import search
from gwmorph.runs.search import cosines, find_moment, hold, most_alike, rows_of, vector_of
from gwmorph.runs.similar import similar
from gwmorph.tables.keys import row_keys


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("run") / "demo")


def whole(run: Path, view: str) -> tuple[list[tuple], np.ndarray]:
    """Return keys and vectors of all rows, read in one go."""
    tables = [pq.read_table(path) for path in sorted((run / "embeddings" / view).iterdir())]
    keys = [
        (row["detector"], row["gps_start"], row["trigger_time"])
        for table in tables
        for row in table.drop_columns(["embedding"]).to_pylist()
    ]
    return keys, np.array([v for table in tables for v in table["embedding"].to_pylist()])


@pytest.mark.parametrize("view", ["event", "window"])
@pytest.mark.parametrize("held", [True, False])
def test_cosines_are_those_of_all_vectors_in_order(run, view, held, monkeypatch):
    monkeypatch.setattr(search, "_ROW_GROUPS", 1)
    rows = rows_of(run, view)
    keys, expected = whole(run, view)
    assert row_keys(rows.keys) == keys
    asked = vectors(1, 99)[0]
    got = hold(rows).cosines(asked) if held else cosines(rows, asked)
    np.testing.assert_allclose(got, expected @ asked.astype(float), atol=1e-6)
    for number in (0, 19, 20, len(keys) - 1):
        np.testing.assert_array_equal(vector_of(rows, number), expected[number].astype(np.float32))


def test_what_scores_dropped_is_no_answer_and_no_question(run):
    everything = similar(run, "H1", float(events_of("H1")[0]), "event", 1000)
    times = {(row["detector"], row["trigger_time"]) for row in everything.nearest.to_pylist()}
    events = {(d, float(t)) for d in ("H1", "L1") for t in events_of(d)}
    assert times == events - {("H1", float(events_of("H1")[0]))}
    assert everything.rows == len(events)
    dropped = START + 2 * 32 + 10.25  # the third candidate of H1
    with pytest.raises(GwmorphError, match=r"no event of H1 within 0.5 s of GPS 1262301258\.250"):
        similar(run, "H1", dropped, "event", 3)


def test_neighbours_are_those_of_a_sort_with_all_that_the_run_says(run):
    found = similar(run, "L1", START + 20.6, "event", 5)
    keys, all_vectors = whole(run, "event")
    events = [(d, float(t)) for d in ("H1", "L1") for t in events_of(d)]
    kept = [n for n, key in enumerate(keys) if (key[0], key[2]) in events]
    own = keys.index(("L1", START, START + 20.5))
    best = sorted((n for n in kept if n != own), key=lambda n: -all_vectors[n] @ all_vectors[own])
    rows = found.nearest.to_pylist()
    assert [(r["detector"], r["gps_start"], r["trigger_time"]) for r in rows] == [
        keys[n] for n in best[:5]
    ]
    for row, number in zip(rows, best, strict=False):
        assert row["cosine"] == pytest.approx(all_vectors[number] @ all_vectors[own], abs=1e-6)
        cluster = (row["gps_start"] - START) // 32 % 2
        assert row["cluster"] == cluster
        assert row["cluster_named"] == (None if cluster else "blip")
        assert (row["status"], row["named"]) == [("KNOWN", "blip"), ("NOVEL", "tomte")][cluster]
        assert Path(row["picture"]).is_file()
        assert f"{row['trigger_time']:.9f}" in row["picture"]
    assert found.asked["trigger_time"] == START + 20.5


def test_another_run_is_searched_whole(run, tmp_path):
    other = make_run(tmp_path / "other", seed=1)  # the same vectors
    found = similar(run, "H1", START + 10.25, "event", 1, other)
    assert found.nearest["cosine"][0].as_py() == pytest.approx(1, abs=1e-6)
    assert found.nearest["trigger_time"][0].as_py() == START + 10.25
    assert found.nearest["picture"][0].as_py().startswith(str(other))
    assert found.rows == 2 * len(events_of("H1"))


@pytest.mark.parametrize(
    ("key", "said"), [("gwmorph.render_id", "pictures were drawn"), ("gwmorph.encoder_id", "made")]
)
def test_runs_that_were_made_in_other_ways_are_refused(run, tmp_path, key, said):
    other = make_run(tmp_path / "other", metadata=IDENTITY | {key: "otherwise"})
    with pytest.raises(GwmorphError, match=rf"cannot be compared: their .*{said}.*otherwise"):
        similar(run, "H1", START + 10.25, "event", 1, other)


def test_a_window_holds_its_first_second_and_not_its_last(run):
    rows = rows_of(run, "window")
    for gps, start in ((START, START), (START + 31.999, START), (START + 32, START + 32)):
        number = find_moment(rows, "L1", gps)
        assert rows.keys["gps_start"][number].as_py() == start
        assert rows.keys["detector"][number].as_py() == "L1"


@pytest.mark.parametrize(
    ("view", "detector", "gps", "said"),
    [
        ("window", "H1", START + 32 * LOST + 10, r"is 10\.000 s earlier: ask for GPS 1262301248"),
        ("window", "H1", START - 5, r"is 5\.000 s later: ask for GPS 1262301184"),
        ("event", "L1", START + 18.5, r"2\.000 s later: ask for GPS 1262301204\.500"),
        ("event", "V1", START, "has no event of V1, but of H1, L1"),
    ],
)
def test_where_no_row_is_the_nearest_one_is_named(run, view, detector, gps, said):
    with pytest.raises(GwmorphError, match=said):
        similar(run, detector, gps, view, 3)


def test_what_a_run_has_not_got_to_is_not_made_up(tmp_path):
    run = make_run(tmp_path / "demo")
    (run / "calibration" / "event" / "status.parquet").unlink()
    (run / "clusters" / "event" / "clusters.parquet").unlink()
    row = similar(run, "H1", START + 10.25, "event", 1).nearest.to_pylist()[0]
    assert (row["cluster"], row["cluster_named"], row["status"]) == (None, None, None)
    (run / "triggers.parquet").unlink()
    with pytest.raises(GwmorphError, match=r"triggers\.parquet: no such file; run snakemake"):
        similar(run, "H1", START + 10.25, "event", 1)
    with pytest.raises(GwmorphError, match="no run's folder"):
        similar(tmp_path, "H1", START + 10.25, "event", 1)


@given(
    st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), max_size=30),
    st.integers(1, 40),
    st.data(),
)
def test_the_largest_come_first_and_equal_ones_in_order(values, count, data):
    among = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    )
    among = among.astype(bool)
    found = most_alike(np.array(values, np.float32), count, among)
    expected = sorted((n for n in range(len(values)) if among[n]), key=lambda n: -values[n])
    assert found.tolist() == expected[:count]


def test_a_count_of_none_is_refused():
    with pytest.raises(GwmorphError, match="expected 1 or more, got 0"):
        most_alike(np.ones(3, np.float32), 0, np.ones(3, bool))


def test_real_cosines_are_those_of_scikit_learn():
    from gwmorph.morphology.similarity import nearest_in

    reference, asked = vectors(3000, 5), vectors(1, 6)
    found = nearest_in(reference, asked, 20)
    got = most_alike(reference @ asked[0], 20, np.ones(3000, bool))
    np.testing.assert_array_equal(got, found.rows[0])
    assert 1 - (reference @ asked[0])[got[0]] == near(found.distances[0, 0], rel=1e-5)
