# Needs clusters, ledgers, measurements and pictures. Makes the figures, galleries and tables of
# the report, the summary of the run, and the record of its configuration.


rule map:
    input:
        clusters="results/{run}/clusters/clusters.parquet",
    output:
        figure=report(
            "results/{run}/figures/map.png",
            caption="../report/map.rst",
            category="Map",
        ),
    log:
        "results/{run}/logs/map.log",
    benchmark:
        "results/{run}/benchmarks/map.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code("map"),
    message:
        "Drawing the map of run {wildcards.run}"
    script:
        "../../scripts/map.py"


rule occupancy:
    input:
        clusters="results/{run}/clusters/clusters.parquet",
        ledgers=run_files(LEDGER),
    output:
        figure=report(
            "results/{run}/figures/occupancy.png",
            caption="../report/occupancy.rst",
            category="Occupancy",
        ),
    log:
        "results/{run}/logs/occupancy.log",
    benchmark:
        "results/{run}/benchmarks/occupancy.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        bin_s=CONFIG.report.occupancy_bin_s,
        code=code("occupancy"),
    message:
        "Drawing the clusters of run {wildcards.run} over time"
    script:
        "../../scripts/occupancy.py"


rule galleries:
    input:
        clusters="results/{run}/clusters/clusters.parquet",
        cluster_summary="results/{run}/clusters/cluster_summary.parquet",
        pictures=run_files(PICTURES),
    output:
        galleries=report(
            directory("results/{run}/figures/galleries"),
            patterns=["cluster_{cluster}.png"],
            caption="../report/galleries.rst",
            category="Galleries",
            labels={"cluster": "{cluster}"},
        ),
    log:
        "results/{run}/logs/galleries.log",
    benchmark:
        "results/{run}/benchmarks/galleries.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        window_s=CONFIG.window.duration_s,
        sample_rate=CONFIG.conditioning.sample_rate,
        qtransform=keys("qtransform"),
        picture=keys("picture"),
        pictures_each=CONFIG.report.gallery_pictures,
        largest=CONFIG.report.galleries,
        code=code("galleries"),
    message:
        "Drawing example pictures of every cluster of run {wildcards.run}"
    script:
        "../../scripts/galleries.py"


rule cluster_table:
    input:
        cluster_summary="results/{run}/clusters/cluster_summary.parquet",
    output:
        csv="results/{run}/tables/clusters.csv",
        html=report(
            "results/{run}/tables/clusters.html",
            caption="../report/cluster_table.rst",
            category="Clusters",
        ),
    log:
        "results/{run}/logs/cluster_table.log",
    benchmark:
        "results/{run}/benchmarks/cluster_table.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("cluster_table"),
    message:
        "Writing the table of clusters of run {wildcards.run}"
    script:
        "../../scripts/cluster_table.py"


rule summary:
    input:
        ledgers=run_files(LEDGER),
        measurements=run_files(MEASUREMENTS),
        cluster_summary="results/{run}/clusters/cluster_summary.parquet",
        diagnostics="results/{run}/clusters/clustering.json",
    output:
        summary=report(
            "results/{run}/summary.json",
            caption="../report/summary.rst",
            category="Summary",
        ),
    log:
        "results/{run}/logs/summary.log",
    benchmark:
        "results/{run}/benchmarks/summary.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        science_s=science_seconds(),
        events_snr=CONFIG.events.snr,
        code=code("summary"),
    message:
        "Summing up run {wildcards.run}"
    script:
        "../../scripts/summary.py"


rule resolved_config:
    output:
        config="results/{run}/config.yaml",
    log:
        "results/{run}/logs/resolved_config.log",
    benchmark:
        "results/{run}/benchmarks/resolved_config.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        configuration=CONFIG.model_dump(mode="json"),
        code=code("resolved_config"),
    message:
        "Recording the configuration of run {wildcards.run}"
    script:
        "../../scripts/resolved_config.py"
