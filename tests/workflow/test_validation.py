"""Validation of a small run through the real workflow."""

import re

import pytest
from workflow_project import DETECTORS, border, build

from gwmorph.evidence.ablation import EXCHANGED, RANDOM
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import (
    AGREEMENTS,
    CLUSTERERS,
    DISTORTION,
    NAMED_CLUSTERS,
    NAMED_ROWS,
    NAMING,
    NOT_APPLICABLE,
    SEPARATION,
    SURVIVAL,
)

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
# Of each kind; what they do is tested without Snakemake.
CHANGES = ["greyscale", "gain_each", "q_range", "precision"]
SMALL = {
    "rows": 50,
    "repeats": 20,
    "permutations": 19,
    "ablation": {"rows": 50, "blocks": 6, "changes": CHANGES},
    "similarity": {"labels": "labels.csv", "neighbors": 3, "gap_s": 64.0},
    "stability": FEW,
}
FOLDER = "validation/window"


def labels_in_every_window():
    """Gravity Spy's columns: two classes in turn, one label in each window of either detector."""
    rows = ["GPStime,ifo,label,confidence,id,snr,peakFreq"]
    for number in range(4):
        for place, second in enumerate(range(-80, 81, 32)):
            for detector in DETECTORS:
                name = f"{detector}{number}{place}"
                label = ("Blip", "Whistle")[place % 2]
                rows.append(f"{border(number) + second},{detector},{label},0.9,{name},9,100")
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    # Of so little strain there are too few events to cluster.
    project = build(tmp_path_factory.mktemp("validation") / "project").change(
        clustering={"views": ["window"]}, validation=SMALL
    )
    (project.folder / "labels.csv").write_text(labels_in_every_window())
    project.make("validation")
    return project


def table(project, name, schema):
    return read_table(project.folder / "results" / "t" / FOLDER / f"{name}.parquet", schema)


def jobs(printed):
    return sorted(re.findall(r"^Job \d+: (.+)$", printed, flags=re.MULTILINE))


def test_validation_leaves_a_figure_and_a_page_for_every_question(validated):
    made = set(validated.results())
    for question in ("ablation", "stability", "distortion", "similarity", "clusterers"):
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


def test_rows_and_clusters_are_named_by_labels(validated):
    rows = table(validated, "named_rows", NAMED_ROWS).to_pylist()
    assert {row["label"] for row in rows} >= {"Blip", "Whistle"}
    assert {row["named"] for row in rows} <= {"Blip", "Whistle", ""}
    named = table(validated, "named_clusters", NAMED_CLUSTERS).to_pylist()
    assert sum(row["neighbors"] for row in named) == 3 * len(rows)
    scored = [r for r in table(validated, "naming", NAMING).to_pylist() if r["figure"] == "top1"]
    assert {row["features"] for row in scored} == {"vectors", "trigger columns"}


def test_clusterers_are_compared_with_the_labels(validated):
    rows = table(validated, "clusterers", CLUSTERERS).to_pylist()
    named = list(dict.fromkeys(row["clusterer"] for row in rows))
    assert named[:2] == ["the run", "mixture"]
    assert named[-3:] == ["k-means", "finite mixture", "random clusters"]
    assert {row["classes"] for row in rows} == {2}
    assert all(-1 <= row["value"] <= 1 for row in rows if row["figure"] == "ami")
    page = (validated.folder / "results/t" / FOLDER / "clusterers.html").read_text()
    assert "labelled rows, number of classes 2" in page


def test_a_run_without_labels_of_its_own_has_no_clusterers_to_compare(validated):
    """Another run's reference names its clusters, and has no classes of these rows."""
    other = {"labels": None, "reference": "results/t/validation"}
    printed = validated.change(validation={"similarity": other}).make("--dry-run", "validation")
    assert "Naming the window clusters of run t" in jobs(printed)
    assert not [job for job in jobs(printed) if "by other methods" in job]
    assert "clusterers" not in printed


def test_clusterers_rerun_alone(validated):
    path = validated.folder / "results" / "t" / FOLDER / "clusterers.parquet"
    before = path.read_bytes()
    path.unlink()
    printed = validated.make("--dry-run", "validation")
    assert [job for job in jobs(printed) if "record" not in job] == [
        "Cutting the window views of run t by other methods",
        "Drawing how other methods cut the window views of run t",
        "Recording the configuration of run t",
    ]
    validated.make("validation")
    assert path.read_bytes() == before


def test_a_reference_of_another_view_or_none_is_refused(validated):
    other = validated.change(validation={"similarity": {"reference": "results/none/validation"}})
    done = other.snakemake("--dry-run", "validation")
    assert done.returncode != 0
    assert "validation.similarity.reference: results/none/validation/window/" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_runs_own_reference_names_another_one(validated):
    """Of the same rows, which do not name themselves."""
    again = validated.change(validation={"similarity": {"reference": "results/t/validation"}})
    printed = again.make("--dry-run", "validation")
    assert "Naming the window clusters of run t" in jobs(printed)


def test_every_change_is_tried_and_what_does_not_apply_has_no_value(validated):
    rows = table(validated, "ablation", AGREEMENTS).to_pylist()
    clusters = {row["variant"]: row["clusters"] for row in rows}
    assert set(clusters) == {*CHANGES, RANDOM, EXCHANGED}
    # The encoder is dct: it reads energies, in one precision.
    lost = {name for name, count in clusters.items() if not count}
    assert lost == {"greyscale", "precision"}
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
