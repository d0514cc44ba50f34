# Needs labelled event views, whose labels are for the heads alone. Trains an autoencoder without labels
# and heads on its bottleneck with them, scores both, and shows how it draws views again. To encode
# with the result, name its weights in encoder.autoencoder.path and set encoder.name to autoencoder.


rule autoencoder:
    input:
        autoencoder_files(),
        f"results/{RUN}/autoencoder/config.yaml",


rule autoencode:
    input:
        pictures=EVENT_VIEWS,
    output:
        weights=AUTOENCODER,
        curves=AUTOENCODER_CURVES,
    log:
        "results/{run}/logs/autoencode.log",
    benchmark:
        "results/{run}/benchmarks/autoencode.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=600,
    params:
        autoencoder=keys("autoencoder", "head"),
        alike=LEARNING_ALIKE,
        section=untracked(keys("autoencoder")),
        learning=untracked(keys("learning")),
        code=code("autoencode"),
    message:
        "Training the autoencoder of run {wildcards.run}"
    script:
        "../../scripts/autoencode.py"


rule autoencoder_heads:
    input:
        pictures=EVENT_VIEWS,
        weights=AUTOENCODER,
    output:
        curves=HEAD_CURVES,
        scores=AUTOENCODER_SCORES,
        reconstructions=RECONSTRUCTIONS,
    log:
        "results/{run}/logs/autoencoder_heads.log",
    benchmark:
        "results/{run}/benchmarks/autoencoder_heads.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        head=CONFIG.autoencoder.head.model_dump(mode="json"),
        split=CONFIG.autoencoder.split,
        alike=LEARNING_ALIKE,
        section=untracked(keys("autoencoder")),
        learning=untracked(keys("learning")),
        code=code("autoencoder_heads"),
    message:
        "Training heads on the autoencoder's bottleneck, and scoring it"
    script:
        "../../scripts/autoencoder_heads.py"


rule autoencoder_report:
    input:
        curves=[AUTOENCODER_CURVES, HEAD_CURVES],
        scores=AUTOENCODER_SCORES,
        reconstructions=RECONSTRUCTIONS,
    output:
        learning=report(
            "results/{run}/autoencoder/learning.svg",
            caption="../report/autoencoder_learning.rst",
            category="Learning",
            labels={"content": "autoencoder, learning curves"},
        ),
        gallery=report(
            "results/{run}/autoencoder/reconstructions.svg",
            caption="../report/autoencoder_reconstructions.rst",
            category="Learning",
            labels={"content": "autoencoder, views drawn again"},
        ),
        html=report(
            "results/{run}/autoencoder/scores.html",
            caption="../report/autoencoder.rst",
            category="Learning",
            labels={"content": "autoencoder, scores"},
        ),
    log:
        "results/{run}/logs/autoencoder_report.log",
    benchmark:
        "results/{run}/benchmarks/autoencoder_report.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        colormap=CONFIG.picture.colormap,
        code=code("autoencoder_report"),
    message:
        "Drawing what the autoencoder of run {wildcards.run} is worth"
    script:
        "../../scripts/autoencoder_report.py"
