"""GWOSC's data sets: which one a file belongs to, by its name, and how each is to be cited."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# H-H1_GWOSC_O3a_4KHZ_R1-1262301184-4096.hdf5, H-H1_LOSC_4_V2-1126259446-32.hdf5.
_RELEASE = re.compile(r"[A-Z]-[A-Z]\d_GWOSC_(?P<run>O\d[A-Za-z]*|S\d)_\d+KHZ_R\d+-\d+-\d+\.")
_PUBLIC = re.compile(r"[A-Z]-[A-Z]\d_(?:GWOSC|LOSC)_(?!SIM_)")
# The first runs' files do not name the run.
_EARLY = re.compile(r"[A-Z]-[A-Z]\d_LOSC_\d+_V\d+-(?P<gps>\d+)-4096\.")
_O1 = (1126051217, 1137254417)


@dataclass(frozen=True)
class ObservingRun:
    """A data set of GWOSC: its ``doi``, where one is known here; ``paper`` is a citation key."""

    name: str
    doi: str | None
    paper: str


# Source: gwosc.org, the page of each run's release; the papers say what is in them.
OBSERVING_RUNS = {
    run.name: run
    for run in (
        ObservingRun("O1", "10.7935/K57P9W1D", "opendata2021"),
        ObservingRun("O2", "10.7935/CA75-FM95", "opendata2021"),
        ObservingRun("O3a", "10.7935/nfnt-hm34", "opendata2023"),
        ObservingRun("O3b", "10.7935/pr1e-j706", "opendata2023"),
        ObservingRun("O3GK", None, "opendata2023"),
        ObservingRun("O4a", None, "opendata2025"),
        ObservingRun("O4b", None, "opendata2026"),
    )
}


def is_public(name: str) -> bool:
    """Return whether a file's name is one that GWOSC gives; simulated files are not its."""
    return _PUBLIC.match(name) is not None


def run_of(name: str) -> str | None:
    """Return the observing run that a file's name tells, as ``O3a``; None where it tells none."""
    if match := _RELEASE.match(name):
        return match["run"]
    match = _EARLY.match(name)
    return "O1" if match and _O1[0] <= int(match["gps"]) + 4096 <= _O1[1] + 4096 else None


def data_sets(names: Iterable[str]) -> list[ObservingRun]:
    """Return the data sets of some files, by name, each once.

    A run that is not known here has neither DOI nor paper of its own.
    """
    found = sorted({run for name in names if (run := run_of(name)) is not None})
    return [OBSERVING_RUNS.get(name, ObservingRun(name, None, "")) for name in found]
