# What the rules of provenance share: the names of the record's files, and which targets a record
# speaks of. Read behind record_inputs.smk, whose records it goes through.

import sys
from functools import cache
from pathlib import Path

import yaml
from gwmorph.results import is_recorded


def of_run(path):
    """Return a result's path from the run's folder on."""
    return str(Path(path).relative_to(Path("results") / RUN))


@cache
def provenance_targets():
    """Return the targets that a record speaks of: the run, what this call makes, what is finished.

    What was finished with another configuration is left out: a record is of one.
    """
    return [
        target
        for target, (part, _) in RECORDS.items()
        if target != "provenance"
        and (not part or target in sys.argv or finished_alike(part))
    ]


def finished_alike(part):
    """Return whether a target is finished, with the configuration of this call."""
    record = Path("results") / RUN / part / "config.yaml"
    if not is_recorded(record):
        return False
    return yaml.safe_load(record.read_text(encoding="utf-8")) == CONFIG.model_dump(
        mode="json"
    )


def provenance_results():
    """Return for each target of a record all that it made, its own configuration among it."""
    made = {}
    for target in provenance_targets():
        part, files = RECORDS[target]
        made[target] = [*files, f"results/{RUN}/{part}config.yaml"]
    plans = expand("results/{run}/plan/{name}", run=RUN, name=PLAN_FILES)
    made["all"] += span_files() + run_files(RECEIPTS) + plans
    # What summary and page of events are told of known ones by, whoever asks for their figures.
    known = [*EVENT_CATALOG, KNOWN_SPAN_TABLE, TOLD_TABLE, KNOWN_TABLE, FLAGGED_TABLE]
    made["all"] += expand(known * MAY_HOLD_KNOWN, run=RUN)
    made["all"].append(f"results/{RUN}/verdict.json")
    return made


def provenance_inputs(wildcards):
    """Return all results that a record speaks of."""
    return sorted({file for files in provenance_results().values() for file in files})


def speaking_records():
    """Return for each result the records that speak of it, of the targets in the run's record."""
    speaking = {}
    for target in provenance_targets():
        part, files = RECORDS[target]
        own = {*files, *(span_files() if not part else [])}
        for file in own:
            speaking.setdefault(of_run(file), []).append(f"{part}config.yaml")
    return speaking
