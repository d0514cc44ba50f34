# Needs measurements, embeddings of all windows and triggers of all blocks. Makes the score of every
# window, against quiet windows that are simulated for each detector, drawn and encoded as the run's
# are, or that are the run's own; and with it the run's triggers. A run may do without scores.

from gwmorph.config.score import fewest_quiet_windows


rule quiet:
    output:
        quiet=QUIET.replace("{background}", "simulated"),
    log:
        "results/{run}/logs/quiet/{detector}.log",
    benchmark:
        "results/{run}/benchmarks/quiet/{detector}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=120,
    params:
        windows=CONFIG.score.quiet_windows,
        seed=CONFIG.score.seed,
        window_s=CONFIG.window.duration_s,
        rendering={
            "conditioning": keys("conditioning"),
            "qtransform": keys("qtransform"),
            "picture": keys("picture"),
        },
        encoder={k: v for k, v in encoder_keys().items() if k != "batch_size"},
        section=untracked(keys("encoder")),
        cache=untracked(CONFIG.source.cache),
        code=code("quiet"),
    message:
        "Simulating quiet windows of {wildcards.detector}"
    script:
        "../../scripts/quiet.py"


rule quiet_of_run:
    input:
        measurements=of_blocks(MEASUREMENTS),
        shards=shards_of_run("window"),
        known=[KNOWN_SPAN_TABLE] * may_hold_known("background"),
    output:
        quiet=QUIET.replace("{background}", "run"),
    log:
        "results/{run}/logs/quiet_of_run/{detector}.log",
    benchmark:
        "results/{run}/benchmarks/quiet_of_run/{detector}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        windows=CONFIG.score.quiet_windows,
        fewest=fewest_quiet_windows(CONFIG.score.false_alarm_fraction),
        seed=CONFIG.score.seed,
        events_snr=CONFIG.events.snr,
        window_s=CONFIG.window.duration_s,
        margin_s=CONFIG.known_events.margin_s,
        code=code("quiet_of_run"),
    message:
        "Choosing quiet windows of {wildcards.detector}"
    script:
        "../../scripts/quiet_of_run.py"


rule scores:
    input:
        quiet=expand(
            QUIET,
            background=CONFIG.score.background,
            detector=CONFIG.run.detectors,
            allow_missing=True,
        ),
        measurements=of_blocks(MEASUREMENTS),
        shards=shards_of_run("window"),
    output:
        scores=SCORES,
    log:
        "results/{run}/logs/scores.log",
    benchmark:
        "results/{run}/benchmarks/scores.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        detectors=CONFIG.run.detectors,
        false_alarm_fraction=CONFIG.score.false_alarm_fraction,
        code=code("scores"),
    message:
        "Scoring the windows of run {wildcards.run}"
    script:
        "../../scripts/scores.py"


# Joins the triggers of all blocks. Two blocks may claim one trigger at their border. Candidates stay
# where the score of their window passes its limit. Without scores there are no candidates.
if SCORED:

    rule triggers:
        input:
            triggers=of_blocks(TRIGGERS),
            scores=SCORES,
        output:
            triggers=TRIGGER_TABLE,
            above_limit=ABOVE_LIMIT,
        log:
            "results/{run}/logs/triggers.log",
        benchmark:
            "results/{run}/benchmarks/triggers.tsv"
        conda:
            "../../envs/evidence.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            window_s=CONFIG.window.duration_s,
            events_snr=CONFIG.events.snr,
            parts=CONFIG.events.parts,
            code=code("triggers"),
        message:
            "Joining the triggers of run {wildcards.run}"
        script:
            "../../scripts/triggers.py"

else:

    rule tile_triggers:
        input:
            triggers=of_blocks(TRIGGERS),
        output:
            triggers=TRIGGER_TABLE,
        log:
            "results/{run}/logs/tile_triggers.log",
        benchmark:
            "results/{run}/benchmarks/tile_triggers.tsv"
        conda:
            "../../envs/evidence.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            window_s=CONFIG.window.duration_s,
            events_snr=CONFIG.events.snr,
            code=code("tile_triggers"),
        message:
            "Joining the triggers of run {wildcards.run}, which has no scores"
        script:
            "../../scripts/tile_triggers.py"
