import re

import pytest
from made import ADDRESS, GWOSC_FILE, configured, made_facts, strain

from gwmorph.provenance.checkout import Checkout
from gwmorph.provenance.page import record_page
from gwmorph.provenance.references import bibliography, used_keys
from gwmorph.provenance.words import acknowledgement, methods, methods_page

REAL = configured(made_facts(inputs=[strain(GWOSC_FILE, ADDRESS)]), source={"kind": "gwosc"})


@pytest.mark.parametrize(
    "facts",
    [
        made_facts(),
        made_facts(targets=("all", "timeslides", "validation")),
        configured(made_facts(), encoder={"name": "dct"}, clustering={"method": "hdbscan"}),
        configured(made_facts(), score={"background": "none"}),
        REAL,
    ],
)
def test_everything_that_is_cited_is_in_the_bibliography(facts):
    cited = set(re.findall(r"@(\w+)", methods_page(facts)))
    entries = set(re.findall(r"^@\w+\{(\w+),", bibliography(facts), re.MULTILINE))
    assert cited
    assert cited <= entries


def test_the_methods_tell_the_runs_own_numbers():
    said = methods(made_facts())
    assert "(H1: H1_DATA, 2 segments, 160 s of science data, livetime 64 s)" in said
    assert "GPS 1262301184 and 1262313472" in said
    assert "5 in H1." in said
    assert "40 event views make 3 clusters, 2 of them more separate" in said
    assert "the largest with 50 % of all" in said


def test_a_changed_key_changes_the_words():
    said = methods(configured(made_facts(), window={"duration_s": 64}, qtransform={"q_high": 96}))
    assert "windows of 64 s" in said
    assert "Q from 4 to 96" in said


def test_time_slides_are_told_where_they_were_made():
    assert "time slides" not in methods(made_facts())
    assert "10,000 time slides" in methods(made_facts(targets=("all", "timeslides")))


def test_too_few_rows_are_not_called_a_cluster():
    views = {"event": {"clustered": False, "members": 3, "clusters": 1}}
    said = methods(made_facts(views=views))
    assert "The 3 event views are too few for clusters." in said
    assert "make 1 cluster" not in said
    assert "UMAP" not in said
    assert "mcinnes2018" not in used_keys(made_facts(views=views))


def test_known_events_and_limits_are_told_where_they_count():
    assert "Published events" not in methods(made_facts())
    known = configured(made_facts(), known_events={"catalog": "gwosc"})
    assert "within 8 s of them were kept out of labelled rows." in methods(known)
    own = configured(known, score={"background": "run"})
    assert "kept out of quiet windows of the run and labelled rows." in methods(own)
    assert "called novel" not in methods(made_facts())
    assert "5 % of new rows of known kinds" in methods(made_facts(targets=("all", "calibrate")))


def test_simulated_strain_is_nobodys():
    said = acknowledgement(made_facts())
    assert "The strain is simulated" in said
    assert "Gravitational Wave Open Science Center" not in said


def test_public_strain_is_acknowledged_with_its_data_set():
    said = acknowledgement(REAL)
    assert "obtained from the Gravitational Wave Open Science Center (gwosc.org)" in said
    assert "of the data set O3a (doi:10.7935/nfnt-hm34)" in said


def test_files_of_the_users_own_are_for_the_user_to_acknowledge():
    own = configured(made_facts(inputs=[strain("mine.gwf")]), source={"kind": "directory"})
    assert "say whose they are" in acknowledgement(own)


@pytest.mark.parametrize(
    ("checkout", "said"),
    [
        (Checkout("ab12"), "(commit ab12, configuration"),
        (Checkout("ab12", ("a.py",)), "(commit ab12 with changes that the record holds,"),
        (Checkout(None, why="git is not installed"), "(code that the record holds,"),
    ],
)
def test_the_code_is_told_as_it_was(checkout, said):
    assert said in methods(made_facts(checkout=checkout))


def test_the_page_says_whether_the_code_was_the_commit_s():
    assert "(clean)" in record_page(made_facts())
    changed = made_facts(checkout=Checkout("c0ffee", ("a.py", "b.py")))
    assert "c0ffee (2 files changed or new)" in record_page(changed)


def test_the_page_shows_what_differs_from_the_lock():
    page = record_page(made_facts())
    assert "numpy 2.4.6" in page
    assert "Apache-2.0" in page
    assert "@article{chatterji2004," in page
