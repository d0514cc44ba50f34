# Needs nothing of the run's data. Makes an injection campaign: windows of simulated noise, quiet
# or with one injection each, scored by every registered statistic; limits, recall and its curves.
# Files of real noise, where the configuration names some, are injected into as well.


wildcard_constraints:
    part="[A-Za-z0-9_.-]+",


rule injections:
    input:
        campaign_files(),
        f"results/{RUN}/injections/config.yaml",


rule injection_windows:
    output:
        windows=INJECTED,
    log:
        "results/{run}/logs/injection_windows/{part}.log",
    benchmark:
        "results/{run}/benchmarks/injection_windows/{part}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        **LOOKING,
        job=job_of,
        code=code("injection_windows"),
    message:
        "Looking at the campaign's windows {wildcards.part}"
    script:
        "../../scripts/injection_windows.py"


rule noise_windows:
    input:
        files=noise_files_of,
        catalog=EVENT_CATALOG * keeps_out("background"),
    output:
        windows=NOISE,
    log:
        "results/{run}/logs/noise_windows/{part}.log",
    benchmark:
        "results/{run}/benchmarks/noise_windows/{part}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        **LOOKING,
        job=job_of,
        known=kept_out_of("background"),
        content=content_of_each(noise_files_of),
        code=code("noise_windows"),
    message:
        "Looking at windows of real noise {wildcards.part}"
    script:
        "../../scripts/noise_windows.py"


rule recall:
    input:
        reference=windows_of("reference"),
        calibration=windows_of("calibration"),
        test=windows_of("test"),
        injection=windows_of("injection"),
    output:
        recall="results/{run}/injections/recall.parquet",
        half_recall="results/{run}/injections/half_recall.parquet",
        scores="results/{run}/injections/scores.parquet",
        achieved="results/{run}/injections/achieved.json",
    log:
        "results/{run}/logs/recall.log",
    benchmark:
        "results/{run}/benchmarks/recall.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        fractions=CONFIG.injections.false_alarm_fractions,
        modules=CAMPAIGN_MODULES,
        autoencoder=NAMED_AUTOENCODER,
        code=code("recall"),
    message:
        "Counting what the campaign of run {wildcards.run} found"
    script:
        "../../scripts/recall.py"


rule recall_figures:
    input:
        recall="results/{run}/injections/recall.parquet",
        half_recall="results/{run}/injections/half_recall.parquet",
        achieved="results/{run}/injections/achieved.json",
    output:
        curves=report(
            directory("results/{run}/injections/figures"),
            patterns=["{family}.svg"],
            caption="../report/recall.rst",
            category="Injections",
            labels={"content": "recall, {family}"},
        ),
        half_html=report(
            "results/{run}/injections/half_recall.html",
            caption="../report/half_recall.rst",
            category="Injections",
            labels={"content": "SNR of 50 % recall"},
        ),
        achieved_html=report(
            "results/{run}/injections/achieved.html",
            caption="../report/achieved.rst",
            category="Injections",
            labels={"content": "achieved false alarms"},
        ),
    log:
        "results/{run}/logs/recall_figures.log",
    benchmark:
        "results/{run}/benchmarks/recall_figures.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        families=morphology_labels,
        snrs=CONFIG.injections.snrs,
        modules=CAMPAIGN_MODULES,
        autoencoder=NAMED_AUTOENCODER,
        code=code("recall_figures"),
    message:
        "Drawing the recall of run {wildcards.run}"
    script:
        "../../scripts/recall_figures.py"


rule agreement:
    input:
        windows=windows_of("injection"),
        scores="results/{run}/injections/scores.parquet",
        recall="results/{run}/injections/recall.parquet",
    output:
        table="results/{run}/injections/agreement.parquet",
        figure=report(
            "results/{run}/injections/agreement.svg",
            caption="../report/agreement.rst",
            category="Injections",
            labels={"content": "morphology of what was found"},
        ),
    log:
        "results/{run}/logs/agreement.log",
    benchmark:
        "results/{run}/benchmarks/agreement.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        clustering=keys("clustering"),
        seed=CONFIG.run.seed,
        code=code("agreement"),
    message:
        "Comparing the morphologies that run {wildcards.run} found with the injected ones"
    script:
        "../../scripts/agreement.py"


rule noise_counts:
    input:
        **{d: noise_windows_of(d) for d in CONFIG.injections.noise_files},
    output:
        counts="results/{run}/injections/noise_counts.parquet",
        html=report(
            "results/{run}/injections/noise_counts.html",
            caption="../report/noise_counts.rst",
            category="Injections",
            labels={"content": "counts in real noise"},
        ),
    log:
        "results/{run}/logs/noise_counts.log",
    benchmark:
        "results/{run}/benchmarks/noise_counts.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        morphologies=lambda wildcards: {
            name: label
            for family in morphology_labels(wildcards).values()
            for name, label in family.items()
        },
        fractions=CONFIG.injections.false_alarm_fractions,
        modules=CONFIG.injections.modules,
        autoencoder=NAMED_AUTOENCODER,
        code=code("noise_counts"),
    message:
        "Counting what was found in real noise"
    script:
        "../../scripts/noise_counts.py"
