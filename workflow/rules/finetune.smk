# Needs labelled pictures (section `learning`). Specialises encoders to them: a probe and perceptrons on
# frozen vectors, and full fine-tuning; then asks what was trained about other labelled sets, and
# encoders about the few real glitches that section `comparison` names.


wildcard_constraints:
    backbone="[a-z0-9_]+",


rule finetune:
    input:
        finetune_files(),
        f"{FINETUNED}/config.yaml",


rule finetune_backbone:
    input:
        weights=backbone_weights,
        pictures=LABELLED_PICTURES.replace("{window}", FINETUNE.window),
        others=other_pictures,
        real_strain=where_strain(STRAIN_VIEWS),
    output:
        predictions=FINETUNED_PREDICTIONS,
        curves=FINETUNED_CURVES,
        features=FINETUNED_FEATURES,
        encoder=directory(FINETUNED_ENCODER),
    log:
        "results/{run}/logs/finetune_backbone/{backbone}.log",
    benchmark:
        "results/{run}/benchmarks/finetune_backbone/{backbone}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=6000,
        runtime=600,
    params:
        training=keys(
            "finetune", "backbones", "transformers", "maps", "few_shot_penalty"
        ),
        section=untracked(keys("finetune")),
        learning=keys(
            "learning",
            *set(type(LEARNING).model_fields)
            - {
                "validation_fraction",
                "test_fraction",
                "seed",
                "device",
                "precision",
                "checkpoint_steps",
            },
        ),
        content=content_of_each(backbone_weights),
        code=code("finetune_backbone"),
    message:
        "Specialising {wildcards.backbone} to labelled pictures"
    script:
        "../../scripts/finetune_backbone.py"


rule finetune_scores:
    input:
        predictions=expand(
            FINETUNED_PREDICTIONS, backbone=FINETUNE.backbones, allow_missing=True
        ),
    output:
        scores=FINETUNE_SCORES,
    log:
        "results/{run}/logs/finetune_scores.log",
    benchmark:
        "results/{run}/benchmarks/finetune_scores.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        seed=LEARNING.seed,
        code=code("finetune_scores"),
    message:
        "Scoring specialised encoders"
    script:
        "../../scripts/finetune_scores.py"


rule feature_maps:
    input:
        features=expand(
            FINETUNED_FEATURES, backbone=FINETUNE.backbones, allow_missing=True
        ),
    output:
        maps=FEATURE_MAPS,
    log:
        "results/{run}/logs/feature_maps.log",
    benchmark:
        "results/{run}/benchmarks/feature_maps.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        backbones=FINETUNE.backbones,
        maps=FINETUNE.maps,
        clustering=keys("clustering"),
        seed=LEARNING.seed,
        code=code("feature_maps"),
    message:
        "Laying out vectors before and after fine-tuning"
    script:
        "../../scripts/feature_maps.py"


rule few_shot:
    input:
        glitches=glitch_picture_files,
        real_strain=where_strain(STRAIN_VIEWS),
        encoders=fine_tuned_encoders,
    output:
        quality=FEW_SHOT,
    log:
        "results/{run}/logs/few_shot.log",
    benchmark:
        "results/{run}/benchmarks/few_shot.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=2500,
        runtime=30,
    params:
        encoders=few_shot_encoders(),
        content=[compared_keys(name) for name in few_shot_encoders()],
        section=untracked(keys("encoder")),
        fine_tuned=fine_tuned_weights,
        picture=keys("picture"),
        glitch_pictures=CONFIG.comparison.glitch_pictures,
        penalty=FINETUNE.few_shot_penalty,
        seed=CONFIG.comparison.seed,
        code=code("few_shot"),
    message:
        "Telling real glitches by few examples"
    script:
        "../../scripts/few_shot.py"


rule finetune_report:
    input:
        scores=FINETUNE_SCORES,
        predictions=expand(
            FINETUNED_PREDICTIONS, backbone=FINETUNE.backbones, allow_missing=True
        ),
        curves=expand(FINETUNED_CURVES, backbone=FINETUNE.backbones, allow_missing=True),
        maps=FEATURE_MAPS,
    output:
        html=report(
            "results/{run}/finetune/scores.html",
            caption="../report/finetune.rst",
            category="Learning",
            labels={"content": "specialised encoders"},
        ),
        figure=report(
            "results/{run}/finetune/scores.svg",
            caption="../report/finetune.rst",
            category="Learning",
            labels={"content": "specialised encoders, F1"},
        ),
        confusion=report(
            "results/{run}/finetune/confusion.svg",
            caption="../report/finetune_confusion.rst",
            category="Learning",
            labels={"content": "specialised encoders, confusion"},
        ),
        maps=report(
            "results/{run}/finetune/maps.svg",
            caption="../report/finetune_maps.rst",
            category="Learning",
            labels={"content": "vectors before and after fine-tuning"},
        ),
        curves=report(
            "results/{run}/finetune/curves.svg",
            caption="../report/finetune_curves.rst",
            category="Learning",
            labels={"content": "fine-tuning, learning curves"},
        ),
    log:
        "results/{run}/logs/finetune_report.log",
    benchmark:
        "results/{run}/benchmarks/finetune_report.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        backbones=FINETUNE.backbones,
        code=code("finetune_report"),
    message:
        "Drawing specialised encoders of run {wildcards.run}"
    script:
        "../../scripts/finetune_report.py"


rule few_shot_report:
    input:
        quality=FEW_SHOT,
    output:
        html=report(
            "results/{run}/finetune/few_shot.html",
            caption="../report/few_shot.rst",
            category="Learning",
            labels={"content": "real glitches, few examples"},
        ),
        figure=report(
            "results/{run}/finetune/few_shot.svg",
            caption="../report/few_shot.rst",
            category="Learning",
            labels={"content": "real glitches, few examples, figure"},
        ),
    log:
        "results/{run}/logs/few_shot_report.log",
    benchmark:
        "results/{run}/benchmarks/few_shot_report.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code("few_shot_report"),
    message:
        "Drawing what real glitches are taken for by few examples"
    script:
        "../../scripts/few_shot_report.py"
