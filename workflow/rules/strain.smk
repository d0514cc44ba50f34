# Needs the plan. Makes results/{run}/strain/{detector}/{block}.json: receipts (path, size,
# SHA-256) of the local files that hold a block's strain. Each kind of source has its own rule.

if SOURCE == "gwosc":

    rule download:
        output:
            receipts=RECEIPTS,
        log:
            "results/{run}/logs/download/{detector}-{block}.log",
        benchmark:
            "results/{run}/benchmarks/download/{detector}-{block}.tsv"
        localrule: True
        conda:
            "../../envs/strain.yaml"
        threads: 1
        resources:
            mem_mb=500,
            runtime=60,
            downloads=1,
        params:
            files=files_of_block,
            cache=untracked(CONFIG.source.cache),
            server=untracked(keys("source")["gwosc"]),
            code=code("download"),
        message:
            "Fetching {wildcards.detector} strain of block {wildcards.block}"
        script:
            "../../scripts/download.py"

elif SOURCE == "directory":

    # The files are no input, whose times would count: params.files tells their content apart.
    rule collect:
        output:
            receipts=RECEIPTS,
        log:
            "results/{run}/logs/collect/{detector}-{block}.log",
        benchmark:
            "results/{run}/benchmarks/collect/{detector}-{block}.tsv"
        conda:
            "../../envs/strain.yaml"
        threads: 1
        resources:
            mem_mb=500,
            runtime=10,
        params:
            files=files_of_block,
            reading=reading_of_detector,
            code=code("collect"),
        message:
            "Checking {wildcards.detector} strain of block {wildcards.block}"
        script:
            "../../scripts/collect.py"

else:

    rule simulate:
        output:
            receipts=RECEIPTS,
        log:
            "results/{run}/logs/simulate/{detector}-{block}.log",
        benchmark:
            "results/{run}/benchmarks/simulate/{detector}-{block}.tsv"
        conda:
            "../../envs/strain.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=20,
        params:
            # Their names hold the hash of all that shapes them.
            files=files_of_block,
            cache=untracked(CONFIG.source.cache),
            simulated=untracked(keys("source")["simulated"]),
            code=code("simulate"),
        message:
            "Simulating {wildcards.detector} strain of block {wildcards.block}"
        script:
            "../../scripts/simulate.py"

    # The truth about simulated strain lies beside it; all receipts make results/{run}/truth.parquet.
    rule truth:
        input:
            receipts=of_blocks(RECEIPTS),
        output:
            truth="results/{run}/truth.parquet",
        log:
            "results/{run}/logs/truth.log",
        benchmark:
            "results/{run}/benchmarks/truth.tsv"
        conda:
            "../../envs/strain.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            root=untracked(STRAIN_ROOT),
            code=code("truth"),
        message:
            "Joining the truth about run {wildcards.run}"
        script:
            "../../scripts/truth.py"
