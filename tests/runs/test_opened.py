"""A run opened as data frames says what its tables say."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
from made_run import IDENTITY, LOST, START, WINDOWS, events_of, make_run

import gwmorph
from gwmorph.errors import GwmorphError, TableError
from gwmorph.results import mark_withdrawn
from gwmorph.runs.search import rows_of
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.storage import write_json
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table, write_table
from packed import pack


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run") / "demo")


@pytest.fixture
def run(folder):
    return gwmorph.open_run(folder)


def test_events_are_the_triggers_with_all_that_is_said_of_them(run):
    found = run.events()
    assert found["peak_time"].tolist() == [*events_of("H1"), *events_of("L1")]
    cluster = (found["gps_start"] - START) // 32 % 2
    assert found["cluster"].tolist() == cluster.tolist()
    assert found["status"].tolist() == [("KNOWN", "NOVEL")[k] for k in cluster]
    assert found["named"].tolist() == [("blip", "tomte")[k] for k in cluster]
    assert found["cluster_named"].isna().tolist() == cluster.astype(bool).tolist()
    assert found.attrs["units"]["peak_frequency"] == "Hz"
    assert len(run.triggers()) == len(found)


def test_of_an_event_that_no_table_knows_nothing_is_said(tmp_path):
    folder = make_run(tmp_path / "demo")
    path = folder / "clusters" / "event" / "clusters.parquet"
    rows = read_table(path, CLUSTERS)
    late = START + 32 * WINDOWS - 100
    gone = pc.greater(rows["trigger_time"], late)
    write_table(path, CLUSTERS, rows.filter(pc.invert(gone)))
    found = gwmorph.open_run(folder).events()
    unknown = found["peak_time"] > late
    assert unknown.sum() == pc.sum(gone).as_py() > 0
    assert found["cluster"].isna().tolist() == unknown.tolist()


def test_windows_are_all_that_were_planned(run):
    found = run.windows()
    assert len(found) == 2 * WINDOWS
    assert found["gps_start"].tolist() == 2 * list(range(START, START + 32 * WINDOWS, 32))
    lost = found["gps_start"] == START + 32 * LOST
    assert (found["ledger"] == np.where(lost, "excluded", "analysed")).all()
    assert (found["tile_snr"].isna() == lost).all()
    assert (found["cluster"].isna() == lost).all()  # numbers stay whole beside what is missing
    assert found["cluster"].dtype == pd.Int32Dtype()


def test_clusters_have_their_names(run):
    assert run.clusters()["named"].tolist()[0] == "blip"
    assert run.clusters("window")["cluster"].tolist() == [0, 1]
    assert pd.isna(run.clusters()["named"][1])


def test_livetime_is_the_union_of_analysed_windows(run):
    assert run.livetime().to_dict() == {"H1": 32 * (WINDOWS - 1), "L1": 32 * (WINDOWS - 1)}


def test_vectors_come_with_their_rows(run):
    rows, vectors = run.vectors()
    assert rows["trigger_time"].tolist() == [*events_of("H1"), *events_of("L1")]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    near = run.similar("H1", float(rows["trigger_time"][4]), count=3)
    order = np.argsort(-(vectors @ vectors[4]))[1:4]
    assert near["trigger_time"].tolist() == rows["trigger_time"][order].tolist()


def test_another_run_is_searched_by_its_own_vectors(run, tmp_path):
    same = gwmorph.open_run(make_run(tmp_path / "same"))
    near = run.similar("L1", float(events_of("L1")[3]), count=2, other=same)
    assert near["cosine"][0] == pytest.approx(1, abs=1e-6)
    assert near["picture"][0].startswith(str(same.folder))
    other = gwmorph.open_run(
        make_run(tmp_path / "other", metadata=IDENTITY | {"gwmorph.encoder_id": "x"})
    )
    with pytest.raises(GwmorphError, match="cannot be compared"):
        run.similar("L1", float(events_of("L1")[3]), other=other)


def test_pictures_are_those_of_the_moment(run):
    path = run.events()["picture"][2]
    drawn = np.arange(64, dtype=np.uint8).reshape(8, 8)
    write_picture(path, drawn, PictureScale("linear", 25.5, "cividis"))
    found = run.picture("H1", float(events_of("H1")[2]) + 0.2)
    np.testing.assert_array_equal(found, drawn)
    with pytest.raises(GwmorphError, match=r"32\.png: no such file"):
        run.picture("H1", START, "window")  # none was drawn in this run


def test_pictures_in_archives_are_found_by_the_same_names(tmp_path):
    run = gwmorph.open_run(make_run(tmp_path / "demo"))
    before, time = run.events(), float(events_of("H1")[2])
    shown = run.picture("H1", time)
    for folder in sorted((run.folder / "events").iterdir()):
        pack(folder)
    found = run.events()
    wanted = before["picture"].str.replace("-4096/", "-4096.zip/").tolist()
    assert found["picture"].tolist() == wanted
    assert found.drop(columns="picture").equals(before.drop(columns="picture"))
    np.testing.assert_array_equal(run.picture("H1", time), shown)
    near = run.similar("H1", time, count=2)
    assert all(".zip/" in path for path in near["picture"])
    archive = Path(found["picture"][2]).parent
    archive.write_bytes(archive.read_bytes()[:-1])
    for look in (run.events, lambda: run.picture("H1", time)):
        with pytest.raises(TableError, match=f"{archive.name}: not a whole ZIP archive"):
            look()


def test_the_summary_is_that_of_the_run(run):
    with pytest.raises(GwmorphError, match=r"summary\.json: no such file; run snakemake"):
        run.summary()
    write_json(run.folder / "summary.json", {"run": "demo"})
    assert run.summary() == {"run": "demo"}


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(GwmorphError, match="no run's folder"):
        gwmorph.open_run(tmp_path)


def test_a_run_that_is_not_finished_is_opened_with_a_warning(tmp_path):
    folder = make_run(tmp_path / "demo")
    mark_withdrawn(folder / "config.yaml")
    with pytest.warns(UserWarning, match="Not finished: what made"):
        assert len(gwmorph.open_run(folder).events())


def test_a_view_that_is_none_is_refused(run):
    for look in (run.vectors, run.clusters, lambda view: run.similar("H1", START, view)):
        with pytest.raises(GwmorphError, match="expected 'event' or 'window', got 'windows'"):
            look("windows")


def test_new_strain_is_compared_only_with_what_is_made_alike(run):
    strain = 1e-21 * np.random.default_rng(0).standard_normal(100 * 4096)
    analysis = gwmorph.analyse(strain, "H1", START, 4096, config={"encoder": {"name": "dct"}})
    with pytest.raises(GwmorphError, match=r"the strain of H1 and .* cannot be compared"):
        run.similar_to(analysis, START + 40, "window")


def test_new_strain_finds_its_own_moment(run, tmp_path):
    strain = 1e-21 * np.random.default_rng(0).standard_normal(140 * 4096)
    analysis = gwmorph.analyse(strain, "H1", START - 5, 4096, config={"encoder": {"name": "dct"}})
    own = analysis.identity()
    same = gwmorph.open_run(
        make_run(
            tmp_path / "same",
            metadata={"gwmorph.render_id": own.render_id, "gwmorph.encoder_id": own.encoder_id},
        )
    )
    found = same.similar_to(analysis, START + 40, "window", count=4)
    rows = rows_of(same.folder, "window")
    expected = same._vectors_of("window").vectors @ analysis.vectors("window")[1]
    assert analysis.rows("window")["gps_start"][1] == START + 32
    with pytest.raises(GwmorphError, match="no event"):
        same.similar_to(analysis, START + 40)
    best = np.argsort(-expected, kind="stable")[:4]
    assert found["gps_start"].tolist() == rows.keys["gps_start"].take(best).to_pylist()


def test_importing_gwmorph_imports_nothing_else():
    code = "import sys, gwmorph; print({'numpy', 'pandas', 'pyarrow', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert set(gwmorph.__all__) <= set(dir(gwmorph))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gwmorph.nothing
