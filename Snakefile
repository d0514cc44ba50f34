# From segment lists to a clustered map of morphologies. `snakemake --cores N` makes `all`.

import sys
from pathlib import Path

from gwmorph.report.ending import last_error, whereabouts
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/messages.smk"


# Every key with its default; a file given with --configfile overrides them key by key.
configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/interrupts.smk"
include: "workflow/rules/scheduling.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/matching.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/known_events_inputs.smk"
include: "workflow/rules/strain.smk"
include: "workflow/rules/blocks.smk"
include: "workflow/rules/embeddings.smk"
include: "workflow/rules/clusters.smk"
include: "workflow/rules/scores.smk"
include: "workflow/rules/validation_inputs.smk"
include: "workflow/rules/calibration_inputs.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/injections_inputs.smk"
include: "workflow/rules/injections.smk"
include: "workflow/rules/training_inputs.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/learning_inputs.smk"
include: "workflow/rules/learning.smk"
include: "workflow/rules/supervised_inputs.smk"
include: "workflow/rules/supervised.smk"
include: "workflow/rules/autoencoder_inputs.smk"
include: "workflow/rules/autoencoder.smk"
include: "workflow/rules/comparison_inputs.smk"
include: "workflow/rules/comparison.smk"
include: "workflow/rules/finetune_inputs.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/chirp_search_inputs.smk"
include: "workflow/rules/chirp_search.smk"
include: "workflow/rules/validation.smk"
include: "workflow/rules/timeslides_inputs.smk"
include: "workflow/rules/timeslides.smk"
include: "workflow/rules/known_events.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/explorer_inputs.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/scan_inputs.smk"
include: "workflow/rules/scan.smk"
include: "workflow/rules/provenance_names.smk"
include: "workflow/rules/record_inputs.smk"
include: "workflow/rules/progress.smk"
include: "workflow/rules/record.smk"
include: "workflow/rules/provenance_inputs.smk"
include: "workflow/rules/provenance.smk"


# Everything that docs/outputs.md promises of a run, so that what is lost is made again.
rule all:
    default_target: True
    input:
        f"results/{RUN}/config.yaml",
        f"results/{RUN}/verdict.json",
        expand(f"results/{RUN}/plan/{{name}}", name=PLAN_FILES),
        lambda wildcards: span_files(),
        JOINT_FILES,
    message:
        f"Asking for all results of run {RUN}"


# Everything up to the ledgers: enough to judge how much of a span can be used.
rule tables:
    input:
        of_blocks(LEDGER, MEASUREMENTS),
        f"results/{RUN}/verdict.json",
        # By which the user's files are known again.
        expand(f"results/{RUN}/plan/{{name}}", name=PLAN_FILES),


onsuccess:
    parts = {target: part for target, (part, _) in RECORDS.items() if part}
    print(whereabouts(Path("results") / RUN, parts), file=sys.stderr)


onerror:
    print(INTERRUPTED if is_terminated() else last_error(log), file=sys.stderr)
