# Needs the labelled pictures of section `learning`. Trains networks to name their classes, with every
# batch size, window and split, and compares them on glitches that no training saw.


wildcard_constraints:
    trained=CLASSIFIER_NAMES,
    split="given|random|temporal",


rule supervised:
    input:
        supervised_files(),
        f"results/{RUN}/supervised/config.yaml",


rule supervise:
    input:
        pictures=pictures_of_training,
        start=start_of,
    output:
        weights=CLASSIFIER,
        predictions=PREDICTED,
        curves=CLASSIFIER_CURVES,
        facts=CLASSIFIER_FACTS,
        cost=CLASSIFIER_COST,
    log:
        "results/{run}/logs/supervise/{trained}.log",
    benchmark:
        "results/{run}/benchmarks/supervise/{trained}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=8000,
        runtime=600,
    params:
        training=training_named,
        recipe=classifier_recipe(),
        start=untracked(SUPERVISED.weights),
        start_content=content_of_each(start_of),
        learning=keys("learning", "checkpoint_steps", "device", "precision"),
        section=untracked(keys("learning")),
        code=code("supervise"),
    message:
        "Training classifier {wildcards.trained}"
    script:
        "../../scripts/supervise.py"


rule trigger_boosting:
    input:
        pictures=LABELLED_PICTURES.replace("{window}", SUPERVISED.windows[0]),
    output:
        predictions=BOOSTED,
        facts=BOOSTED_FACTS,
    log:
        "results/{run}/logs/trigger_boosting/{split}.log",
    benchmark:
        "results/{run}/benchmarks/trigger_boosting/{split}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        name=lambda wildcards: f"triggers-{wildcards.split}",
        window=SUPERVISED.windows[0],
        learning={
            name: getattr(LEARNING, name)
            for name in ("seed", "validation_fraction", "test_fraction")
        },
        section=untracked(keys("learning")),
        code=code("trigger_boosting"),
    message:
        "Naming classes by trigger columns alone ({wildcards.split} split)"
    script:
        "../../scripts/trigger_boosting.py"


rule supervised_scores:
    input:
        predictions=of_all_classifiers(PREDICTED, BOOSTED),
        facts=of_all_classifiers(CLASSIFIER_FACTS, BOOSTED_FACTS),
        curves=of_all_trainings(CLASSIFIER_CURVES),
    output:
        accuracy=ACCURACY,
        curves=JOINED_CURVES,
    log:
        "results/{run}/logs/supervised_scores.log",
    benchmark:
        "results/{run}/benchmarks/supervised_scores.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        seed=LEARNING.seed,
        code=code("supervised_scores"),
    message:
        "Scoring what classifiers name"
    script:
        "../../scripts/supervised_scores.py"


rule supervised_report:
    input:
        accuracy=ACCURACY,
        curves=JOINED_CURVES,
        predictions=of_all_trainings(PREDICTED),
        costs=of_all_trainings(CLASSIFIER_COST),
        pictures=expand(
            LABELLED_PICTURES, window=SUPERVISED.windows, allow_missing=True
        ),
    output:
        html=report(
            "results/{run}/supervised/classifiers.html",
            caption="../report/supervised.rst",
            category="Learning",
            labels={"question": "supervised", "content": "table"},
        ),
        curves=report(
            "results/{run}/supervised/curves.svg",
            caption="../report/supervised_curves.rst",
            category="Learning",
            labels={"question": "supervised", "content": "learning curves"},
        ),
        confusion=report(
            "results/{run}/supervised/confusion.svg",
            caption="../report/supervised_confusion.rst",
            category="Learning",
            labels={"question": "supervised", "content": "what is taken for what"},
        ),
        mistakes=report(
            "results/{run}/supervised/mistakes.png",
            caption="../report/supervised_mistakes.rst",
            category="Learning",
            labels={"question": "supervised", "content": "worst mistakes"},
        ),
    log:
        "results/{run}/logs/supervised_report.log",
    benchmark:
        "results/{run}/benchmarks/supervised_report.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        trainings=list(CLASSIFIERS),
        windows=SUPERVISED.windows,
        mistakes=SUPERVISED.mistakes,
        code=code("supervised_report"),
    message:
        "Drawing the comparison of classifiers"
    script:
        "../../scripts/supervised_report.py"
