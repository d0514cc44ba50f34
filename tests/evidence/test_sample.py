import numpy as np
import pyarrow as pa
import pytest

from gwmorph.errors import TableError
from gwmorph.evidence.sample import draw_sample, drawn_rows


def tables(rows):
    rng = np.random.default_rng(0)
    keys = {
        "detector": pa.array(["H1", "L1"] * (rows // 2)),
        "gps_start": pa.array(1000 + 32 * np.arange(rows)),
        "trigger_time": pa.nulls(rows, pa.float64()),
    }
    vectors = rng.normal(size=(rows, 4)).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 4)
    labels = rng.integers(0, 3, rows).astype(np.int32)
    return pa.table({**keys, "embedding": column}), pa.table({**keys, "cluster": labels})


def test_few_rows_are_all_there():
    embeddings, clusters = tables(40)
    found = draw_sample(embeddings, clusters, 50, 64, 1)
    assert found.rows.tolist() == list(range(40))
    np.testing.assert_array_equal(found.labels, clusters["cluster"].to_numpy())
    # Two windows of 32 s each, of which one is each detector's.
    assert len(set(found.blocks.tolist())) > 20


def test_many_rows_are_drawn_in_order_and_by_the_seed():
    embeddings, clusters = tables(400)
    found = draw_sample(embeddings, clusters, 50, 64, 1)
    assert len(found.rows) == 50
    assert (np.diff(found.rows) > 0).all()
    rows = embeddings["embedding"].combine_chunks().flatten().to_numpy().reshape(-1, 4)
    np.testing.assert_array_equal(found.vectors, rows[found.rows])
    again, other = (draw_sample(embeddings, clusters, 50, 64, seed) for seed in (1, 2))
    assert found.rows.tolist() == again.rows.tolist() != other.rows.tolist()


def test_who_draws_rows_alone_draws_those_of_the_sample():
    found = draw_sample(*tables(400), 50, 64, 3)
    assert drawn_rows(400, 50, 3).tolist() == found.rows.tolist()
    assert drawn_rows(50, 50, 3).tolist() == list(range(50))


def test_tables_of_other_rows_are_refused():
    embeddings, clusters = tables(40)
    with pytest.raises(TableError, match=r"40 vectors, but 39 clustered rows"):
        draw_sample(embeddings, clusters.slice(1), 50, 64, 1)


def test_too_few_rows_are_refused():
    with pytest.raises(TableError, match=r"10 rows are too few .* at least 16"):
        draw_sample(*tables(10), 50, 64, 1)
