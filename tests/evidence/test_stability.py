from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from closeness import near
from gwmorph.config import ClusteringConfig, StabilityConfig
from gwmorph.errors import TableError
from gwmorph.evidence.stability import (
    LEFT_OUT,
    RUN,
    SAMPLE,
    agreement_rows,
    pair_rows,
    partitions_of,
    survival_rows,
    training_partitions,
    training_vectors,
    variants,
)
from gwmorph.morphology.partitions import agreement
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column
from gwmorph.tables.parquet import write_table

DEFAULTS = ClusteringConfig()
ROWS, MANY = 240, 2000


def islands():
    """Unit vectors around four directions, and where each belongs."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(4, 64))
    truth = rng.permutation(np.repeat(np.arange(4), ROWS // 4)).astype(np.int32)
    vectors = centres[truth] + 0.5 * rng.normal(size=(ROWS, 64))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def chosen(rows=MANY, **changes):
    return list(variants(DEFAULTS, 7, StabilityConfig(**changes), rows, 17))


def test_one_thing_is_changed_at_a_time():
    found = chosen()
    kinds = Counter(variant.changed for variant in found)
    assert kinds == {
        SAMPLE: 1, "seed": 10, "neighbors": 2, "min_dist": 1, "dimensions": 2, "pca_components": 2,
        "components": 2, "concentration": 2, "covariance_scale": 2, "rows": 5,
    }  # fmt: skip
    assert len({variant.name for variant in found}) == len(found)
    for variant in found:
        same_seed = variant.changed != "seed"
        assert (variant.seed == 7) == same_seed
        whole = len(variant.rows) == MANY
        assert whole == (variant.changed != "rows")
        changed = variant.parameters != DEFAULTS
        assert changed == (variant.changed not in (SAMPLE, "seed", "rows"))


def test_values_are_set_where_they_belong():
    found = {variant.name: variant.parameters for variant in chosen()}
    assert found["neighbors 60"].umap.neighbors == 60
    assert found["pca_components 25"].pca_components == 25
    assert found["covariance_scale 0.5"].mixture.covariance_scale == near(0.5)
    assert found["neighbors 60"].mixture == DEFAULTS.mixture


def test_what_the_run_has_already_is_no_variant():
    assert [
        v.name for v in chosen(seeds=0, bootstraps=0, neighbors=[30, 40]) if "neigh" in v.name
    ] == ["neighbors 40"]


def test_values_that_few_rows_make_the_same_are_no_variants():
    """Of 240 rows UMAP's neighbourhoods are 8, its space 20 of 24 dimensions at most."""
    few = {"seeds": 0, "bootstraps": 0, "min_dist": [], "components": [], "concentration": []}
    found = chosen(
        ROWS, **few, covariance_scale=[], neighbors=[4, 15, 60], dimensions=[20, 24, 30, 50],
        pca_components=[100, 300, 384],
    )  # fmt: skip
    assert [variant.name for variant in found[1:]] == [
        "neighbors 4", "dimensions 20", "dimensions 24", "pca_components 100",
        "pca_components 300",
    ]  # fmt: skip


def test_what_the_method_does_not_use_is_not_changed():
    communities = DEFAULTS.model_copy(update={"method": "communities"})
    kinds = {v.changed for v in variants(communities, 7, StabilityConfig(), MANY, 17)}
    assert not kinds & {"components", "concentration", "covariance_scale"}


def test_rows_drawn_with_replacement_leave_a_third_out():
    drawn = [v.rows for v in chosen() if v.changed == "rows"]
    assert all(0.55 * MANY < len(rows) < 0.72 * MANY for rows in drawn)
    assert len({rows.tobytes() for rows in drawn}) == len(drawn)


def test_islands_stay_whatever_is_changed():
    vectors, truth = islands()
    few = chosen(
        ROWS, seeds=2, bootstraps=1, neighbors=[4], min_dist=[], dimensions=[], pca_components=[],
        components=[20], concentration=[], covariance_scale=[],
    )  # fmt: skip
    partitions = partitions_of(vectors, few)
    assert list(partitions) == [variant.name for variant in few]
    assert (partitions["rows 1"] == LEFT_OUT).mean() == pytest.approx(0.37, abs=0.06)
    blocks = np.arange(ROWS) // 6
    kinds = {variant.name: variant.changed for variant in few}
    rows = agreement_rows(truth, partitions, kinds, blocks, 20, 1)
    amis = [row for row in rows if row["figure"] == "ami"]
    assert [row["value"] for row in amis] == near([1.0] * len(few))
    assert {row["rows"] for row in amis} == {ROWS, len(few[-1].rows)}
    survived = survival_rows(truth, partitions, 0.8)
    assert [row["members"] for row in survived] == [ROWS // 4] * 4
    assert all(row["stable"] for row in survived)
    assert {(row["survived"], row["runs"]) for row in survived} == {(len(few) - 1, len(few) - 1)}


def test_a_cluster_that_is_an_accident_does_not_stay():
    """Found by one of three; the other two have its rows in halves of others."""
    labels = np.repeat([0, 1, 2], [40, 30, 10]).astype(np.int32)
    lost = np.repeat([0, 1, 0, 1], [40, 30, 5, 5]).astype(np.int32)
    partitions = {"a": labels, "b": lost, "c": lost}
    rows = survival_rows(labels, partitions, 0.8)
    assert [row["stable"] for row in rows] == [True, True, False]
    assert rows[2]["share"] == near(1 / 3)
    assert rows[2]["mean_jaccard"] == near((1 + 2 * 5 / 40) / 3)


def test_a_cluster_that_the_sample_alone_does_not_show_is_not_judged():
    labels = np.repeat([0, 1, 2], [40, 30, 10]).astype(np.int32)
    lost = np.repeat([0, 1, 0, 1], [40, 30, 5, 5]).astype(np.int32)
    rows = survival_rows(labels, {SAMPLE: lost, "seed 1": labels, "seed 2": labels}, 0.6)
    assert [row["stable"] for row in rows] == [True, True, None]
    assert [(row["survived"], row["runs"]) for row in rows] == [(2, 2)] * 3


def test_the_sample_alone_is_no_variant():
    """Three of four with it, two of three without."""
    labels = np.repeat([0, 1, 2], [40, 30, 10]).astype(np.int32)
    lost = np.repeat([0, 1, 0, 1], [40, 30, 5, 5]).astype(np.int32)
    rows = survival_rows(labels, {SAMPLE: labels, "a": labels, "b": labels, "c": lost}, 0.7)
    assert [row["stable"] for row in rows] == [True, True, False]
    assert rows[2]["share"] == near(2 / 3)


def test_of_an_only_cluster_nothing_can_be_told():
    one = np.zeros(20, np.int32)
    (row,) = survival_rows(one, {SAMPLE: one, "seed 1": one, "seed 2": one}, 0.8)
    assert (row["survived"], row["runs"], row["stable"]) == (2, 2, None)


def test_without_a_variant_nothing_can_be_told():
    labels = np.repeat([0, 1], 10).astype(np.int32)
    rows = survival_rows(labels, {SAMPLE: labels}, 0.8)
    assert [(row["runs"], row["share"], row["stable"]) for row in rows] == [(0, 0.0, None)] * 2


def test_a_variant_without_a_row_of_a_cluster_says_nothing_of_it():
    labels = np.repeat([0, 1], 10).astype(np.int32)
    half = np.repeat([0, LEFT_OUT], 10).astype(np.int32)
    rows = survival_rows(labels, {"whole": labels, "half": half}, 0.8)
    assert [row["runs"] for row in rows] == [2, 1]
    assert all(row["stable"] for row in rows)


def test_every_two_are_compared_on_the_rows_that_both_have():
    labels = np.repeat([0, 1], 10).astype(np.int32)
    part = labels.copy()
    part[:5] = LEFT_OUT
    rows = pair_rows(labels, {"part": part, "other": np.tile([0, 1], 10).astype(np.int32)})
    found = {(row["one"], row["other"]): row for row in rows}
    assert len(found) == 3
    assert found[RUN, "part"]["ami"] == near(1.0)
    assert abs(found[RUN, "other"]["ari"]) < 0.1


# -- other trainings ------------------------------------------------------------------------


def turned(vectors):
    """The same vectors in other axes: what a training may change without any harm."""
    axes, _ = np.linalg.qr(np.random.default_rng(8).normal(size=(vectors.shape[1],) * 2))
    return (vectors @ axes).astype(np.float32)


def test_another_training_is_clustered_as_the_run():
    vectors, truth = islands()
    noise = np.random.default_rng(9).normal(size=vectors.shape)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    found = training_partitions(
        {"same": vectors, "turned": turned(vectors), "blind": noise.astype(np.float32)},
        DEFAULTS,
        7,
    )
    (alone,) = partitions_of(vectors, chosen(ROWS)[:1]).values()
    np.testing.assert_array_equal(found["same"], alone)
    assert agreement(truth, found["turned"])["ami"] == near(1.0)
    assert agreement(truth, found["blind"])["ami"] < 0.1


def test_another_training_counts_in_survival():
    labels = np.repeat([0, 1], 10).astype(np.int32)
    blind = np.tile([0, 1], 10).astype(np.int32)
    (first, _) = survival_rows(labels, {"seed 1": labels, "training 1": blind}, 0.8)
    assert (first["runs"], first["survived"], first["stable"]) == (2, 1, False)


def sampled(**columns):
    rows = 20
    tiles = {f"tile_{name}": np.ones(rows) for name in ("time", "frequency", "q", "energy", "snr")}
    vectors = np.random.default_rng(2).normal(size=(rows, 384)).astype(np.float32)
    about = {
        "detector": ["H1"] * rows,
        "gps_start": 1000 + 32 * np.arange(rows),
        "view": ["event"] * rows,
        "trigger_time": 1000.5 + 32 * np.arange(rows),
        **tiles,
        "embedding": embedding_column(vectors),
    }
    return pa.table({**about, **columns}, schema=EMBEDDINGS)


def test_vectors_of_another_training_are_those_of_the_samples_rows(tmp_path):
    table = sampled()
    write_table(tmp_path / "training.parquet", EMBEDDINGS, table)
    vectors = training_vectors(tmp_path / "training.parquet", table)
    np.testing.assert_array_equal(vectors[3], table["embedding"][3].as_py())


@pytest.mark.parametrize(
    "other",
    [
        sampled().slice(1),
        sampled().take(pa.array([*range(18), 19, 18])),
        sampled(detector=["L1"] * 20),
        sampled(trigger_time=1000.25 + 32 * np.arange(20)),
    ],
    ids=["fewer", "another order", "another detector", "other events"],
)
def test_vectors_of_other_rows_than_the_samples_are_refused(tmp_path, other):
    write_table(tmp_path / "training.parquet", EMBEDDINGS, other)
    with pytest.raises(TableError, match=r"training\.parquet: expected the 20 rows of the sample"):
        training_vectors(tmp_path / "training.parquet", sampled())
