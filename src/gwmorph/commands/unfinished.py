"""A word on runs that are not finished."""

from pathlib import Path


def warn_of_unfinished(run: Path) -> None:
    """Print that a run's results may be of several configurations, where that is so."""
    from gwmorph.results import unfinished

    if word := unfinished(run):
        print(word)
