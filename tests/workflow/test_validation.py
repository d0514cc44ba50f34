"""Validation of a small run through the real workflow."""

import re

import pytest
from workflow_project import build

from gwmorph.evidence.ablation import CHANGES, EXCHANGED, RANDOM
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import AGREEMENTS, DISTORTION, NOT_APPLICABLE, SEPARATION, SURVIVAL

pytestmark = pytest.mark.workflow

FEW = {
    "seeds": 1,
    "bootstraps": 1,
    "neighbors": [6],
    **{
        name: []
        for name in (
            "min_dist", "dimensions", "pca_components", "components", "concentration",
            "covariance_scale",
        )
    },
}  # fmt: skip
SMALL = {
    "rows": 50,
    "repeats": 20,
    "permutations": 19,
    "ablation": {"rows": 50, "blocks": 4},
    "stability": FEW,
}
FOLDER = "validation/window"


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    # Of so little strain there are too few events to cluster.
    project = build(tmp_path_factory.mktemp("validation") / "project").change(
        clustering={"views": ["window"]}, validation=SMALL
    )
    project.make("validation")
    return project


def table(project, name, schema):
    return read_table(project.folder / "results" / "t" / FOLDER / f"{name}.parquet", schema)


def jobs(printed):
    return sorted(re.findall(r"^Job \d+: (.+)$", printed, flags=re.MULTILINE))


def test_validation_leaves_a_figure_and_a_page_for_every_question(validated):
    made = set(validated.results())
    for question in ("ablation", "stability", "distortion"):
        assert {f"{FOLDER}/{question}.png", f"{FOLDER}/{question}.html"} <= made
    assert "validation/config.yaml" in made
    clusters = read_table(
        validated.folder / "results/t/clusters/window/clusters.parquet", CLUSTERS
    )
    count = len(set(clusters["cluster"].to_pylist()))
    assert len(table(validated, "survival", SURVIVAL)) == count
    assert len(table(validated, "separation", SEPARATION)) == count
    assert len(table(validated, "distortion", DISTORTION)) == 2 * 4
    variants = dict.fromkeys(table(validated, "stability", AGREEMENTS)["variant"].to_pylist())
    assert list(variants) == ["sample alone", "seed 1", "neighbors 6", "rows 1"]


def test_every_change_is_tried_and_what_does_not_apply_has_no_value(validated):
    rows = table(validated, "ablation", AGREEMENTS).to_pylist()
    clusters = {row["variant"]: row["clusters"] for row in rows}
    assert set(clusters) == {*CHANGES, RANDOM, EXCHANGED}
    # The encoder is dct: it reads energies, in one precision.
    lost = {name for name, count in clusters.items() if not count}
    assert lost == {"greyscale", "colormap", "precision"}
    for row in rows:
        assert (row["variant"] in lost) == (row["changed"] == NOT_APPLICABLE)
        assert not (row["variant"] in lost and row["value"] == row["value"])


def test_one_change_reruns_alone(validated):
    path = validated.folder / "results" / "t" / FOLDER / "ablation" / "q_range.parquet"
    before = path.read_bytes()
    path.unlink()
    printed = validated.make("--dry-run", "validation")
    assert [job for job in jobs(printed) if "change" in job] == [
        "Comparing the clusters of changed window views of run t",
        "Drawing window views of run t with a change: q_range",
    ]
    validated.make("validation")
    assert path.read_bytes() == before


def test_each_question_reruns_alone(validated):
    more = validated.change(validation={"permutations": 29})
    assert [job for job in jobs(more.make("--dry-run", "validation")) if "record" not in job] == [
        "Comparing the layout of the window views of run t with their vectors",
        "Drawing what UMAP did to the window views of run t",
        "Recording the configuration of run t",
    ]


def test_a_run_is_not_validated_unless_it_is_asked_for(validated):
    assert not [job for job in validated.would_run() if "in other ways" in job]


def test_report_of_a_validation_is_made(validated):
    validated.make("validation", "--report", "validation.zip")
    assert (validated.folder / "validation.zip").stat().st_size > 100_000
