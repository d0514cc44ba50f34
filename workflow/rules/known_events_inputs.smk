# What the rules of known events share, and those of what is kept free of them: names of files, and
# whether there may be anything known in the data.

import sys
from functools import cache
from pathlib import Path

KNOWN = "results/{run}/known_events"
CATALOG_TABLE = f"{KNOWN}/catalog.parquet"
KNOWN_SPAN_TABLE = f"{KNOWN}/spans.parquet"
TOLD_TABLE = f"{KNOWN}/told.parquet"
KNOWN_TABLE = f"{KNOWN}/known_events.parquet"
FLAGGED_TABLE = f"{KNOWN}/flagged.parquet"
CHIRP_TABLE = f"{KNOWN}/chirps.parquet"
EVENT_CATALOG = [CATALOG_TABLE] * (CONFIG.known_events.catalog != "none")
# Nothing is injected into the hardware that is simulated here.
MAY_HOLD_KNOWN = bool(EVENT_CATALOG or SOURCE != "simulated")
# What marks known events where results are shown.
FLAGS = [FLAGGED_TABLE] * MAY_HOLD_KNOWN


def keeps_out(what):
    """Return whether known events and injections are kept out of something."""
    return what in CONFIG.known_events.kept_out


def may_hold_known(what):
    """Return whether something made of the run's data may hold what is to be kept out of it."""
    return keeps_out(what) and MAY_HOLD_KNOWN


def kept_out_of(what):
    """Return what is kept out of something else than the run's data, None for nothing."""
    known = CONFIG.known_events
    return (
        {"kinds": known.injections, "margin_s": known.margin_s}
        if keeps_out(what)
        else None
    )


def known_events_files():
    """Return what known events are looked for: tables, figure and page."""
    made = [*EVENT_CATALOG, KNOWN_SPAN_TABLE, TOLD_TABLE, KNOWN_TABLE, FLAGGED_TABLE]
    made += [CHIRP_TABLE] * ("event" in VIEWS)
    shown = [f"{KNOWN}/known_events.{kind}" for kind in ("svg", "html")]
    return expand([*made, *shown], run=RUN)


@cache
def require_readable_catalog():
    """End where the file of events is at fault: before the first job, not in the one that needs it."""
    if inputs_are_read_here():
        from gwmorph.evidence.catalog import read_catalog

        with one_message():
            read_catalog(CONFIG.known_events.file, CONFIG.known_events.releases)


def given_catalog(wildcards):
    """Return the file of events, where the configuration names one."""
    file = CONFIG.known_events.file
    if file is None:
        return []
    if not Path(file).is_file():
        fault = "is a folder" if Path(file).is_dir() else "no such file"
        sys.exit(
            f"ConfigError: known_events.file: {file}: {fault}. Give the path of a CSV file."
        )
    require_readable_catalog()
    return as_inputs("known_events.file", [file])


def of_events(pattern):
    """Return a file of the event views, where the run has them."""
    return [pattern.replace("{view}", "event")] * ("event" in VIEWS)


def chirp_reference(wildcards):
    """Return the labelled events that others are compared with, if there are any."""
    if not (NAMED and "event" in VIEWS):
        return []
    other = reference_of_other("event")
    return other or [REFERENCE.format(run=wildcards.run, view="event")]
