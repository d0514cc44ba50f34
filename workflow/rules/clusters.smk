# Needs all shards. Makes the clusters, their summary, and the diagnostics of the clustering, in
# one process: UMAP's compilation is paid once, and with a seed it runs on one thread.


rule cluster:
    input:
        shards=shards(),
    output:
        clusters="results/{run}/clusters/clusters.parquet",
        cluster_summary="results/{run}/clusters/cluster_summary.parquet",
        diagnostics="results/{run}/clusters/clustering.json",
    log:
        "results/{run}/logs/cluster.log",
    benchmark:
        "results/{run}/benchmarks/cluster.tsv"
    conda:
        "../../envs/clustering.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        clustering=keys("clustering"),
        seed=CONFIG.run.seed,
        code=code("cluster"),
    message:
        "Clustering run {wildcards.run}"
    script:
        "../../scripts/cluster.py"
