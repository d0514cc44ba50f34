# Needs an atlas and strain: the run's own, or files that the configuration names. Says what becomes of
# every window and event, block by block, as `gwmorph scan` does for new data.


rule scan:
    input:
        scan_files(),
        f"results/{RUN}/scan/config.yaml",


rule scan_blocks:
    input:
        receipts=scanned_receipts(),
        named=scanned_files,
        atlas=scan_atlas,
    output:
        blocks=directory(SCANNED),
        summary=SCAN_SUMMARY,
        events=SCAN_EVENTS,
    log:
        "results/{run}/logs/scan_blocks.log",
    benchmark:
        "results/{run}/benchmarks/scan_blocks.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: CONFIG.scan.workers
    resources:
        mem_mb=lambda wildcards, attempt: attempt * (1500 + 800 * CONFIG.scan.workers),
        runtime=600,
    params:
        root=untracked(STRAIN_ROOT),
        atlas=untracked(SCAN_ATLAS or ATLAS.format(run=RUN)),
        segments=scanned_segments(),
        content=content_of_each(scanned_files),
        sections={
            name: keys(name)
            for name in ("window", "conditioning", "qtransform", "picture", "events")
        },
        score=keys("score"),
        encoder=encoder_keys(),
        scan=keys("scan", *NO_RESULT),
        max_excluded_fraction=CONFIG.run.max_excluded_fraction,
        gap_s=CONFIG.known_events.gap_s,
        configuration=untracked(CONFIG.model_dump(mode="json")),
        code=code("scan_blocks"),
    message:
        "Scanning strain of run {wildcards.run}"
    script:
        "../../scripts/scan_blocks.py"


rule scan_report:
    input:
        summary=SCAN_SUMMARY,
    output:
        figure=report(
            SCAN_FIGURE,
            caption="../report/scan.rst",
            category="Scan",
            labels={"content": "figure"},
        ),
        html=report(
            SCAN_PAGE,
            caption="../report/scan.rst",
            category="Scan",
            labels={"content": "blocks"},
        ),
    log:
        "results/{run}/logs/scan_report.log",
    benchmark:
        "results/{run}/benchmarks/scan_report.tsv"
    localrule: True
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("scan_report"),
    message:
        "Drawing what the scan of run {wildcards.run} made of its blocks"
    script:
        "../../scripts/scan_report.py"


# A rule of its own, because a rule that fails loses its outputs: tables and summary stay in place.
rule scan_verdict:
    input:
        summary=SCAN_SUMMARY,
    output:
        verdict=SCAN_VERDICT,
    log:
        "results/{run}/logs/scan_verdict.log",
    benchmark:
        "results/{run}/benchmarks/scan_verdict.tsv"
    localrule: True
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        on_alarm=CONFIG.scan.on_alarm,
        code=code("scan_verdict"),
    message:
        "Judging the scan of run {wildcards.run}"
    script:
        "../../scripts/scan_verdict.py"
