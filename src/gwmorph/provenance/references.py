"""BibTeX of what a run used, and of nothing else.

``references.bib`` beside this module holds every source once; a run's list is a part of it.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gwmorph.provenance.facts import Facts
from gwmorph.provenance.observing_runs import ObservingRun, data_sets

_ALL = Path(__file__).with_name("references.bib")
_ENTRY = re.compile(r"^@\w+\{(?P<key>\w+),.*?^\}\n", re.DOTALL | re.MULTILINE)

_ALWAYS = [
    "gwmorph", "chatterji2004", "macleod2021", "allen2012", "robinet2020",
    "moelder2021", "harris2020", "virtanen2020", "lam2015", "hunter2007", "pedregosa2011",
    "leo2024",
]  # fmt: skip
_METHODS = {
    "mixture": ["blei2006", "traag2019"],  # whose first start is communities
    "communities": ["traag2019"],
    "hdbscan": ["campello2013"],
}
_ENCODERS = {
    "dct": ["ahmed1974"],
    "indomain": ["chen2020", "xiao2021", "paszke2019"],
    "dinov2": ["oquab2023", "darcet2023", "paszke2019"],
    "autoencoder": ["hinton2006", "paszke2019"],
}
_TARGETS = {
    "timeslides": ["phipson2010", "usman2016", "was2010", "capano2017"],
    "validation": ["hennig2007"],
    "train_encoder": ["chen2020", "paszke2019"],
    "supervised": ["paszke2019"],
    "autoencoder": ["hinton2006", "paszke2019"],
    "chirp_search": [
        "gabbard2018",
        "khan2016",
        "nousi2022",
        "paszke2019",
        "schaefer2021",
        "usman2016",
    ],
}


def used_keys(facts: Facts) -> list[str]:
    """Return the keys of the sources that a run used, sorted."""
    keys = {*_ALWAYS}
    configuration = facts.configuration
    clustering = configuration["clustering"]
    if any(found["clustered"] for found in facts.views.values()):
        keys.update({"mcinnes2018", *_METHODS[clustering["method"]]})
    keys.update(_ENCODERS[configuration["encoder"]["name"]])
    for target in facts.targets:
        keys.update(_TARGETS.get(target, []))
    if "event" in clustering["views"]:
        keys.add("zevin2017")
    if configuration["score"]["background"] != "none":
        keys.update({"barber2021", "peters1964"})
    if configuration["source"]["kind"] == "simulated":
        keys.update({"glanzer2023", "khan2016", "lalsuite", "zevin2017"})
    if any(file.path.endswith(".gwf") for file in _strain(facts)):
        keys.add("lalsuite")
    keys.update(run.paper for run in data_sets_of(facts) if run.paper)
    return sorted(keys)


def data_sets_of(facts: Facts) -> list[ObservingRun]:
    """Return GWOSC's data sets that a run's strain is of."""
    return data_sets(Path(file.path).name for file in _strain(facts))


def _strain(facts: Facts) -> list:
    return [given.file for given in facts.inputs if given.what == "strain"]


def bibliography(facts: Facts) -> str:
    """Return BibTeX of what a run used, sorted by key; data sets with a DOI are entries, too."""
    entries = known_entries()
    chosen = {key: entries[key] for key in used_keys(facts)}
    chosen["gwmorph"] = chosen["gwmorph"].replace("VERSION", facts.version)
    chosen |= {f"gwosc_{run.name}": _data_set(run) for run in data_sets_of(facts) if run.doi}
    return "\n".join(chosen[key] for key in sorted(chosen, key=str.lower))


def known_entries() -> dict[str, str]:
    """Return every entry of the list that runs' lists are parts of, by key."""
    return {m["key"]: m[0] for m in _ENTRY.finditer(_ALL.read_text(encoding="utf-8"))}


def _data_set(run: ObservingRun) -> str:
    return (
        f"@misc{{gwosc_{run.name},\n"
        f"  title  = {{The {run.name} data release}},\n"
        "  author = {{LIGO Scientific Collaboration} and {Virgo Collaboration}},\n"
        "  publisher = {Gravitational Wave Open Science Center},\n"
        f"  doi    = {{{run.doi}}}\n}}\n"
    )


def cited(keys: Sequence[str], used: Iterable[str]) -> str:
    """Return ``[key; key]`` of those keys that a run's list has, or nothing where it has none."""
    own = set(used)
    found = [key for key in keys if key in own]
    return f" [{'; '.join(f'@{key}' for key in found)}]" if found else ""
