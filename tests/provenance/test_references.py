import re

import pytest
from made import ADDRESS, GWOSC_FILE, configured, made_facts, strain

from gwmorph.provenance.facts import seeds
from gwmorph.provenance.observing_runs import OBSERVING_RUNS, data_sets, is_public, run_of
from gwmorph.provenance.references import bibliography, known_entries, used_keys

IN_USE = {
    "dct": "ahmed1974",
    "indomain": "chen2020",
    "dinov2": "darcet2023",
    "mixture": "blei2006",
    "hdbscan": "campello2013",
}


@pytest.mark.parametrize(
    ("name", "run"),
    [
        (GWOSC_FILE, "O3a"),
        ("L-L1_GWOSC_O4a_16KHZ_R1-1368350720-4096.hdf5", "O4a"),
        ("V-V1_GWOSC_O3GK_4KHZ_R2-1270284288-4096.gwf", "O3GK"),
        ("H-H1_LOSC_4_V1-1126256640-4096.hdf5", "O1"),
        ("H-H1_LOSC_4_V2-1126259446-32.hdf5", None),  # cut around an event
        ("H-H1_GWOSC_SIM_4KHZ_R1-1262301184-4096.hdf5", None),
        ("mine.gwf", None),
    ],
)
def test_a_files_name_tells_its_observing_run(name, run):
    assert run_of(name) == run


def test_simulated_strain_is_not_gwoscs():
    assert is_public(GWOSC_FILE)
    assert is_public("H-H1_LOSC_4_V2-1126259446-32.hdf5")
    assert not is_public("H-H1_GWOSC_SIM_4KHZ_R1-1262301184-4096.hdf5")


def test_each_data_set_comes_once_and_an_unknown_one_without_a_doi():
    names = [GWOSC_FILE, GWOSC_FILE.replace("H-H1", "L-L1"), "H-H1_GWOSC_O9z_4KHZ_R1-0-4096.h5"]
    assert [(one.name, one.doi) for one in data_sets(names)] == [
        ("O3a", OBSERVING_RUNS["O3a"].doi),
        ("O9z", None),
    ]


def test_every_entry_has_title_author_and_where_to_find_it():
    entries = known_entries()
    for key, entry in entries.items():
        assert re.search(r"^  title\s+= \{", entry, re.MULTILINE), key
        assert re.search(r"^  author\s+= \{", entry, re.MULTILINE), key
        assert key == "gwmorph" or re.search(r"^  (doi|eprint)\s+= \{", entry, re.MULTILINE), key
        assert entry.count("{") == entry.count("}"), key
    assert len(entries) > 30


def test_every_paper_of_an_observing_run_is_an_entry():
    assert {run.paper for run in OBSERVING_RUNS.values()} <= known_entries().keys()


@pytest.mark.parametrize("name", ["dct", "indomain", "dinov2"])
def test_only_the_runs_own_encoder_is_cited(name):
    keys = used_keys(configured(made_facts(), encoder={"name": name}))
    assert {own for own in ("dct", "indomain", "dinov2") if IN_USE[own] in keys} == {name}


@pytest.mark.parametrize("method", ["mixture", "hdbscan"])
def test_only_the_runs_own_clustering_is_cited(method):
    keys = used_keys(configured(made_facts(), clustering={"method": method}))
    assert {own for own in ("mixture", "hdbscan") if IN_USE[own] in keys} == {method}


def test_time_slides_and_scores_are_cited_where_there_are_some():
    assert "was2010" not in used_keys(made_facts())
    assert "was2010" in used_keys(made_facts(targets=("all", "timeslides")))
    without = configured(made_facts(), score={"background": "none"})
    assert "barber2021" in used_keys(made_facts())
    assert "barber2021" not in used_keys(without)


def test_waveforms_are_cited_where_strain_is_simulated():
    real = configured(made_facts(inputs=[strain(GWOSC_FILE, ADDRESS)]), source={"kind": "gwosc"})
    assert "khan2016" in used_keys(made_facts())
    assert "khan2016" not in used_keys(real)
    assert "opendata2023" in used_keys(real)
    assert f"doi    = {{{OBSERVING_RUNS['O3a'].doi}}}" in bibliography(real)


def test_a_list_has_what_was_used_once_and_the_version():
    text = bibliography(made_facts(version="7.8.9"))
    keys = re.findall(r"^@\w+\{(\w+),", text, re.MULTILINE)
    assert keys == sorted(used_keys(made_facts()), key=str.lower)
    assert "Version 7.8.9" in text


def test_seeds_are_those_that_were_used():
    configuration = made_facts().configuration
    own = {"run.seed": 20200106, "score.seed": 31, "source.simulated.seed": 2}
    assert seeds(configuration, ["all"]) == own
    assert seeds(configuration, ["all", "timeslides"]) == {**own, "timeslides.seed": 53}
    quiet = configured(made_facts(), score={"background": "none"}, source={"kind": "gwosc"})
    assert seeds(quiet.configuration, ["all"]) == {"run.seed": 20200106}
