# How what is wrong with the configuration or the data ends a run: with the message alone.

import sys
from contextlib import contextmanager

from gwmorph.config import load_yaml
from gwmorph.errors import GwmorphError


@contextmanager
def one_message():
    """End with the message of an error alone.

    An exception would be shown with lines of this file, which is not where the fault is.
    """
    try:
        yield
    except GwmorphError as error:
        sys.exit(f"{type(error).__name__}: {error}")


# Of what is no YAML, Snakemake names no line.
with one_message():
    load_yaml("config/config.yaml")
