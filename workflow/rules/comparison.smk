# Needs nothing of the run's data. Compares encoders on signals of known class in simulated noise,
# on real pictures and real glitches where they are named, and in a small injection campaign of their
# own.


wildcard_constraints:
    data="seen|unseen|naming",
    encoder="[a-z0-9_]+",


rule compare_encoders:
    input:
        comparable_files,
        f"results/{RUN}/comparison/config.yaml",


rule labelled_views:
    input:
        population=lambda wildcards: population_of(wildcards.data),
    output:
        views=LABELLED,
    log:
        "results/{run}/logs/labelled_views/{data}.log",
    benchmark:
        "results/{run}/benchmarks/labelled_views/{data}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        names=lambda wildcards: names_of(wildcards.data),
        snrs=lambda wildcards: snrs_of(wildcards.data),
        draws=draws(),
        window_s=CONFIG.window.duration_s,
        rendering=LOOKING["rendering"],
        events=LOOKING["events"],
        code=code("labelled_views"),
    message:
        "Drawing labelled event views ({wildcards.data})"
    script:
        "../../scripts/labelled_views.py"


rule labelled_strain:
    input:
        strain=labelled_strain_files,
    output:
        views=STRAIN_VIEWS,
    log:
        "results/{run}/logs/labelled_strain.log",
    benchmark:
        "results/{run}/benchmarks/labelled_strain.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        window_s=CONFIG.window.duration_s,
        rendering=LOOKING["rendering"],
        events=LOOKING["events"],
        content=content_of_each(labelled_strain_files),
        code=code("labelled_strain"),
    message:
        "Drawing event views of labelled strain"
    script:
        "../../scripts/labelled_strain.py"


rule encoder_vectors:
    input:
        seen=LABELLED.replace("{data}", "seen"),
        unseen=LABELLED.replace("{data}", "unseen"),
        naming=where_strain(LABELLED.replace("{data}", "naming")),
        real_strain=where_strain(STRAIN_VIEWS),
        glitches=glitch_picture_files,
    output:
        vectors=VECTORS,
        cost=COST,
    log:
        "results/{run}/logs/encoder_vectors/{encoder}.log",
    benchmark:
        "results/{run}/benchmarks/encoder_vectors/{encoder}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2500,
        runtime=60,
    params:
        encoder=lambda wildcards: compared_keys(wildcards.encoder),
        section=untracked(keys("encoder")),
        held_out=untracked(CONFIG.comparison.held_out),
        held_out_content=held_out_content,
        unseen=CONFIG.comparison.unseen,
        seed=CONFIG.comparison.seed,
        picture=keys("picture"),
        glitch_pictures=CONFIG.comparison.glitch_pictures,
        code=code("encoder_vectors"),
    message:
        "Encoding labelled pictures with {wildcards.encoder}"
    script:
        "../../scripts/encoder_vectors.py"


rule encoder_quality:
    input:
        seen=LABELLED.replace("{data}", "seen"),
        unseen=LABELLED.replace("{data}", "unseen"),
        glitches=glitch_picture_files,
        vectors=expand(VECTORS, encoder=compared_vectors(), allow_missing=True),
    output:
        quality=QUALITY,
    log:
        "results/{run}/logs/encoder_quality.log",
    benchmark:
        "results/{run}/benchmarks/encoder_quality.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        encoders=compared_vectors(),
        picture=keys("picture"),
        glitch_pictures=CONFIG.comparison.glitch_pictures,
        clustering=keys("clustering", "views"),
        cluster_seed=CONFIG.run.seed,
        seed=CONFIG.comparison.seed,
        code=code("encoder_quality"),
    message:
        "Comparing encoders by neighbours and clusters"
    script:
        "../../scripts/encoder_quality.py"


rule strain_quality:
    input:
        naming=LABELLED.replace("{data}", "naming"),
        real_strain=STRAIN_VIEWS,
        vectors=expand(VECTORS, encoder=compared_vectors(), allow_missing=True),
    output:
        quality=STRAIN_QUALITY,
        named=NAMED_GLITCHES,
    log:
        "results/{run}/logs/strain_quality.log",
    benchmark:
        "results/{run}/benchmarks/strain_quality.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2500,
        runtime=20,
    params:
        encoders=compared_vectors(),
        picture=keys("picture"),
        seed=CONFIG.comparison.seed,
        code=code("strain_quality"),
    message:
        "Naming real glitches by real and by simulated neighbours"
    script:
        "../../scripts/strain_quality.py"


rule named_table:
    input:
        named=NAMED_GLITCHES,
        real_strain=STRAIN_VIEWS,
    output:
        html=report(
            "results/{run}/comparison/named.html",
            caption="../report/named.rst",
            category="Encoders",
            labels={"content": "real glitches"},
        ),
    log:
        "results/{run}/logs/named_table.log",
    benchmark:
        "results/{run}/benchmarks/named_table.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("named_table"),
    message:
        "Listing what each real glitch is taken for"
    script:
        "../../scripts/named_table.py"


rule comparison_windows:
    output:
        windows=COMPARED,
    log:
        "results/{run}/logs/comparison_windows/{part}.log",
    benchmark:
        "results/{run}/benchmarks/comparison_windows/{part}.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2500,
        runtime=60,
    params:
        window_s=CONFIG.window.duration_s,
        rendering=LOOKING["rendering"],
        events=LOOKING["events"],
        encoders=all_compared_keys(),
        section=untracked(keys("encoder")),
        job=comparison_job_of,
        code=code("comparison_windows"),
    message:
        "Looking at the comparison's windows {wildcards.part}"
    script:
        "../../scripts/comparison_windows.py"


rule comparison_recall:
    input:
        reference=compared_windows_of("reference"),
        calibration=compared_windows_of("calibration"),
        test=compared_windows_of("test"),
        injection=compared_windows_of("injection"),
    output:
        recall=COMPARED_RECALL,
        false_alarms="results/{run}/comparison/false_alarms.json",
    log:
        "results/{run}/logs/comparison_recall.log",
    benchmark:
        "results/{run}/benchmarks/comparison_recall.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        encoders=all_compared_keys(),
        section=untracked(keys("encoder")),
        size=[CONFIG.picture.height, CONFIG.picture.width],
        fraction=0.01,
        code=code("comparison_recall"),
    message:
        "Counting what each encoder's vectors found"
    script:
        "../../scripts/comparison_recall.py"


rule encoder_table:
    input:
        quality=[QUALITY, *where_strain(STRAIN_QUALITY)],
        recall=COMPARED_RECALL,
        costs=expand(COST, encoder=compared_vectors(), allow_missing=True),
    output:
        html=report(
            "results/{run}/comparison/encoders.html",
            caption="../report/encoders.rst",
            category="Encoders",
            labels={"content": "table"},
        ),
        figure=report(
            "results/{run}/comparison/encoders.svg",
            caption="../report/encoders.rst",
            category="Encoders",
            labels={"content": "figure"},
        ),
    log:
        "results/{run}/logs/encoder_table.log",
    benchmark:
        "results/{run}/benchmarks/encoder_table.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        encoders=compared_vectors(),
        weights_mb=weights_mb,
        code=code("encoder_table"),
    message:
        "Drawing the comparison of encoders"
    script:
        "../../scripts/encoder_table.py"
