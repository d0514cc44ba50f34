# Needs what the block stage left for one view of a group of blocks. Makes one shard of embeddings.
# Several blocks a job: start-up and model loading are paid once. A group is a fixed span of GPS
# time, so that its members never depend on what else is in the run. Which candidates are events the
# whole run says: they have a shard of their own behind it, since most of them become nothing.


rule embed:
    input:
        unpack(outputs_of_group),
    output:
        shard=SHARD,
    log:
        "results/{run}/logs/embed/{view}/{detector}-{group}.log",
    benchmark:
        "results/{run}/benchmarks/embed/{view}/{detector}-{group}.tsv"
    conda:
        "../../envs/encoders.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        encoder=encoder_keys(),
        # Of windows nothing depends on it.
        events_snr=lambda wildcards: (
            CONFIG.events.snr if wildcards.view == "event" else None
        ),
        section=untracked(keys("encoder")),
        size=[CONFIG.picture.height, CONFIG.picture.width],
        code=code("embed"),
    message:
        "Encoding {wildcards.detector} {wildcards.view} views from {wildcards.group} on"
    script:
        "../../scripts/embed.py"


if SCORED:

    rule embed_admitted:
        input:
            triggers=TRIGGER_TABLE,
            pictures=of_blocks(EVENTS),
        output:
            shard=ADMITTED_SHARD,
        log:
            "results/{run}/logs/embed_admitted.log",
        benchmark:
            "results/{run}/benchmarks/embed_admitted.tsv"
        conda:
            "../../envs/encoders.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=240,
        params:
            window_s=CONFIG.window.duration_s,
            events_snr=CONFIG.events.snr,
            encoder=encoder_keys(),
            section=untracked(keys("encoder")),
            size=[CONFIG.picture.height, CONFIG.picture.width],
            code=code("embed_admitted"),
        message:
            "Encoding the candidates of run {wildcards.run} that became events"
        script:
            "../../scripts/embed_admitted.py"
