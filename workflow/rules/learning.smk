# Needs what section `learning` names: simulated signals, a release of labelled pictures, or a run's
# events. Makes the labelled pictures that `supervised`, `autoencoder` and `finetune` learn from.


wildcard_constraints:
    window=r"all|0\.5|1|2|4",
    morphology="[a-z0-9_]+",


rule learning_views:
    input:
        population=LEARNING.population,
    output:
        views=LEARNING_VIEWS,
    log:
        "results/{run}/logs/learning_views/{morphology}.log",
    benchmark:
        "results/{run}/benchmarks/learning_views/{morphology}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        snrs=[LEARNING.snr_low, LEARNING.snr_high],
        draws={
            name: getattr(LEARNING, name) for name in ("detector", "seed", "per_class")
        },
        window_s=CONFIG.window.duration_s,
        rendering=LOOKING["rendering"],
        events=LOOKING["events"],
        code=code("learning_views"),
    message:
        "Drawing event views of {wildcards.morphology} to learn from"
    script:
        "../../scripts/learning_views.py"


rule labelled_pictures:
    input:
        unpack(picture_sources),
    output:
        pictures=LABELLED_PICTURES,
    log:
        "results/{run}/logs/labelled_pictures/{window}.log",
    benchmark:
        "results/{run}/benchmarks/labelled_pictures/{window}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        source=LEARNING.source,
        section=untracked(keys("learning")),
        picture=keys("picture"),
        window_s=CONFIG.window.duration_s,
        code=code("labelled_pictures"),
    message:
        "Putting labelled pictures together (window {wildcards.window})"
    script:
        "../../scripts/labelled_pictures.py"
