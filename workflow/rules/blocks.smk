# Needs the receipts of a block and of its direct neighbours. Makes the block's pictures (a folder
# or an archive of PNGs), its measurements, its triggers and its ledger. The segment list is no input:
# what a block depends on is in its params, so that a changed list reruns only the blocks it touches.
# What may be an event once the score is known is drawn here, too, while its tiles are at hand.


rule block:
    input:
        receipts=receipts_around,
    output:
        ledger=LEDGER,
        measurements=MEASUREMENTS,
        triggers=TRIGGERS,
        pictures=kept(PICTURES),
        event_views=kept(EVENTS),
    log:
        "results/{run}/logs/block/{detector}-{block}.log",
    benchmark:
        "results/{run}/benchmarks/block/{detector}-{block}.tsv"
    conda:
        "../../envs/spectra.yaml"
    threads: 1
    resources:
        mem_mb=800,
        runtime=30,
    params:
        plan=block_hash,
        root=untracked(STRAIN_ROOT),
        segments=block_segments,
        window=keys("window"),
        conditioning=keys("conditioning"),
        qtransform=keys("qtransform"),
        picture=keys("picture"),
        events=keys("events", "parts"),
        code=code("block"),
    message:
        "Drawing {wildcards.detector} block {wildcards.block}"
    script:
        "../../scripts/block.py"


# Judges all ledgers. A rule of its own, because a rule that fails loses its outputs: a failed
# verdict stops the run and leaves every table in place.
rule verdict:
    input:
        ledgers=of_blocks(LEDGER),
    output:
        # Not in the report: a failed verdict has no file, and such a run needs its report most.
        verdict="results/{run}/verdict.json",
    log:
        "results/{run}/logs/verdict.log",
    benchmark:
        "results/{run}/benchmarks/verdict.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        detectors=CONFIG.run.detectors,
        max_excluded_fraction=CONFIG.run.max_excluded_fraction,
        code=code("verdict"),
    message:
        "Judging how many windows of run {wildcards.run} were lost"
    script:
        "../../scripts/verdict.py"
