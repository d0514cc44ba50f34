"""An encoder specialised through the real workflow, small enough for a test."""

from zipfile import ZipFile

import pytest
from test_comparison import write_glitches, write_strain, write_weights

from gwmorph.encoders.indomain import IndomainEncoder, left_out
from gwmorph.tables.comparison import ENCODER_QUALITY
from gwmorph.tables.finetune import FINETUNE_MAPS, FINETUNE_SCORES, FULL, PROBE, TRIGGERS
from gwmorph.tables.parquet import read_table
from gwmorph.tables.training import CURVES

pytestmark = pytest.mark.workflow

FINETUNE = {
    "head_layers": [1, 2],
    "head_steps": 20,
    "full_steps": 4,
    "validation_steps": 2,
    "batch_size": 6,
    "hidden": 8,
    "folds": 2,
    "maps": ["t-SNE"],  # UMAP takes half a minute to compile
}
LEARNING = {"classes": ["blip", "scattered_light"], "per_class": 12, "precision": "float32"}


@pytest.fixture(scope="module")
def specialised(new, tmp_path_factory):
    project = new(tmp_path_factory.mktemp("finetune") / "project")
    write_glitches(project.folder / "glitches")
    write_strain(project.folder / "labelled.hdf5")
    write_weights(project.folder)
    changed = project.change(
        run={"name": "tuned"},
        learning={**LEARNING, "validation_fraction": 0.25, "test_fraction": 0.34},
        finetune=FINETUNE,
        comparison={
            "encoders": ["dct", "indomain"],
            "glitch_pictures": "glitches",
            "labelled_strain": ["labelled.hdf5"],
        },
        encoder={"indomain": {"path": "own.safetensors"}},
        picture={"height": 112, "width": 112},
    )
    changed.make("finetune")
    return changed


def test_every_way_is_scored_and_shown_and_the_encoder_can_be_used(specialised):
    folder = specialised.folder / "results" / "tuned" / "finetune"
    scores = read_table(folder / "scores.parquet", FINETUNE_SCORES).to_pylist()
    methods = (TRIGGERS, PROBE, "head of 1 layer", "head of 2 layers", FULL)
    ways = {(row["data"], row["method"]) for row in scores}
    assert ways == {(data, way) for data in ("test", "real glitches") for way in methods}
    assert {row["pictures"] for row in scores if row["data"] == "real glitches"} == {3}
    quality = read_table(folder / "few_shot.parquet", ENCODER_QUALITY).to_pylist()
    # The strain holds blips alone, among which nothing can be told.
    told = {(row["data"], row["features"]) for row in quality}
    encoders = ("dct", "indomain", "random", "indomain_finetuned", "pixels")
    assert told == {("real", name) for name in encoders}
    assert len(read_table(folder / "maps.parquet", FINETUNE_MAPS)) == 2 * 8
    assert len(read_table(folder / "indomain" / "curves.parquet", CURVES))
    assert not list((folder / "indomain").glob("*.pt"))
    for name in ("scores", "confusion", "maps", "curves", "few_shot"):
        assert (folder / f"{name}.svg").stat().st_size > 5000
    weights = folder / "indomain" / "encoder" / "encoder.safetensors"
    given = IndomainEncoder(specialised.folder / "own.safetensors", (112, 112))
    assert IndomainEncoder(weights, (112, 112)).encoder_id != given.encoder_id
    assert left_out(weights) == set()


def test_only_what_a_key_changes_runs_again(specialised):
    longer = specialised.change(finetune={"full_steps": 5}).would_run_for("finetune")
    assert any("Specialising" in job for job in longer)
    assert not any("Drawing event views" in job for job in longer)
    assert not any("Specialising" in job for job in specialised.would_run())


def test_the_report_has_every_caption(specialised):
    specialised.make("finetune", "--report", "report.zip", cores=1)
    with ZipFile(specialised.folder / "report.zip") as report:
        page = "".join(
            report.read(name).decode(errors="replace")
            for name in report.namelist()
            if name.endswith((".html", ".js"))
        )
    for words in ("What labels add", "beside the diagonal", "drawn apart", "by heart", "few exam"):
        assert words in page
