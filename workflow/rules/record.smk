# Needs the plan, and in the end all results. Makes what is kept of a run beside them: its plan, and
# the configuration that they were made with. That is recorded once all of them are there, and
# withdrawn before one is made anew: a run that was interrupted does not call itself finished.

from pathlib import Path

from gwmorph.plan import keep_plan
from gwmorph.results import claim_folder
from gwmorph.storage import content_hash


# Under the lock, before any job, and never in a dry run.
onstart:
    with one_message():
        count_no_starts()
        hear_termination()
        require_weights(may_fetch=True)
        claim_folder(Path("results") / RUN)
        withdraw_records()
        # Jobs on other nodes read the plan, and none waits for the rule that keeps it.
        if not workflow.local_exec:
            keep_plan(Path("results") / RUN / "plan", KEPT)
        tell_jobs(log)


rule plan:
    output:
        # In place, since a job on another node may be reading it.
        update(expand("results/{run}/plan/{name}", name=PLAN_FILES, allow_missing=True)),
    log:
        "results/{run}/logs/plan.log",
    benchmark:
        "results/{run}/benchmarks/plan.tsv"
    priority: 100
    localrule: True
    conda:
        "../../envs/strain.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        content=untracked(KEPT),
        content_hash=content_hash(KEPT),
        code=code("plan"),
    message:
        "Keeping the plan of run {wildcards.run}"
    script:
        "../../scripts/plan.py"


rule resolved_config:
    input:
        recorded_files,
    output:
        config="results/{run}/{part}config.yaml",
    log:
        "results/{run}/logs/{part}resolved_config.log",
    benchmark:
        "results/{run}/benchmarks/{part}resolved_config.tsv"
    wildcard_constraints:
        part="|".join(part for part, _ in RECORDS.values()),
    localrule: True
    conda:
        "../../envs/strain.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        configuration=CONFIG.model_dump(mode="json"),
        # A record of another target has nothing to do with the run's spans. Not compared, as the
        # blocks' own jobs are.
        kept=lambda wildcards, input: [] if wildcards.part else span_files(),
        stale=lambda wildcards, input: [] if wildcards.part else stale_scores(),
        code=code("resolved_config"),
    message:
        "Recording the configuration of run {wildcards.run}"
    script:
        "../../scripts/resolved_config.py"
