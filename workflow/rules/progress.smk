# How far the workflow is: the jobs of a call are written down before its first one, for `gwmorph status`.

import os
import time
from pathlib import Path

from gwmorph.jobs import Call, Job, keep_call
from gwmorph.progress import BAR

# Open until this process ends, which says that the call is under way.
HELD = []


def tell_jobs(logs):
    """Write down what this call is to do, and let a job draw a bar where it is alone."""
    cores = workflow.global_resources["_cores"].value if workflow.local_exec else None
    if cores == 1:
        os.environ[BAR] = "1"
    call = Call(
        jobs=tuple(map(described, jobs_with_times())),
        targets=tuple(sorted(map(str, targets_of(workflow.dag)))),
        at_once=cores or workflow.nodes or 0,
        in_cores=workflow.local_exec,
        logs=tuple(map(str, logs)),
        began_ns=time.time_ns(),
    )
    HELD.append(keep_call(Path("results") / RUN, call))


def targets_of(dag):
    """Return what was asked for: rules, or else files."""
    return dag.targetrules or dag.targetfiles


def jobs_with_times():
    """Return the jobs of this call; those that only ask for files have neither log nor times."""
    timed = [job for job in workflow.dag.needrun_jobs() if job.benchmark and job.log]
    return sorted(timed, key=lambda job: str(job.log[0]))


def described(job):
    """Return what `gwmorph status` says of a job, and looks at."""
    name = job.rule.name
    log, benchmark = map(of_run, (job.log[0], job.benchmark))
    return Job(name, job.message or name, log, benchmark, int(job.threads))
