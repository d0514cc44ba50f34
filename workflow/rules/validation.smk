# Needs a view's shards and clusters, and of events the run's triggers. Asks whether its clusters are
# morphologies or artefacts of the pipeline; each question has its own rule, figure and table.


rule validation:
    input:
        validation_files(),
        f"results/{RUN}/validation/config.yaml",


rule ablation_sample:
    input:
        shards=shards,
        triggers=merged_triggers,
    output:
        sample=SAMPLE,
    log:
        "results/{run}/logs/ablation_sample/{view}.log",
    benchmark:
        "results/{run}/benchmarks/ablation_sample/{view}.tsv"
    localrule: True
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        blocks=lambda wildcards: sampled_blocks(),
        # No more than it reads: with the sample all changed pictures would be made anew.
        validation=CONFIG.validation.model_dump(
            mode="json", include={"seed": True, "ablation": {"rows"}}
        ),
        code=code("ablation_sample"),
    message:
        "Drawing {wildcards.view} views of run {wildcards.run} to be changed"
    script:
        "../../scripts/ablation_sample.py"


rule recoloured:
    input:
        sample=SAMPLE,
        pictures=lambda wildcards: sampled_files(OUTPUTS[wildcards.view]["pictures"]),
    output:
        vectors=CHANGED,
    log:
        "results/{run}/logs/recoloured/{view}/{change}.log",
    benchmark:
        "results/{run}/benchmarks/recoloured/{view}/{change}.tsv"
    wildcard_constraints:
        change="greyscale|colormap|inverted|shuffled|reversed|gain_low|gain_high|gain_each|precision",
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        window_s=CONFIG.window.duration_s,
        encoder=encoder_keys(),
        section=untracked(keys("encoder")),
        seed=CONFIG.validation.seed,
        code=code("recoloured"),
    message:
        "Encoding {wildcards.view} views of run {wildcards.run} with a change: {wildcards.change}"
    script:
        "../../scripts/recoloured.py"


rule redrawn:
    input:
        sample=SAMPLE,
        receipts=sampled_receipts,
    output:
        vectors=CHANGED,
    log:
        "results/{run}/logs/redrawn/{view}/{change}.log",
    benchmark:
        "results/{run}/benchmarks/redrawn/{view}/{change}.tsv"
    wildcard_constraints:
        change="context|spectrum_length|q_range|plane|size",
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        blocks=sampled_spans,
        root=untracked(STRAIN_ROOT),
        window=keys("window"),
        rendering={
            "conditioning": keys("conditioning"),
            "qtransform": keys("qtransform"),
            "picture": keys("picture"),
        },
        encoder=encoder_keys(),
        section=untracked(keys("encoder")),
        code=code("redrawn"),
    message:
        "Drawing {wildcards.view} views of run {wildcards.run} with a change: {wildcards.change}"
    script:
        "../../scripts/redrawn.py"


rule ablation:
    input:
        sample=SAMPLE,
        changed=expand(
            CHANGED, change=CONFIG.validation.ablation.changes, allow_missing=True
        ),
    output:
        agreements=ABLATION,
    log:
        "results/{run}/logs/ablation/{view}.log",
    benchmark:
        "results/{run}/benchmarks/ablation/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        changes=CONFIG.validation.ablation.changes,
        clustering=keys("clustering", "views"),
        seed=CONFIG.run.seed,
        validation=validated(),
        code=code("ablation"),
    message:
        "Comparing the clusters of changed {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/ablation.py"


rule ablation_report:
    input:
        agreements=ABLATION,
    output:
        figure=report(
            f"{VALIDATION}/ablation.svg",
            caption="../report/ablation.rst",
            category="Validation of {view}s",
            labels={"question": "ablation", "content": "figure"},
        ),
        html=report(
            f"{VALIDATION}/ablation.html",
            caption="../report/ablation.rst",
            category="Validation of {view}s",
            labels={"question": "ablation", "content": "table"},
        ),
    log:
        "results/{run}/logs/ablation_report/{view}.log",
    benchmark:
        "results/{run}/benchmarks/ablation_report/{view}.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("ablation_report"),
    message:
        "Drawing what the {wildcards.view} clusters of run {wildcards.run} depend on"
    script:
        "../../scripts/ablation_report.py"


rule retrained:
    input:
        shards=shards,
        triggers=merged_triggers,
        pictures=pictures_for_training,
    output:
        vectors=RETRAINED,
    log:
        "results/{run}/logs/retrained/{view}/{number}.log",
    benchmark:
        "results/{run}/benchmarks/retrained/{view}/{number}.tsv"
    wildcard_constraints:
        number="[1-9][0-9]*",
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        window_s=CONFIG.window.duration_s,
        sample={name: keys("validation")[name] for name in ("rows", "seed")},
        encoder=training_keys,
        section=untracked(keys("encoder")),
        weights=lambda wildcards, input: weights_of_training(wildcards),
        size=[CONFIG.picture.height, CONFIG.picture.width],
        code=code("retrained"),
    message:
        "Encoding {wildcards.view} views of run {wildcards.run} with training {wildcards.number}"
    script:
        "../../scripts/retrained.py"


# All layouts in one process: loading what UMAP compiles takes longer than a small one.
rule stability:
    input:
        shards=shards,
        triggers=merged_triggers,
        clusters=CLUSTERS,
        trainings=ALL_RETRAINED,
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
            f"{VALIDATION}/stability.svg",
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
        survival=CONFIG.validation.survival,
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
            f"{VALIDATION}/distortion.svg",
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
        "../../envs/evidence.yaml"
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


rule anomaly:
    input:
        shards=shards,
        triggers=merged_triggers,
        clusters=CLUSTERS,
        labelled=[REFERENCE] * NAMED,
    output:
        rows=ANOMALIES,
        clusters=ANOMALOUS_CLUSTERS,
        noticed=NOTICED,
    log:
        "results/{run}/logs/anomaly/{view}.log",
    benchmark:
        "results/{run}/benchmarks/anomaly/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        clustering=keys("clustering", "views"),
        seed=CONFIG.run.seed,
        validation=validated("anomaly"),
        code=code("anomaly"),
    message:
        "Looking for what is unlike the other {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/anomaly.py"


rule anomaly_report:
    input:
        clusters=ANOMALOUS_CLUSTERS,
        noticed=NOTICED,
    output:
        figure=report(
            f"{VALIDATION}/anomaly.svg",
            caption="../report/anomaly.rst",
            category="Validation of {view}s",
            labels={"question": "anomaly", "content": "figure"},
        ),
        html=report(
            f"{VALIDATION}/anomaly.html",
            caption="../report/anomaly.rst",
            category="Validation of {view}s",
            labels={"question": "anomaly", "content": "tables"},
        ),
    log:
        "results/{run}/logs/anomaly_report/{view}.log",
    benchmark:
        "results/{run}/benchmarks/anomaly_report/{view}.tsv"
    localrule: True
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        rate=CONFIG.validation.anomaly.rate,
        code=code("anomaly_report"),
    message:
        "Drawing what would be noticed among the {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/anomaly_report.py"


rule reference:
    input:
        shards=shards,
        triggers=TRIGGER_TABLE,
        labels=given_labels,
        truth=truth_files(),
        known=[KNOWN_SPAN_TABLE] * may_hold_known("references"),
    output:
        reference=REFERENCE,
    log:
        "results/{run}/logs/reference/{view}.log",
    benchmark:
        "results/{run}/benchmarks/reference/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        window_s=CONFIG.window.duration_s,
        margin_s=CONFIG.known_events.margin_s,
        code=code("reference"),
    message:
        "Collecting the labelled {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/reference.py"


rule names:
    input:
        shards=shards,
        triggers=merged_triggers,
        clusters=CLUSTERS,
        own=REFERENCE,
        others=other_reference,
    output:
        rows=NAMED_ROWS,
        clusters=NAMED_CLUSTERS,
    log:
        "results/{run}/logs/names/{view}.log",
    benchmark:
        "results/{run}/benchmarks/names/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        neighbors=SIMILARITY.neighbors,
        code=code("names"),
    message:
        "Naming the {wildcards.view} clusters of run {wildcards.run}"
    script:
        "../../scripts/names.py"


rule similarity:
    input:
        own=REFERENCE,
        others=other_reference,
    output:
        scores=NAMING,
        confusion=CONFUSION,
    log:
        "results/{run}/logs/similarity/{view}.log",
    benchmark:
        "results/{run}/benchmarks/similarity/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        similarity={
            "neighbors": SIMILARITY.neighbors,
            "gap_s": SIMILARITY.gap_s,
            **CONFIG.validation.model_dump(include={"block_s", "repeats", "seed"}),
        },
        code=code("similarity"),
    message:
        "Scoring the names of {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/similarity.py"


rule similarity_report:
    input:
        clusters=NAMED_CLUSTERS,
        scores=NAMING,
        confusion=CONFUSION,
    output:
        figure=report(
            f"{VALIDATION}/similarity.svg",
            caption="../report/similarity.rst",
            category="Validation of {view}s",
            labels={"question": "similarity", "content": "figure"},
        ),
        html=report(
            f"{VALIDATION}/similarity.html",
            caption="../report/similarity.rst",
            category="Validation of {view}s",
            labels={"question": "similarity", "content": "tables"},
        ),
    log:
        "results/{run}/logs/similarity_report/{view}.log",
    benchmark:
        "results/{run}/benchmarks/similarity_report/{view}.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("similarity_report"),
    message:
        "Drawing what the {wildcards.view} clusters of run {wildcards.run} are like"
    script:
        "../../scripts/similarity_report.py"


# Its own classes alone: those of another run's rows say nothing of how these rows are cut.
rule clusterers:
    input:
        shards=shards,
        triggers=merged_triggers,
        clusters=CLUSTERS,
        own=REFERENCE,
    output:
        clusterers=CLUSTERERS,
    log:
        "results/{run}/logs/clusterers/{view}.log",
    benchmark:
        "results/{run}/benchmarks/clusterers/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        clustering=keys("clustering", "views"),
        seed=CONFIG.run.seed,
        validation=validated(),
        code=code("clusterers"),
    message:
        "Cutting the {wildcards.view} views of run {wildcards.run} by other methods"
    script:
        "../../scripts/clusterers.py"


rule clusterers_report:
    input:
        clusterers=CLUSTERERS,
    output:
        figure=report(
            f"{VALIDATION}/clusterers.svg",
            caption="../report/clusterers.rst",
            category="Validation of {view}s",
            labels={"question": "clusterers", "content": "figure"},
        ),
        html=report(
            f"{VALIDATION}/clusterers.html",
            caption="../report/clusterers.rst",
            category="Validation of {view}s",
            labels={"question": "clusterers", "content": "tables"},
        ),
    log:
        "results/{run}/logs/clusterers_report/{view}.log",
    benchmark:
        "results/{run}/benchmarks/clusterers_report/{view}.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("clusterers_report"),
    message:
        "Drawing how other methods cut the {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/clusterers_report.py"
