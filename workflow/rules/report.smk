# Needs clusters, their names and statuses where a run has some, ledgers, measurements, pictures and what is known
# beforehand. Makes the figures, galleries and tables of the report, and the summary of the run.


rule map:
    input:
        clusters=CLUSTERS,
        named=[NAMED_CLUSTERS] * NAMED,
    output:
        figure=report(
            "results/{run}/figures/{view}/map.svg",
            caption="../report/map.rst",
            category="Views of {view}s",
            subcategory="Map",
            labels={"content": "map by cluster, SNR and detector"},
        ),
    log:
        "results/{run}/logs/map/{view}.log",
    benchmark:
        "results/{run}/benchmarks/map/{view}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code("map"),
    message:
        "Drawing the map of the {wildcards.view} views of run {wildcards.run}"
    script:
        "../../scripts/map.py"


rule occupancy:
    input:
        clusters=CLUSTERS,
        ledgers=of_blocks(LEDGER),
    output:
        figure=report(
            "results/{run}/figures/{view}/occupancy.svg",
            caption="../report/occupancy.rst",
            category="Views of {view}s",
            subcategory="Occupancy",
            labels={"content": "clusters over time"},
        ),
    log:
        "results/{run}/logs/occupancy/{view}.log",
    benchmark:
        "results/{run}/benchmarks/occupancy/{view}.tsv"
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
        "Drawing the {wildcards.view} clusters of run {wildcards.run} over time"
    script:
        "../../scripts/occupancy.py"


rule galleries:
    input:
        clusters=CLUSTERS,
        cluster_summary=CLUSTER_SUMMARY,
        pictures=pictures,
        named=[NAMED_CLUSTERS] * NAMED,
    output:
        galleries=report(
            directory("results/{run}/figures/{view}/galleries"),
            patterns=["cluster_{cluster}.png"],
            caption="../report/galleries.rst",
            category="Views of {view}s",
            subcategory="Galleries",
            labels={"cluster": "{cluster}"},
        ),
    log:
        "results/{run}/logs/galleries/{view}.log",
    benchmark:
        "results/{run}/benchmarks/galleries/{view}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        window_s=CONFIG.window.duration_s,
        conditioning=keys("conditioning"),
        qtransform=keys("qtransform"),
        picture=keys("picture"),
        pictures_each=CONFIG.report.gallery_pictures,
        largest=CONFIG.report.galleries,
        code=code("galleries"),
    message:
        "Drawing examples of every {wildcards.view} cluster of run {wildcards.run}"
    script:
        "../../scripts/galleries.py"


rule cluster_table:
    input:
        cluster_summary=CLUSTER_SUMMARY,
        diagnostics=DIAGNOSTICS,
        named=[NAMED_CLUSTERS] * NAMED,
        clusters=CLUSTERS,
        statuses=STATUSES,
        flagged=FLAGS,
    output:
        csv="results/{run}/tables/{view}/clusters.csv",
        html=report(
            "results/{run}/tables/{view}/clusters.html",
            caption="../report/cluster_table.rst",
            category="Views of {view}s",
            subcategory="Clusters",
            labels={"content": "table of clusters"},
        ),
    log:
        "results/{run}/logs/cluster_table/{view}.log",
    benchmark:
        "results/{run}/benchmarks/cluster_table/{view}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("cluster_table"),
    message:
        "Writing the table of {wildcards.view} clusters of run {wildcards.run}"
    script:
        "../../scripts/cluster_table.py"


rule glitchgram:
    input:
        triggers="results/{run}/triggers.parquet",
        ledgers=of_blocks(LEDGER),
    output:
        figure=report(
            "results/{run}/figures/glitchgram.svg",
            caption="../report/glitchgram.rst",
            category="Summary",
            labels={"result": "triggers over time and frequency"},
        ),
    log:
        "results/{run}/logs/glitchgram.log",
    benchmark:
        "results/{run}/benchmarks/glitchgram.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        events_snr=CONFIG.events.snr,
        code=code("glitchgram"),
    message:
        "Drawing the triggers of run {wildcards.run} over time and frequency"
    script:
        "../../scripts/glitchgram.py"


rule event_table:
    input:
        triggers="results/{run}/triggers.parquet",
        clusters=CLUSTERS.replace("{view}", "event"),
        statuses=STATUSES.replace("{view}", "event"),
        flagged=FLAGS,
        pictures=of_blocks(EVENTS),
    output:
        html=report(
            "results/{run}/tables/event/events.html",
            caption="../report/event_table.rst",
            category="Views of events",
            subcategory="Loudest and least probable",
            labels={"content": "table of events"},
        ),
    log:
        "results/{run}/logs/event_table.log",
    benchmark:
        "results/{run}/benchmarks/event_table.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        window_s=CONFIG.window.duration_s,
        events_snr=CONFIG.events.snr,
        listed=CONFIG.report.listed_events,
        judging=judged_by("classes"),
        code=code("event_table"),
    message:
        "Listing the loudest and the least probable events of run {wildcards.run}"
    script:
        "../../scripts/event_table.py"


rule truth_figure:
    input:
        clusters=CLUSTERS.replace("{view}", "event"),
        truth="results/{run}/truth.parquet",
        ledgers=of_blocks(LEDGER),
    output:
        figure=report(
            "results/{run}/figures/event/truth.svg",
            caption="../report/truth_figure.rst",
            category="Views of events",
            subcategory="Truth",
            labels={"content": "clusters and what was injected"},
        ),
    log:
        "results/{run}/logs/truth_figure.log",
    benchmark:
        "results/{run}/benchmarks/truth_figure.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code("truth_figure"),
    message:
        "Comparing the clusters of run {wildcards.run} with what was injected"
    script:
        "../../scripts/truth_figure.py"


rule summary:
    input:
        ledgers=of_blocks(LEDGER),
        measurements=of_blocks(MEASUREMENTS),
        triggers=TRIGGER_TABLE,
        scores=[SCORES] * SCORED,
        above_limit=[ABOVE_LIMIT] * SCORED,
        cluster_summaries=expand(CLUSTER_SUMMARY, view=VIEWS, allow_missing=True),
        diagnostics=expand(DIAGNOSTICS, view=VIEWS, allow_missing=True),
        statuses=expand(STATUSES, view=VIEWS, allow_missing=True),
        flagged=FLAGS,
    output:
        summary="results/{run}/summary.json",
    log:
        "results/{run}/logs/summary.log",
    benchmark:
        "results/{run}/benchmarks/summary.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        science_s=science_seconds(),
        views=VIEWS,
        events_snr=CONFIG.events.snr,
        false_alarm_fraction=CONFIG.score.false_alarm_fraction if SCORED else None,
        code=code("summary"),
    message:
        "Summing up run {wildcards.run}"
    script:
        "../../scripts/summary.py"


rule summary_page:
    input:
        summary="results/{run}/summary.json",
        map=f"results/{{run}}/figures/{MAIN_VIEW}/map.svg",
    output:
        html=report(
            "results/{run}/tables/summary.html",
            caption="../report/summary.rst",
            category="Summary",
            labels={"result": "summary and map"},
        ),
    log:
        "results/{run}/logs/summary_page.log",
    benchmark:
        "results/{run}/benchmarks/summary_page.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        view=MAIN_VIEW,
        code=code("summary_page"),
    message:
        "Writing the summary of run {wildcards.run} as a page"
    script:
        "../../scripts/summary_page.py"
