# Needs nothing of the run's data. Trains networks that search short windows of whitened strain for
# chirps, and compares them with a matched filter on the same windows: ROC, efficiency against SNR at
# fixed false-alarm probability and at a rate from time slides.


wildcard_constraints:
    use="training|validation|test|match",
    network="classic|residual",
    search="matched_filter|classic|residual",


rule chirp_search:
    input:
        chirp_search_files(),
        f"results/{RUN}/chirp_search/config.yaml",


rule chirp_noise:
    input:
        unpack(chirp_noise_files),
    output:
        noise=CHIRP_NOISE,
    log:
        "results/{run}/logs/chirp_noise.log",
    benchmark:
        "results/{run}/benchmarks/chirp_noise.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        look=LOOKING_FOR_CHIRPS,
        kind=CONFIG.chirp_search.noise,
        noise_s=CONFIG.chirp_search.noise_s,
        seed=CONFIG.chirp_search.seed,
        content=chirp_noise_content,
        code=code("chirp_noise"),
    message:
        "Making the noise of the search for chirps"
    script:
        "../../scripts/chirp_noise.py"


rule chirp_signals:
    input:
        noise=CHIRP_NOISE,
    output:
        signals=CHIRP_SIGNALS,
    log:
        "results/{run}/logs/chirp_signals/{use}.log",
    benchmark:
        "results/{run}/benchmarks/chirp_signals/{use}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        look=LOOKING_FOR_CHIRPS,
        masses=CHIRP_MASSES,
        total=lambda wildcards: CHIRP_USES[wildcards.use],
        seed=CONFIG.chirp_search.seed,
        code=code("chirp_signals"),
    message:
        "Simulating binaries ({wildcards.use})"
    script:
        "../../scripts/chirp_signals.py"


rule chirp_bank:
    input:
        noise=CHIRP_NOISE,
        signals=CHIRP_SIGNALS.replace("{use}", "match"),
    output:
        templates=CHIRP_TEMPLATES,
        match=CHIRP_MATCH,
    log:
        "results/{run}/logs/chirp_bank.log",
    benchmark:
        "results/{run}/benchmarks/chirp_bank.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        look=LOOKING_FOR_CHIRPS,
        masses=CHIRP_MASSES,
        bank=keys("chirp_search")["bank"],
        seed=CONFIG.chirp_search.seed,
        code=code("chirp_bank"),
    message:
        "Placing the templates of the matched filter"
    script:
        "../../scripts/chirp_bank.py"


rule chirp_network:
    input:
        noise=CHIRP_NOISE,
        training=CHIRP_SIGNALS.replace("{use}", "training"),
        validation=CHIRP_SIGNALS.replace("{use}", "validation"),
    output:
        weights=CHIRP_WEIGHTS,
        curves=CHIRP_CURVES,
    log:
        "results/{run}/logs/chirp_network/{network}.log",
    benchmark:
        "results/{run}/benchmarks/chirp_network/{network}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=600,
    params:
        training=keys("chirp_search", *NOT_OF_CHIRP_NETWORKS),
        section=untracked(keys("chirp_search")),
        code=code("chirp_network"),
    message:
        "Training the {wildcards.network} chirp network of run {wildcards.run}"
    script:
        "../../scripts/chirp_network.py"


rule chirp_scores:
    input:
        noise=CHIRP_NOISE,
        signals=CHIRP_SIGNALS.replace("{use}", "test"),
        searcher=chirp_searcher,
    output:
        scores=CHIRP_SCORED,
    log:
        "results/{run}/logs/chirp_scores/{search}.log",
    benchmark:
        "results/{run}/benchmarks/chirp_scores/{search}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        look=LOOKING_FOR_CHIRPS,
        windows=CONFIG.chirp_search.noise_windows,
        snrs=CONFIG.chirp_search.snrs,
        slides={
            name: keys("chirp_search")["slides"][name] for name in ("count", "ring_s")
        },
        seed=CONFIG.chirp_search.seed,
        code=code("chirp_scores"),
    message:
        "Searching noise and signals for chirps ({wildcards.search})"
    script:
        "../../scripts/chirp_scores.py"


rule chirp_results:
    input:
        scores=expand(CHIRP_SCORED, search=CHIRP_SEARCHES, allow_missing=True),
    output:
        efficiency="results/{run}/chirp_search/efficiency.parquet",
        roc="results/{run}/chirp_search/roc.parquet",
        confusion="results/{run}/chirp_search/confusion.parquet",
        figures="results/{run}/chirp_search/figures.parquet",
    log:
        "results/{run}/logs/chirp_results.log",
    benchmark:
        "results/{run}/benchmarks/chirp_results.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        probabilities=CONFIG.chirp_search.false_alarm_probabilities,
        per_hour=CONFIG.chirp_search.slides.false_alarms_per_hour,
        compared=[
            CONFIG.chirp_search.compared_from_snr,
            CONFIG.chirp_search.compared_to_snr,
        ],
        repeats=CONFIG.chirp_search.repeats,
        seed=CONFIG.chirp_search.seed,
        code=code("chirp_results"),
    message:
        "Counting what the search for chirps found"
    script:
        "../../scripts/chirp_results.py"


rule chirp_figures:
    input:
        efficiency="results/{run}/chirp_search/efficiency.parquet",
        roc="results/{run}/chirp_search/roc.parquet",
        confusion="results/{run}/chirp_search/confusion.parquet",
        figures="results/{run}/chirp_search/figures.parquet",
        curves=expand(
            CHIRP_CURVES, network=CONFIG.chirp_search.networks, allow_missing=True
        ),
        match=CHIRP_MATCH,
    output:
        efficiency=report(
            "results/{run}/chirp_search/efficiency.svg",
            caption="../report/chirp_efficiency.rst",
            category="Chirp search",
            labels={"content": "efficiency against SNR"},
        ),
        roc=report(
            "results/{run}/chirp_search/roc.svg",
            caption="../report/chirp_roc.rst",
            category="Chirp search",
            labels={"content": "ROC"},
        ),
        curves=report(
            "results/{run}/chirp_search/curves.svg",
            caption="../report/chirp_curves.rst",
            category="Chirp search",
            labels={"content": "learning curves"},
        ),
        page=report(
            "results/{run}/chirp_search/chirp_search.html",
            caption="../report/chirp_search.rst",
            category="Chirp search",
            labels={"content": "numbers"},
        ),
    log:
        "results/{run}/logs/chirp_figures.log",
    benchmark:
        "results/{run}/benchmarks/chirp_figures.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("chirp_figures"),
    message:
        "Drawing the search for chirps"
    script:
        "../../scripts/chirp_figures.py"


# One more statistic of the injection campaign, where the configuration names weights for it.
rule chirp_windows:
    input:
        windows=INJECTED,
        weights=chirp_campaign_weights,
    output:
        searched=SEARCHED,
    log:
        "results/{run}/logs/chirp_windows/{part}.log",
    benchmark:
        "results/{run}/benchmarks/chirp_windows/{part}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        window_s=CONFIG.window.duration_s,
        rendering=LOOKING["rendering"],
        job=job_of,
        content=content_of_each(chirp_campaign_weights),
        code=code("chirp_windows"),
    message:
        "Searching the campaign's windows {wildcards.part} for chirps"
    script:
        "../../scripts/chirp_windows.py"
