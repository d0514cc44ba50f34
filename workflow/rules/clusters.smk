# Needs all shards of one view, and for events the run's triggers. Makes the clusters, their summary, and
# the diagnostics of the clustering. Both UMAPs of a view run in one process, since compiling them
# takes longer than running them, and on one thread, because of the seed; views run side by side.


rule cluster:
    input:
        shards=shards,
        triggers=merged_triggers,
    output:
        clusters=CLUSTERS,
        cluster_summary=CLUSTER_SUMMARY,
        space=SPACE,
        diagnostics=DIAGNOSTICS,
    log:
        "results/{run}/logs/cluster/{view}.log",
    benchmark:
        "results/{run}/benchmarks/cluster/{view}.tsv"
    conda:
        "../../envs/clustering.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        clustering=keys("clustering", "views"),
        seed=CONFIG.run.seed,
        code=code("cluster"),
    message:
        "Clustering the {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/cluster.py"
