"""Encoders specialised through the real workflow, small enough for a test."""

import json

import pytest
from test_comparison import write_glitches, write_strain, write_weights
from workflow_project import build

from gwmorph.encoders.indomain import IndomainEncoder, left_out
from gwmorph.tables.comparison import ENCODER_QUALITY
from gwmorph.tables.finetune import FINETUNE_MAPS, FINETUNE_SCORES, FULL, PROBE, TRIGGERS
from gwmorph.tables.parquet import read_table
from gwmorph.tables.training import CURVES

pytestmark = pytest.mark.workflow

FINETUNE = {
    "backbones": ["indomain", "tiny_vit"],
    "transformers": {"tiny_vit": "vit"},
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


def write_transformer(folder):
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=32, patch_size=16,
    )  # fmt: skip
    transformers.ViTModel(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def specialised(tmp_path_factory):
    project = build(tmp_path_factory.mktemp("finetune") / "project")
    write_glitches(project.folder / "glitches")
    write_strain(project.folder / "labelled.hdf5")
    write_weights(project.folder)
    write_transformer(project.folder / "vit")
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
    ways = {(row["backbone"], row["method"]) for row in scores if row["data"] == "test"}
    methods = (TRIGGERS, PROBE, "head of 1 layer", "head of 2 layers", FULL)
    assert ways == {(name, way) for name in FINETUNE["backbones"] for way in methods}
    assert {row["pictures"] for row in scores if row["data"] == "real glitches"} == {3}
    quality = read_table(folder / "few_shot.parquet", ENCODER_QUALITY).to_pylist()
    real = {row["features"] for row in quality if row["data"] == "real"}
    assert real == {"dct", "indomain", "random", "indomain_finetuned", "pixels"}
    maps = read_table(folder / "maps.parquet", FINETUNE_MAPS)
    assert len(maps) == 2 * 2 * 8
    for name in FINETUNE["backbones"]:
        assert len(read_table(folder / name / "curves.parquet", CURVES))
        assert not list((folder / name).glob("*.pt"))
    for name in ("scores", "confusion", "maps", "curves", "few_shot"):
        assert (folder / f"{name}.svg").stat().st_size > 5000
    weights = folder / "indomain" / "encoder" / "encoder.safetensors"
    given = IndomainEncoder(specialised.folder / "own.safetensors", (112, 112))
    assert IndomainEncoder(weights, (112, 112)).encoder_id != given.encoder_id
    assert left_out(weights) == set()
    told = json.loads((folder / "tiny_vit" / "encoder" / "fine_tuned.json").read_text())
    assert told["classes"] == LEARNING["classes"]
    # What was made can be a run's encoder.
    tuned = specialised.change(encoder={"name": "indomain", "indomain": {"path": str(weights)}})
    assert any("mbedding" in job or "Encoding" in job for job in tuned.would_run())
    assert specialised.would_run_for("finetune") == []
    other = specialised.change(finetune={"full_steps": 5}).would_run_for("finetune")
    assert any("Specialising" in job for job in other)
    assert not any("Drawing event views" in job for job in other)
    captions = specialised.make("finetune", "--report", "report.zip", cores=1)
    assert "finetune" not in captions or (specialised.folder / "report.zip").exists()
