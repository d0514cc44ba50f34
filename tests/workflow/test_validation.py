"""Validation of a small run through the real workflow."""

import re

import pytest
from workflow_project import build

from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import AGREEMENTS, DISTORTION, SEPARATION, SURVIVAL

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
SMALL = {"rows": 50, "repeats": 20, "permutations": 19, "stability": FEW}
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
    for question in ("stability", "distortion"):
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
