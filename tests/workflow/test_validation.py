"""Validation of a small run through the real workflow."""

import csv
import re
import shutil

import pytest
from workflow_project import CHANGES, Project, copied

from gwmorph.evidence.ablation import EXCHANGED, RANDOM
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import (
    AGREEMENTS,
    ANOMALIES,
    ANOMALOUS_CLUSTERS,
    CLUSTERERS,
    DISTORTION,
    NAMED_CLUSTERS,
    NAMED_ROWS,
    NAMING,
    NOT_APPLICABLE,
    NOTICED,
    SEPARATION,
    SURVIVAL,
)

pytestmark = pytest.mark.workflow

FOLDER = "validation/window"


@pytest.fixture(scope="module")
def validated(labelled, tmp_path_factory):
    project = copied(labelled, tmp_path_factory.mktemp("validated") / "project")
    project.make("validation")
    return project


def table(project, name, schema):
    return read_table(project.folder / "results" / "t" / FOLDER / f"{name}.parquet", schema)


def jobs(printed):
    return sorted(re.findall(r"^Job \d+: (.+)$", printed, flags=re.MULTILINE))


def test_validation_leaves_a_figure_and_a_page_for_every_question(validated):
    made = set(validated.results())
    questions = ("ablation", "stability", "distortion", "anomaly", "similarity", "clusterers")
    for question in questions:
        assert {f"{FOLDER}/{question}.svg", f"{FOLDER}/{question}.html"} <= made
    assert "validation/config.yaml" in made
    clusters = read_table(
        validated.folder / "results/t/clusters/window/clusters.parquet", CLUSTERS
    )
    count = len(set(clusters["cluster"].to_pylist()))
    assert len(table(validated, "survival", SURVIVAL)) == count
    assert len(table(validated, "separation", SEPARATION)) == count
    assert len(table(validated, "distortion", DISTORTION)) == 2 * 4
    assert len(table(validated, "anomalous_clusters", ANOMALOUS_CLUSTERS)) == count
    rows = table(validated, "anomalies", ANOMALIES)
    assert rows["cluster"].to_pylist() == clusters["cluster"].to_pylist()
    assert set(table(validated, "noticed", NOTICED)["left_out"].to_pylist()) <= {
        None, "Blip", "Whistle",
    }  # fmt: skip
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


NAMES = "Naming the window clusters of run t"
# What shows names, and what shows that.
SHOWING = [
    "Making the explorer of run t",
    "Drawing examples of every window cluster of run t",
    "Drawing the map of the window views of run t",
    "Writing the summary of run t as a page",
    "Writing the table of window clusters of run t",
]
# By the same neighbours.
STATUSES = [
    "Saying what becomes of the windows of run t",
    "Drawing what becomes of the windows of run t",
]
SUMMARY = "Summing up run t"
RECORD = "Recording the configuration of run t"


def test_names_stand_in_the_cluster_table_of_every_run(validated):
    named = table(validated, "named_clusters", NAMED_CLUSTERS).to_pylist()
    tables = validated.folder / "results/t/tables/window"
    with (tables / "clusters.csv").open(newline="") as stream:
        listed = list(csv.DictReader(stream))
    assert {(int(row["cluster"]), row["named"]) for row in listed} == {
        (row["cluster"], row["named"]) for row in named
    }
    assert "neighbours agree" in (tables / "clusters.html").read_text()


def test_a_key_of_names_reruns_them_and_what_shows_them(validated):
    assert validated.would_run() == []
    fewer = validated.change(validation={"similarity": {"neighbors": 2}})
    assert fewer.would_run() == sorted([NAMES, *STATUSES, SUMMARY, *SHOWING, RECORD])
    for key in ({"permutations": 29}, {"seed": 18}, {"similarity": {"gap_s": 32.0}}):
        assert validated.change(validation=key).would_run() == [RECORD]


def test_without_labels_a_run_shows_no_names(validated):
    unnamed = validated.change(validation={"similarity": {"labels": None}})
    # Its clusters are what windows are judged by then.
    limits = "Setting limits for the window views of run t"
    assert unnamed.would_run() == sorted([limits, *STATUSES, SUMMARY, *SHOWING, RECORD])


def test_lost_names_are_made_again(validated, tmp_path):
    path = validated.folder / "results" / "t" / FOLDER / "named_clusters.parquet"
    before = path.rename(tmp_path / "lost").read_bytes()
    assert {NAMES, RECORD} <= set(validated.would_run())
    validated.make()
    assert path.read_bytes() == before
    # They are the validation's, too, which was no longer whole.
    assert not (validated.folder / "results/t/validation/config.yaml").exists()
    validated.make("validation")


def test_names_that_a_validation_changes_withdraw_the_runs_record(validated, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(validated.folder, folder, symlinks=True)
    project = Project(folder, validated.config).change(validation={"similarity": {"neighbors": 2}})
    project.make("validation")
    assert not (folder / "results/t/config.yaml").exists()
    assert project.would_run() == sorted([*STATUSES, SUMMARY, *SHOWING, RECORD])


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


def test_a_reference_made_in_another_way_is_refused_before_any_job(validated):
    named = {"similarity": {"reference": "results/t/validation", "labels": None}}
    brighter = {"energy_max": 20.0}
    other = validated.change(run={"name": "another"}, validation=named, picture=brighter)
    said = "expected gwmorph.render_id = "
    done = other.snakemake("validation")
    assert done.returncode != 0
    assert f"TableError: results/t/validation/window/reference.parquet: {said}" in done.stdout
    assert not jobs(done.stdout)
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


@pytest.mark.parametrize("change", [{"repeats": 21}, {"ablation": {"changes": CHANGES[:2]}}])
def test_no_picture_is_changed_again_for_another_key(validated, change):
    printed = validated.change(validation=change).make("--dry-run", "validation")
    assert [job for job in jobs(printed) if "change" in job] == [
        "Comparing the clusters of changed window views of run t"
    ]


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
