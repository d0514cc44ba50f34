# What the rules of specialising encoders to labels share: the names of their files, and the functions
# that tell a rule its inputs and params.

import sys
from pathlib import Path

FINETUNE = CONFIG.finetune
FINETUNED = f"results/{RUN}/finetune"
FINETUNED_ENCODER = "results/{run}/finetune/{backbone}/encoder"
FINETUNED_PREDICTIONS = "results/{run}/finetune/{backbone}/predictions.parquet"
FINETUNED_CURVES = "results/{run}/finetune/{backbone}/curves.parquet"
FINETUNED_FEATURES = "results/{run}/finetune/{backbone}/features.parquet"
FINETUNE_SCORES = "results/{run}/finetune/scores.parquet"
FEATURE_MAPS = "results/{run}/finetune/maps.parquet"
FEW_SHOT = "results/{run}/finetune/few_shot.parquet"


def finetune_files():
    """Return what encoders are specialised for."""
    names = ["scores.html", "scores.svg", "confusion.svg", "maps.svg", "curves.svg"]
    named = CONFIG.comparison.glitch_pictures or CONFIG.comparison.labelled_strain
    shown = names + (["few_shot.html", "few_shot.svg"] if named else [])
    encoders = expand(FINETUNED_ENCODER, run=RUN, backbone=FINETUNE.backbones)
    return [f"{FINETUNED}/{name}" for name in shown] + encoders


def backbone_weights(wildcards):
    """Return the file of weights that an encoder is specialised from."""
    if wildcards.backbone == "indomain":
        return [CONFIG.encoder.indomain.path or SHIPPED_WEIGHTS]
    path = Path(FINETUNE.transformers[wildcards.backbone]) / "model.safetensors"
    if not path.is_file():
        sys.exit(
            f"ConfigError: finetune.transformers.{wildcards.backbone}: {path}: no such file; name "
            "a folder with config.json and model.safetensors."
        )
    return as_inputs("finetune.transformers", [str(path)])


def other_pictures(wildcards):
    """Return the labelled pictures of another run, if they are named."""
    path = FINETUNE.transfer.pictures
    return as_inputs("finetune.transfer.pictures", [path] if path else [])


def few_shot_encoders():
    """Return the encoders that real glitches are told by: as compared, and without training."""
    return [*CONFIG.comparison.encoders, "random"]


def fine_tuned_weights(wildcards):
    """Return by its name in tables the in-domain encoder that was fine-tuned, if it was."""
    if "indomain" not in FINETUNE.backbones:
        return {}
    folder = FINETUNED_ENCODER.format(run=wildcards.run, backbone="indomain")
    return {"indomain_finetuned": f"{folder}/encoder.safetensors"}


def fine_tuned_encoders(wildcards):
    """Return the folders of the encoders that were fine-tuned and can be told glitches by."""
    return [str(Path(path).parent) for path in fine_tuned_weights(wildcards).values()]
