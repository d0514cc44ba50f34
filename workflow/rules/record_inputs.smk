# What the rules of what is kept of a run share: which results each record of the configuration speaks
# of. A call for a report of results that were made with another configuration ends here.

import sys
from pathlib import Path

from gwmorph.results import mark_withdrawn, require_recorded, withdraw_record

# What is made of all blocks together, from what is named after a span of time. The verdict is not
# among it: when it fails there is none, and the rest is there all the same.
JOINT_FILES = [
    *score_files(),
    *expand([CLUSTERS, CLUSTER_SUMMARY, SPACE, DIAGNOSTICS], run=RUN, view=VIEWS),
    *name_files(),
    *status_files(),
    *report_files(),
    f"results/{RUN}/summary.json",
    EXPLORER.format(run=RUN),
    *truth_files(),
]
# Each target's own record: where it lies, and what it speaks of. Others touch none of that, but for
# the names, which are the run's and its validation's, and the statuses, which are its calibration's.
RECORDS = {
    "all": ("", JOINT_FILES),
    "injections": ("injections/", campaign_files()),
    "compare_encoders": ("comparison/", comparison_files()),
    "train_encoder": ("training/", training_files()),
    "supervised": (
        "supervised/",
        [*supervised_files(), *picture_tables(SUPERVISED.windows)],
    ),
    "autoencoder": (
        "autoencoder/",
        [*autoencoder_files(), *picture_tables(["all"])],
    ),
    "finetune": (
        "finetune/",
        [*finetune_files(), *picture_tables([FINETUNE.window])],
    ),
    "chirp_search": ("chirp_search/", chirp_search_files()),
    "validation": ("validation/", validation_files()),
    "timeslides": ("timeslides/", timeslides_files()),
    "events": ("known_events/", known_events_files()),
    "calibrate": ("calibration/", calibration_files()),
    "scan": ("scan/", scan_files()),
    "provenance": ("provenance/", provenance_files()),
}
PLAN_FILES = [f"{detector}.json" for detector in CONFIG.run.detectors]
PLAN_FILES += ["encoder.json"] if CONFIG.encoder.name == "dinov2" else []


def recorded_files(wildcards):
    """Return the results that a record of the configuration speaks of."""
    return dict(RECORDS.values())[wildcards.part]


def asked_for_report():
    """Return the targets whose report this call asks for; none where it asks for none."""
    options = {word.partition("=")[0] for word in sys.argv}
    if "--report" not in options or "--report-after-run" in options:
        return []
    return [target for target in RECORDS if target in sys.argv] or ["all"]


for target in asked_for_report():
    with one_message():
        require_recorded(
            Path("results") / RUN / RECORDS[target][0] / "config.yaml", CONFIG
        )


def withdraw_records():
    """Withdraw the records that speak of what is about to be made anew, or of its folder.

    One that this call was started with is kept: the same command is to go on after an error, and jobs
    on other nodes read it, too.
    """
    kept = {f"results/{RUN}/plan/{name}" for name in PLAN_FILES}
    outputs = {str(file) for job in workflow.dag.needrun_jobs() for file in job.output}
    changing = outputs - kept
    spoken_of = {part for part, files in RECORDS.values() if changing & set(files)}
    given = {Path(file).resolve() for file in workflow.configfiles}
    for part in spoken_of | set(map(part_of, changing)):
        record = Path(f"results/{RUN}/{part}config.yaml")
        withdraw = mark_withdrawn if record.resolve() in given else withdraw_record
        withdraw(record)


def part_of(file):
    """Return whose record speaks of a file: a target's with a folder of its own, or the run's."""
    if file in provenance_files():  # one of which lies beside the run's own
        return "provenance/"
    folder = Path(file).relative_to(Path("results") / RUN).parts[0]
    # Labelled pictures are spoken of by the records of what learns from them, and by no other.
    if folder == Path(LEARNED).name:
        return f"{folder}/"
    return f"{folder}/" if f"{folder}/" in dict(RECORDS.values()) else ""
