# What a run is made for: the files that `all` and the report ask for.

from itertools import chain


def span_files():
    """Return all that is named after a span of time: of the run's blocks, and of their groups."""
    patterns = [LEDGER, MEASUREMENTS, TRIGGERS, PICTURES, EVENTS]
    views = sorted({*VIEWS, *["window"] * SCORED})  # scores need all windows
    return [*chain(*map(run_files, patterns)), *chain(*map(shards_of, views))]


def score_files():
    """Return the run's events, and the scores that give them, if there are any."""
    if not SCORED:
        return expand(TRIGGER_TABLE, run=RUN)
    return quiet_tables() + expand([SCORES, TRIGGER_TABLE, ABOVE_LIMIT], run=RUN)


def quiet_tables():
    """Return the quiet windows of each detector that scores are measured by, if there are any."""
    background, detectors = CONFIG.score.background, CONFIG.run.detectors
    quiet = expand(QUIET, run=RUN, background=background, detector=detectors)
    return quiet * SCORED


def stale_scores():
    """Return what a run that now does without scores may have of them from before."""
    return [] if SCORED else expand([SCORES, ABOVE_LIMIT], run=RUN)


def science_seconds():
    """Return the seconds of science segments of every detector of the run."""
    return {detector: plan.science_s for detector, plan in PLAN.items()}


def truth_files():
    """Return the joined truth table, which only simulated strain has."""
    return [f"results/{RUN}/truth.parquet"] if SOURCE == "simulated" else []


def report_files():
    """Return what the report shows of the run, of each view, and of events alone."""
    of_run = ["tables/summary.html", "figures/glitchgram.svg"]
    of_view = [
        "figures/{view}/map.svg",
        "figures/{view}/occupancy.svg",
        "figures/{view}/galleries",
        "tables/{view}/clusters.csv",
        "tables/{view}/clusters.html",
    ]
    of_events = ["tables/event/events.html"]
    if SOURCE == "simulated":
        of_events.append("figures/event/truth.svg")
    shown = [*of_run, *expand(of_view, view=VIEWS)]
    if "event" in VIEWS:
        shown += of_events
    return [f"results/{RUN}/{path}" for path in shown]
