# Which rules are asked whether they make a file.

import re

from snakemake.io import _IOFile, get_constant_prefix

OWN_RUN = re.compile(r"\{run\b[^}]*\}")


def prefix_in_run(file):
    """Return what a rule's file begins with, up to its first wildcard but the run, which is known.

    By these beginnings Snakemake leaves out the rules that cannot make a file that is asked for. All
    files lie in the folder of the run: if that were unknown, every file would be held against
    every rule.
    """
    return get_constant_prefix(OWN_RUN.sub(lambda _: RUN, file.file))


_IOFile.constant_prefix = prefix_in_run
