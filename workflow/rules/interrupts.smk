# How a run ends on Ctrl-C: with one line. The terminal sends it to every process, and each would say
# where it was. So jobs do not hear it, and the process that started them ends them.

import signal
import sys
import warnings

import psutil
from snakemake.logging import logger
from snakemake.shell import shell

shell.prefix("trap '' INT; set -euo pipefail; ")


def end_in_one_line(number, frame):
    """End all jobs without a word, and this process with one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # if it is in a hurry
    logger.addFilter(lambda record: False)
    warnings.simplefilter("ignore")  # of what was under way and will not be waited for
    workflow.onerror(lambda log: None)
    print(
        "Interrupted. What is finished is kept: the same command goes on from there.",
        file=sys.stderr,
    )
    for process in psutil.Process().children(recursive=True):
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            pass  # it has just ended by itself
    raise SystemExit(128 + number)


# Not where Ctrl-C is ignored, as in the background of a shell, or meant for another program.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, end_in_one_line)
