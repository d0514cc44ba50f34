# Needs what the block stage left for one view of a group of blocks. Makes one shard of embeddings.
# Several blocks a job: start-up and model loading are paid once. A group is a fixed span of GPS
# time, so that its members never depend on what else is in the run.


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
        section=untracked(keys("encoder")),
        size=[CONFIG.picture.height, CONFIG.picture.width],
        code=code("embed"),
    message:
        "Encoding {wildcards.detector} {wildcards.view} views from {wildcards.group} on"
    script:
        "../../scripts/embed.py"
