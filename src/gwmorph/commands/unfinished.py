"""A word on runs that are not finished."""

from pathlib import Path


def warn_of_unfinished(run: Path) -> None:
    """Print that a run's results may be of several configurations, where that is so."""
    from gwmorph.results import is_recorded

    if not is_recorded(run / "config.yaml"):
        print(
            "Not finished: what made these results anew was interrupted or failed, so they may be "
            "of several configurations. Run snakemake to its end."
        )
