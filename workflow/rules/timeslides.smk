# Needs a run's triggers, the vectors of its events, its ledger and its scores. Says what coincides in
# several detectors, and how often by chance.


rule timeslides:
    input:
        timeslides_files(),
        f"results/{RUN}/timeslides/config.yaml",


rule slides:
    input:
        triggers=[TRIGGER_TABLE],
        shards=shards_of_run("event"),
        ledger=of_blocks(LEDGER),
        scores=[SCORES] * SCORED,
        truth=truth_files(),
        recall=campaign_recall,
        known=[KNOWN_SPAN_TABLE] * may_hold_known("background"),
    output:
        **SLID_TABLES,
    log:
        "results/{run}/logs/slides.log",
    benchmark:
        "results/{run}/benchmarks/slides.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        detectors=lambda wildcards: slid_detectors(),
        window_s=CONFIG.window.duration_s,
        # Where a campaign lies changes nothing: its recall is an input.
        margin_s=CONFIG.known_events.margin_s,
        settings=keys("timeslides", "detectors", "campaign"),
        code=code("slides"),
    message:
        "Sliding the detectors of run {wildcards.run} past each other"
    script:
        "../../scripts/slides.py"


rule slides_report:
    input:
        **SLID_TABLES,
        pictures=of_blocks(EVENTS),
    output:
        rates=report(
            SLID_FIGURES["rates"],
            caption="../report/slides_rates.rst",
            category="Coincidences",
            labels={"content": "false-alarm rates"},
        ),
        windows=report(
            SLID_FIGURES["windows"],
            caption="../report/slides_windows.rst",
            category="Coincidences",
            labels={"content": "anomalous windows"},
        ),
        html=report(
            SLID_FIGURES["html"],
            caption="../report/slides.rst",
            category="Coincidences",
            labels={"content": "candidates"},
        ),
    log:
        "results/{run}/logs/slides_report.log",
    benchmark:
        "results/{run}/benchmarks/slides_report.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        window_s=CONFIG.window.duration_s,
        listed=CONFIG.report.listed_events,
        code=code("slides_report"),
    message:
        "Drawing what coincides in the detectors of run {wildcards.run}"
    script:
        "../../scripts/slides_report.py"
