# What the rules of time slides share: the names of their files, and what they are made for.

import sys
from pathlib import Path

SLID = "results/{run}/timeslides"
SLID_TABLES = {
    name: f"{SLID}/{name}.parquet"
    for name in (
        "candidates",
        "summary",
        "searched",
        "window_counts",
        "limits",
        "efficiency",
    )
}
SLID_FIGURES = {
    "rates": f"{SLID}/rates.svg",
    "windows": f"{SLID}/windows.svg",
    "html": f"{SLID}/timeslides.html",
}


def timeslides_files():
    """Return all that comparing detectors leaves, so that what is lost is made again."""
    return expand([*SLID_TABLES.values(), *SLID_FIGURES.values()], run=RUN)


def slid_detectors():
    """Return the detectors that are compared; end unless the run has them, and two at least."""
    chosen = CONFIG.timeslides.detectors or CONFIG.run.detectors
    missing = [name for name in chosen if name not in CONFIG.run.detectors]
    if missing:
        sys.exit(
            f"ConfigError: timeslides.detectors: {', '.join(missing)}: no detector of this run, "
            f"which has {', '.join(CONFIG.run.detectors)} (run.detectors)."
        )
    if len(chosen) < 2:
        sys.exit(
            f"ConfigError: run.detectors: time slides need two detectors, got {chosen[0]}. Name "
            "another one that observed at the same time."
        )
    return list(chosen)


def campaign_recall(wildcards):
    """Return the recall of the injection campaign that the configuration names, if it does."""
    if CONFIG.timeslides.campaign is None:
        return []
    path = Path(CONFIG.timeslides.campaign) / "recall.parquet"
    if not path.is_file():
        sys.exit(
            f"ConfigError: timeslides.campaign: {path}: no such file. Name the folder "
            "results/NAME/injections of a run whose injections are finished."
        )
    return as_inputs("timeslides.campaign", [str(path)])
