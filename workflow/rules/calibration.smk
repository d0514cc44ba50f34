# Needs a view's shards and labelled rows (or clusters, or an atlas). Says below which similarity a row is
# of no known class, what becomes of each window and event, and how far that can be trusted; bundles what
# new data are judged by.


rule calibrate:
    input:
        calibration_files(),
        f"results/{RUN}/calibration/config.yaml",


rule limits:
    input:
        shards=shards,
        triggers=TRIGGER_TABLE,
        clusters=CLUSTERS_AS_CLASSES,
        own=own_labelled,
        others=others_labelled,
        atlas=given_atlas,
    output:
        reference=LIMIT_REFERENCE,
        thresholds=THRESHOLDS,
    log:
        "results/{run}/logs/limits/{view}.log",
    benchmark:
        "results/{run}/benchmarks/limits/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        judging=judged_by("rate", "promise"),
        must_grant=RATE_IS_ASKED_FOR,
        seed=CONFIG.calibration.seed,
        code=code("limits"),
    message:
        "Setting limits for the {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/limits.py"


rule statuses:
    input:
        shards=shards,
        triggers=TRIGGER_TABLE,
        ledgers=ledgers_of_view,
        scores=scores_of_view,
        reference=LIMIT_REFERENCE,
        thresholds=THRESHOLDS,
    output:
        statuses=STATUSES,
    log:
        "results/{run}/logs/statuses/{view}.log",
    benchmark:
        "results/{run}/benchmarks/statuses/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        judging=judged_by("promise", "agreeing", "neighbors"),
        events_snr=CONFIG.events.snr,
        code=code("statuses"),
    message:
        "Saying what becomes of the {wildcards.view}s of run {wildcards.run}"
    script:
        "../../scripts/statuses.py"


rule status_map:
    input:
        clusters=CLUSTERS,
        statuses=STATUSES,
        thresholds=THRESHOLDS,
    output:
        figure=report(
            STATUS_MAP,
            caption="../report/status_map.rst",
            category="Views of {view}s",
            subcategory="Status",
            labels={"content": "statuses on the map"},
        ),
    log:
        "results/{run}/logs/status_map/{view}.log",
    benchmark:
        "results/{run}/benchmarks/status_map/{view}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        judging=judged_by("classes", "promise", "rate", "agreeing", "neighbors"),
        code=code("status_map"),
    message:
        "Drawing what becomes of the {wildcards.view}s of run {wildcards.run}"
    script:
        "../../scripts/status_map.py"


rule novelty:
    input:
        reference=LIMIT_REFERENCE,
    output:
        achieved=ACHIEVED,
        novelty=NOVELTY,
        curves=NOVELTY_CURVES,
    log:
        "results/{run}/logs/novelty/{view}.log",
    benchmark:
        "results/{run}/benchmarks/novelty/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        settings={
            "gap_s": SIMILARITY.gap_s,
            **CONFIG.calibration.model_dump(include={"seed", "rates", "resplits"}),
            **CONFIG.validation.model_dump(include={"block_s", "repeats"}),
        },
        judging=judged_by("rate", "promise"),
        code=code("novelty"),
    message:
        "Measuring what would be noticed among the {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/novelty.py"


rule drift:
    input:
        shards=shards,
        triggers=TRIGGER_TABLE,
        reference=LIMIT_REFERENCE,
    output:
        drift=DRIFT,
    log:
        "results/{run}/logs/drift/{view}.log",
    benchmark:
        "results/{run}/benchmarks/drift/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings={
            **CONFIG.calibration.model_dump(include={"seed", "drift"}),
            "block_s": CONFIG.validation.block_s,
        },
        code=code("drift"),
    message:
        "Comparing the {wildcards.view}s of run {wildcards.run} with those of the atlas"
    script:
        "../../scripts/drift.py"


rule novelty_report:
    input:
        reference=LIMIT_REFERENCE,
        thresholds=THRESHOLDS,
        achieved=ACHIEVED,
        novelty=NOVELTY,
        curves=NOVELTY_CURVES,
        drift=[DRIFT] * bool(GIVEN_ATLAS),
    output:
        limits=report(
            f"{CALIBRATION}/limits.svg",
            caption="../report/limits.rst",
            category="Calibration of {view}s",
            labels={"question": "limits", "content": "figure"},
        ),
        novelty=report(
            f"{CALIBRATION}/novelty.svg",
            caption="../report/novelty.rst",
            category="Calibration of {view}s",
            labels={"question": "novelty", "content": "figure"},
        ),
        html=report(
            f"{CALIBRATION}/limits.html",
            caption="../report/limits.rst",
            category="Calibration of {view}s",
            labels={"question": "limits and novelty", "content": "tables"},
        ),
    log:
        "results/{run}/logs/novelty_report/{view}.log",
    benchmark:
        "results/{run}/benchmarks/novelty_report/{view}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        judging=judged_by("classes", "promise", "rate"),
        code=code("novelty_report"),
    message:
        "Drawing the limits of the {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/novelty_report.py"


rule atlas:
    input:
        references=expand(LIMIT_REFERENCE, view=VIEWS, allow_missing=True),
        thresholds=expand(THRESHOLDS, view=VIEWS, allow_missing=True),
        quiet=quiet_tables(),
    output:
        atlas=directory(ATLAS),
    log:
        "results/{run}/logs/atlas.log",
    benchmark:
        "results/{run}/benchmarks/atlas.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        views=VIEWS,
        quiet_of=CONFIG.run.detectors * SCORED,
        configuration=CONFIG.model_dump(mode="json"),
        judging=judged_by("classes", "promise", "rate", "agreeing", "neighbors"),
        code=code("atlas"),
    message:
        "Bundling what new data are judged by, from run {wildcards.run}"
    script:
        "../../scripts/atlas.py"
