# Needs receipts of all strain, ledgers and triggers, and of event views shards, pictures and clusters.
# Says which published events and hardware injections the run found, and which events are like chirps.


rule events:
    input:
        known_events_files(),
        f"results/{RUN}/known_events/config.yaml",


if EVENT_CATALOG:

    rule event_catalog:
        input:
            files=given_catalog,
        output:
            catalog=CATALOG_TABLE,
        log:
            "results/{run}/logs/event_catalog.log",
        benchmark:
            "results/{run}/benchmarks/event_catalog.tsv"
        localrule: True
        conda:
            "../../envs/strain.yaml"
        threads: 1
        resources:
            mem_mb=500,
            runtime=10,
        params:
            releases=CONFIG.known_events.releases,
            cache=untracked(CONFIG.source.cache),
            server=untracked(keys("source")["gwosc"]),
            code=code("event_catalog"),
        message:
            "Listing published events for run {wildcards.run}"
        script:
            "../../scripts/event_catalog.py"


rule known_spans:
    input:
        catalog=EVENT_CATALOG,
        receipts=of_blocks(RECEIPTS),
    output:
        spans=KNOWN_SPAN_TABLE,
        told=TOLD_TABLE,
    log:
        "results/{run}/logs/known_spans.log",
    benchmark:
        "results/{run}/benchmarks/known_spans.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        detectors=CONFIG.run.detectors,
        root=untracked(STRAIN_ROOT),
        kinds=CONFIG.known_events.injections,
        code=code("known_spans"),
    message:
        "Collecting what is known to be in the data of run {wildcards.run}"
    script:
        "../../scripts/known_spans.py"


rule known_events:
    input:
        spans=KNOWN_SPAN_TABLE,
        ledgers=of_blocks(LEDGER),
        triggers=TRIGGER_TABLE,
    output:
        known=KNOWN_TABLE,
        flagged=FLAGGED_TABLE,
    log:
        "results/{run}/logs/known_events.log",
    benchmark:
        "results/{run}/benchmarks/known_events.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        span=[CONFIG.run.gps_start, CONFIG.run.gps_end],
        detectors=CONFIG.run.detectors,
        near_s=CONFIG.known_events.near_s,
        code=code("known_events"),
    message:
        "Looking for known events in run {wildcards.run}"
    script:
        "../../scripts/known_events.py"


rule chirps:
    input:
        shards=shards_of_run("event"),
        triggers=TRIGGER_TABLE,
        pictures=of_blocks(EVENTS),
        labelled=chirp_reference,
    output:
        chirps=CHIRP_TABLE,
    log:
        "results/{run}/logs/chirps.log",
    benchmark:
        "results/{run}/benchmarks/chirps.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        window_s=CONFIG.window.duration_s,
        rendering={
            "conditioning": keys("conditioning"),
            "qtransform": keys("qtransform"),
            "picture": keys("picture"),
        },
        gap_s=CONFIG.known_events.gap_s,
        code=code("chirps"),
    message:
        "Comparing the events of run {wildcards.run} with chirps"
    script:
        "../../scripts/chirps.py"


rule known_events_report:
    input:
        known=KNOWN_TABLE,
        told=TOLD_TABLE,
        ledgers=of_blocks(LEDGER),
        triggers=TRIGGER_TABLE,
        chirps=of_events(CHIRP_TABLE),
        clusters=of_events(CLUSTERS),
        labelled=of_events(REFERENCE) * HAS_CLASSES,
        pictures=of_blocks(*[EVENTS] * ("event" in VIEWS)),
    output:
        figure=report(
            f"{KNOWN}/known_events.svg",
            caption="../report/known_events.rst",
            category="Known events and chirps",
            labels={"content": "figure"},
        ),
        html=report(
            f"{KNOWN}/known_events.html",
            caption="../report/known_events.rst",
            category="Known events and chirps",
            labels={"content": "tables"},
        ),
    log:
        "results/{run}/logs/known_events_report.log",
    benchmark:
        "results/{run}/benchmarks/known_events_report.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        window_s=CONFIG.window.duration_s,
        near_s=CONFIG.known_events.near_s,
        listed=CONFIG.known_events.listed,
        code=code("known_events_report"),
    message:
        "Showing known events and chirps of run {wildcards.run}"
    script:
        "../../scripts/known_events_report.py"
