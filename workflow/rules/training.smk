# Needs nothing of the run's data. Trains an in-domain encoder without labels: simulates pairs of views
# that show one source in two stretches of noise, and contrasts them. To encode with the result, set
# encoder.name to indomain and encoder.indomain.path to the file of weights.


rule train_encoder:
    input:
        training_files(),
        f"{TRAINED}/config.yaml",


rule training_pairs:
    input:
        populations=CONFIG.training.populations,
    output:
        pairs=SIMULATED_PAIRS,
    log:
        "results/{run}/logs/training_pairs/{part}.log",
    benchmark:
        "results/{run}/benchmarks/training_pairs/{part}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        **SIMULATING,
        windows=CONFIG.training.windows_per_part,
        detector=part_detector,
        code=code("training_pairs"),
    message:
        "Simulating part {wildcards.part} of the training views"
    script:
        "../../scripts/training_pairs.py"


rule training_noise_pairs:
    input:
        files=training_noise_files,
        populations=CONFIG.training.populations,
        catalog=EVENT_CATALOG * keeps_out("training"),
    output:
        pairs=NOISE_PAIRS,
    log:
        "results/{run}/logs/training_noise_pairs/{detector}.log",
    benchmark:
        "results/{run}/benchmarks/training_noise_pairs/{detector}.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        **SIMULATING,
        windows=CONFIG.training.noise_windows,
        known=kept_out_of("training"),
        content=content_of_each(training_noise_files),
        code=code("training_noise_pairs"),
    message:
        "Taking training views from real strain of {wildcards.detector}"
    script:
        "../../scripts/training_noise_pairs.py"


rule contrast:
    input:
        pairs=expand(
            SIMULATED_PAIRS, part=range(CONFIG.training.parts), allow_missing=True
        ),
        noise_pairs=expand(
            NOISE_PAIRS, detector=CONFIG.training.noise_files, allow_missing=True
        ),
    output:
        weights="results/{run}/training/encoder.safetensors",
        losses="results/{run}/training/losses.parquet",
    log:
        "results/{run}/logs/contrast.log",
    benchmark:
        "results/{run}/benchmarks/contrast.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=6000,
        runtime=600,
    params:
        training=keys("training", "parts", "windows_per_part", "noise_windows"),
        section=untracked(keys("training")),
        code=code("contrast"),
    message:
        "Training the encoder of run {wildcards.run}"
    script:
        "../../scripts/contrast.py"


rule losses:
    input:
        losses="results/{run}/training/losses.parquet",
    output:
        figure=report(
            "results/{run}/training/losses.svg",
            caption="../report/losses.rst",
            category="Encoder",
            labels={"content": "training losses"},
        ),
    log:
        "results/{run}/logs/losses.log",
    benchmark:
        "results/{run}/benchmarks/losses.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        event_pairs=CONFIG.training.event_pairs,
        window_pairs=CONFIG.training.window_pairs,
        code=code("losses"),
    message:
        "Drawing the losses of the training of run {wildcards.run}"
    script:
        "../../scripts/losses.py"
