# What the rules of calibration share: the names of its files, and what a run is judged by.

import sys
from functools import cache
from pathlib import Path

from gwmorph.morphology.manifest import CLUSTERS as OF_CLUSTERS
from gwmorph.morphology.manifest import LABELS as OF_LABELS
from gwmorph.morphology.manifest import read_manifest

CALIBRATION = "results/{run}/calibration/{view}"
LIMIT_REFERENCE = f"{CALIBRATION}/reference.parquet"
THRESHOLDS = f"{CALIBRATION}/thresholds.parquet"
STATUSES = f"{CALIBRATION}/status.parquet"
ACHIEVED = f"{CALIBRATION}/achieved.parquet"
NOVELTY = f"{CALIBRATION}/novelty.parquet"
NOVELTY_CURVES = f"{CALIBRATION}/novelty_roc.parquet"
DRIFT = f"{CALIBRATION}/drift.parquet"
STATUS_MAP = "results/{run}/figures/{view}/status.svg"
ATLAS = "results/{run}/calibration/atlas"
GIVEN_ATLAS = CONFIG.calibration.atlas
# A run without labelled rows and without an atlas is judged by its own clusters.
CLUSTERS_AS_CLASSES = [CLUSTERS] * (not NAMED and GIVEN_ATLAS is None)

# A rate that somebody asks for is refused where the labelled rows do not support it. By the default few
# rows get the rate that they allow, and the map says which: a map needs no labels at all.
RATE_IS_ASKED_FOR = (
    CONFIG.calibration.rate != type(CONFIG.calibration).model_fields["rate"].default
)


def status_files():
    """Return what says what becomes of each window and event."""
    made = [LIMIT_REFERENCE, THRESHOLDS, STATUSES, STATUS_MAP]
    return expand(made, run=RUN, view=VIEWS)


def calibration_files():
    """Return what limits are set for: all of it, so that what is lost is made again."""
    made = [ACHIEVED, NOVELTY, NOVELTY_CURVES] + [DRIFT] * bool(GIVEN_ATLAS)
    made += [f"{CALIBRATION}/{name}" for name in CALIBRATION_SHOWN]
    made = expand(made, run=RUN, view=VIEWS) + expand(ATLAS, run=RUN)
    return status_files() + made


CALIBRATION_SHOWN = ["limits.svg", "novelty.svg", "limits.html"]


@cache
def judging():
    """Return what rows are judged by: the configuration's keys, or an atlas's where one is named.

    Limits keep what they were set for. A run that took some of it from its own keys would say one thing
    and do another.
    """
    if GIVEN_ATLAS:
        with one_message():
            about, _ = read_manifest(GIVEN_ATLAS)
        return about.judging
    return {
        "classes": OF_LABELS if NAMED else OF_CLUSTERS,
        **CONFIG.calibration.model_dump(include={"promise", "rate", "agreeing"}),
        "neighbors": SIMILARITY.neighbors,
    }


def judged_by(*names):
    """Return a function for params: some of what rows are judged by."""
    return lambda wildcards: {name: judging()[name] for name in names}


@cache
def require_atlas():
    """End unless the atlas is whole and for this run: before the first job, not in it."""
    own = Path(ATLAS.format(run=RUN))
    if Path(GIVEN_ATLAS).resolve() == own.resolve():
        sys.exit(
            f"ConfigError: calibration.atlas: {GIVEN_ATLAS} is what this run makes itself. Name "
            "another run's, or a copy, or none: then the run's own labelled rows set the limits."
        )
    if not inputs_are_read_here():
        return
    from gwmorph.morphology.atlas import read_atlas, require_usable

    with one_message():
        atlas = read_atlas(GIVEN_ATLAS)
        require_usable(
            atlas,
            own_render_id(),
            None,
            CONFIG.run.detectors,
            (CONFIG.run.gps_start, CONFIG.run.gps_end),
            elsewhere=CONFIG.calibration.elsewhere == "allowed",
        )
        for view in VIEWS:
            atlas.limits(view)
    for view in VIEWS:
        require_comparable_reference(Path(GIVEN_ATLAS) / view / "reference.parquet")


def given_atlas(wildcards):
    """Return the parts of an atlas for a view, its manifest first, where the configuration names one."""
    if GIVEN_ATLAS is None:
        return []
    require_atlas()
    names = ["manifest.json"]
    names += [
        f"{wildcards.view}/{name}.parquet" for name in ("reference", "thresholds")
    ]
    paths = [str(Path(GIVEN_ATLAS) / name) for name in names]
    missing = [path for path in paths if not Path(path).is_file()]
    if missing:
        sys.exit(f"ConfigError: calibration.atlas: {missing[0]}: no such file.")
    return as_inputs("calibration.atlas", paths)


def own_labelled(wildcards):
    """Return the run's own labelled rows, where limits are set by them."""
    return [REFERENCE] * (NAMED and GIVEN_ATLAS is None)


def others_labelled(wildcards):
    """Return another run's labelled rows, where limits are set by them."""
    return [] if GIVEN_ATLAS else other_reference(wildcards)


def ledgers_of_view(wildcards):
    """Return the ledgers, which say what windows were planned; events need none."""
    return {"window": run_files(LEDGER), "event": []}[wildcards.view]


def scores_of_view(wildcards):
    """Return the scores, by which windows are quiet, where the run has some."""
    return [SCORES] * (SCORED and wildcards.view == "window")
