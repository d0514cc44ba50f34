# What the rules of the scan share: what is scanned, and by which atlas.

from pathlib import Path

SCANNED = "results/{run}/scan/blocks"
SCAN_SUMMARY = "results/{run}/scan/summary.json"
SCAN_EVENTS = "results/{run}/scan/events.jsonl"
SCAN_VERDICT = "results/{run}/scan/verdict.json"
SCAN_FIGURE = "results/{run}/scan/scan.svg"
SCAN_PAGE = "results/{run}/scan/scan.html"
# Another run's atlas; without one the run's own is made first.
SCAN_ATLAS = CONFIG.scan.atlas or CONFIG.calibration.atlas
# How many processes wait for what, and what is said of it all, changes no table.
NO_RESULT = {
    *(
        "atlas",
        "files",
        "on_alarm",
        "workers",
        "queue_blocks",
        "max_wait_s",
        "pieces_wait_s",
    ),
    *("watch", "receiver"),
}


def scan_files():
    """Return what a scan makes."""
    made = [SCANNED, SCAN_SUMMARY, SCAN_EVENTS, SCAN_VERDICT, SCAN_FIGURE, SCAN_PAGE]
    return expand(made, run=RUN)


def scanned_receipts():
    """Return the receipts of the run's own strain, which is scanned where no files are named."""
    if CONFIG.scan.files:
        return []
    near = {
        (detector, block)
        for detector, plan in PLAN.items()
        for own in plan.blocks
        for block in plan.neighbourhood(own)
    }
    return [RECEIPTS.format(run=RUN, detector=d, block=b) for d, b in sorted(near)]


def scanned_files(wildcards):
    """Return the files that the configuration names to be scanned."""
    patterns = CONFIG.scan.files
    named = [input_files("scan.files", d, patterns) for d in patterns]
    return [file for files in named for file in files]


def scanned_segments():
    """Return the run's science segments as plain pairs; of files that are named their bits tell."""
    if CONFIG.scan.files:
        return {}
    return {d: [[start, end] for start, end in p.segments] for d, p in PLAN.items()}


def scan_atlas(wildcards):
    """Return what the scan judges by: its manifest has the hash of every part."""
    if SCAN_ATLAS is None:
        return expand(ATLAS, run=RUN)
    return as_inputs("scan.atlas", [str(Path(SCAN_ATLAS) / "manifest.json")])
