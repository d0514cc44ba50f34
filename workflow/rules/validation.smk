# Needs a view's shards and clusters, and of events the run's triggers. Asks whether its clusters are
# morphologies or artefacts of the pipeline; each question has its own rule, figure and table.


rule validation:
    input:
        validation_files(),
        f"results/{RUN}/validation/config.yaml",


# All layouts in one process: loading what UMAP compiles takes longer than a small one.
rule stability:
    input:
        shards=shards,
        triggers=merged_triggers,
        clusters=CLUSTERS,
    output:
        agreements=AGREEMENTS,
        pairs=PAIRS,
        survival=SURVIVAL,
    log:
        "results/{run}/logs/stability/{view}.log",
    benchmark:
        "results/{run}/benchmarks/stability/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        clustering=keys("clustering", "views"),
        seed=CONFIG.run.seed,
        validation=validated("stability", "survival"),
        code=code("stability"),
    message:
        "Clustering the {wildcards.view} views of run {wildcards.run} in other ways"
    script:
        "../../scripts/stability.py"


rule stability_report:
    input:
        agreements=AGREEMENTS,
        pairs=PAIRS,
        survival=SURVIVAL,
    output:
        figure=report(
            f"{VALIDATION}/stability.png",
            caption="../report/stability.rst",
            category="Validation of {view}s",
            labels={"question": "stability", "content": "figure"},
        ),
        html=report(
            f"{VALIDATION}/stability.html",
            caption="../report/stability.rst",
            category="Validation of {view}s",
            labels={"question": "stability", "content": "tables"},
        ),
    log:
        "results/{run}/logs/stability_report/{view}.log",
    benchmark:
        "results/{run}/benchmarks/stability_report/{view}.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("stability_report"),
    message:
        "Drawing which {wildcards.view} clusters of run {wildcards.run} stay"
    script:
        "../../scripts/stability_report.py"


rule distortion:
    input:
        shards=shards,
        triggers=merged_triggers,
        clusters=CLUSTERS,
        space=SPACE,
    output:
        distortion=DISTORTION,
        separation=SEPARATION,
    log:
        "results/{run}/logs/distortion/{view}.log",
    benchmark:
        "results/{run}/benchmarks/distortion/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        validation=validated("permutations"),
        code=code("distortion"),
    message:
        "Comparing the layout of the {wildcards.view} views of run {wildcards.run} with their vectors"
    script:
        "../../scripts/distortion.py"


rule distortion_report:
    input:
        distortion=DISTORTION,
        separation=SEPARATION,
        cluster_summary=CLUSTER_SUMMARY,
    output:
        figure=report(
            f"{VALIDATION}/distortion.png",
            caption="../report/distortion.rst",
            category="Validation of {view}s",
            labels={"question": "distortion", "content": "figure"},
        ),
        html=report(
            f"{VALIDATION}/distortion.html",
            caption="../report/distortion.rst",
            category="Validation of {view}s",
            labels={"question": "distortion", "content": "tables"},
        ),
    log:
        "results/{run}/logs/distortion_report/{view}.log",
    benchmark:
        "results/{run}/benchmarks/distortion_report/{view}.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("distortion_report"),
    message:
        "Drawing what UMAP did to the {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/distortion_report.py"
