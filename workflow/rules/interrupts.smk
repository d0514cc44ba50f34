# How a run ends on Ctrl-C: with one line. The terminal sends it to every process, and each would say
# where it was. So jobs do not hear it, and the process that started them ends them. On SIGTERM, as
# when a batch system's time is up, Snakemake starts no further job and waits for those that run.

import signal
import sys
import threading
import time
import warnings
from contextlib import suppress

import psutil
from snakemake.logging import logger
from snakemake.shell import shell

INTERRUPTED = (
    "Interrupted. What is finished is kept: the same command goes on from there."
)

shell.prefix("trap '' INT; set -euo pipefail; ")


def end_in_one_line(number, frame):
    """End all jobs without a word, and this process with one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # if it is in a hurry
    logger.addFilter(lambda record: False)
    warnings.simplefilter("ignore")  # of what was under way and will not be waited for
    workflow.onerror(lambda log: None)
    print(INTERRUPTED, file=sys.stderr)
    threading.Thread(target=end_jobs, daemon=True).start()
    mark_running_jobs()
    raise SystemExit(128 + number)


def mark_running_jobs():
    """Have Snakemake make again what a job writes that was started a moment ago.

    It marks a job as under way after starting it. One that it had no time to mark would pass for
    the job whose record stands there, which may have had another configuration.
    """
    if workflow.dryrun or workflow.scheduler is None:
        return
    for job in workflow.scheduler.running:
        if not workflow.persistence.external_jobids(job):
            job.register()


def end_jobs():
    """End processes for as long as this one waits for jobs, some of which may only now begin."""
    while True:
        stopped = set()
        while started := set(psutil.Process().children(recursive=True)) - stopped:
            # Stopped, it starts none that is not seen.
            for process in started:
                signalled(process, signal.SIGSTOP)
            stopped |= started
        for process in stopped:
            signalled(process, signal.SIGTERM)
            signalled(process, signal.SIGCONT)
        time.sleep(0.1)


def signalled(process, number):
    with suppress(psutil.NoSuchProcess):  # it has just ended by itself
        process.send_signal(number)


def hear_termination():
    """Let SIGTERM in while Snakemake chooses jobs, which it does for much of a long run.

    Its handler takes the lock that the same thread may hold then, and would wait for itself for ever.
    """
    workflow.scheduler._lock = threading.RLock()


def is_terminated():
    """Return whether the run ends for SIGTERM; jobs may have heard it as well, and failed."""
    return workflow.scheduler is not None and bool(workflow.scheduler._user_kill)


# Not where Ctrl-C is ignored, as in the background of a shell, or meant for another program.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, end_in_one_line)
