# Needs all results of a run, and those of further targets that are finished. Makes the record of how
# they were made: an RO-Crate, whose root is the run's folder, and what it holds beside the results.


rule provenance:
    input:
        provenance_files(),
        f"results/{RUN}/provenance/config.yaml",


rule provenance_record:
    input:
        results=provenance_inputs,
    output:
        files=expand("results/{run}/{name}", name=KEPT_OF_RECORD, allow_missing=True),
        html=report(
            f"results/{{run}}/{RECORD_PAGE}",
            caption="../report/provenance.rst",
            category="Provenance",
            labels={"content": "methods, data, sources"},
        ),
        code=directory(f"results/{{run}}/{RECORDED_CODE}"),
    log:
        "results/{run}/logs/provenance_record.log",
    benchmark:
        "results/{run}/benchmarks/provenance_record.tsv"
    conda:
        "../../envs/provenance.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        configuration=CONFIG.model_dump(mode="json"),
        folder=untracked(f"results/{RUN}"),
        # What is recorded are the inputs, which count; these say whose they are.
        results=lambda wildcards, input: {
            target: sorted(map(of_run, files))
            for target, files in provenance_results().items()
        },
        # What further targets made on their way is told of, too.
        folders=lambda wildcards, input: [
            RECORDS[target][0] for target in provenance_targets() if RECORDS[target][0]
        ],
        records=lambda wildcards, input: speaking_records(),
        checkout=untracked(workflow.basedir),
        strain_root=untracked(STRAIN_ROOT),
        weights=untracked(weights_of(CONFIG.encoder)),
        shipped_weights=untracked(SHIPPED_WEIGHTS),
        code=code("provenance_record"),
    message:
        "Recording how run {wildcards.run} was made"
    script:
        "../../scripts/provenance_record.py"
