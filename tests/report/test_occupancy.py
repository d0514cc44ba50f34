import numpy as np
from vector import drawn_twice

from closeness import near
from gwmorph.report import occupancy
from gwmorph.report.occupancy import count_occupancy, draw_occupancy
from gwmorph.tables.block import LEDGER
from gwmorph.tables.clusters import CLUSTERS

START = 1262301184


def ledger_row(gps: int, status: str, detector: str = "H1") -> dict:
    return {
        "detector": detector,
        "gps_start": gps,
        "duration_s": 32,
        "block": 0,
        "status": status,
        "reason": None if status == "analysed" else "nan",
        "detail": None,
    }


def cluster_row(gps: int, cluster: int, detector: str = "H1") -> dict:
    numbers = {field.name: 0.0 for field in CLUSTERS}
    ids = {"detector": detector, "gps_start": gps, "view": "window", "cluster": cluster}
    flags = {"outlier": False, "supported": True, "outside_umap": True}
    return numbers | flags | ids


def test_occupancy_counts_are_the_known_ones():
    # Bins of 128 s: [128, 256) holds three windows, [256, 384) none, [384, 512) two.
    ledger = LEDGER.empty_table().from_pylist(
        [
            ledger_row(128, "analysed"),
            ledger_row(160, "analysed"),
            ledger_row(224, "excluded"),
            ledger_row(384, "analysed"),
            ledger_row(480, "excluded"),
            ledger_row(480, "analysed", "L1"),
        ],
        schema=LEDGER,
    )
    clusters = CLUSTERS.empty_table().from_pylist(
        [
            cluster_row(128, 0),
            cluster_row(160, 2),
            cluster_row(384, 0),
            cluster_row(480, 1, "L1"),
        ],
        schema=CLUSTERS,
    )
    counts = count_occupancy(clusters, ledger, 128)
    assert list(counts) == ["H1", "L1"]
    h1, l1 = counts.values()
    assert h1.starts.tolist() == l1.starts.tolist() == [128, 256, 384]
    assert h1.members.tolist() == [[1, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert h1.analysed.tolist() == [2, 0, 1]
    assert h1.excluded.tolist() == [1, 0, 1]
    assert l1.members.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert h1.livetime_s.tolist() == [64, 0, 32]
    assert l1.livetime_s.tolist() == [0, 0, 32]
    np.testing.assert_array_equal(
        h1.rates(), [[56.25, 0, 56.25], [np.nan, np.nan, np.nan], [112.5, 0, 0]]
    )
    np.testing.assert_array_equal(
        h1.shares(), [[0.5, 0, 0.5], [np.nan, np.nan, np.nan], [1, 0, 0]]
    )


def test_occupancy_counts_every_window_once(run_tables):
    tables = run_tables(windows=500, clusters=7)
    for bin_s in (32, 1000, 1024, 10**6):
        counts = count_occupancy(tables.clusters, tables.ledger, bin_s)
        assert all((count.starts % bin_s == 0).all() for count in counts.values())
        assert sum(count.members.sum() for count in counts.values()) == tables.clusters.num_rows
        lost = sum(count.excluded.sum() for count in counts.values())
        assert lost == tables.ledger.num_rows - tables.clusters.num_rows
        for count in counts.values():
            np.testing.assert_array_equal(count.members.sum(axis=1), count.analysed)


def test_windows_that_overlap_are_livetime_once():
    # Bins of 128 s; starts every 16 s: the first bin's windows reach into the second one.
    rows = [ledger_row(gps, "analysed") for gps in (0, 16, 32, 96, 112, 128, 144)]
    ledger = LEDGER.empty_table().from_pylist(rows, schema=LEDGER)
    (counts,) = count_occupancy(CLUSTERS.empty_table(), ledger, 128).values()
    assert counts.livetime_s.tolist() == [64 + 48, 48]


def titles(monkeypatch, tables, view: str, path) -> list[str]:
    said = []
    monkeypatch.setattr(occupancy.Axes, "set_title", lambda self, text, **style: said.append(text))
    draw_occupancy(tables.clusters, view, tables.ledger, 1024, path)
    return said


def test_titles_count_windows_and_give_rates_of_events(tmp_path, run_tables, monkeypatch):
    # Three of four windows are analysed: 90 of 32 s.
    tables = run_tables(detectors=("H1",), windows=120, lost_every=4)
    path = tmp_path / "o.svg"
    assert titles(monkeypatch, tables, "event", path) == ["H1: 90 events in 0.80 h, 112 an hour"]
    assert titles(monkeypatch, tables, "window", path) == ["H1: 90 windows in 0.80 h"]


def test_thousands_of_bins_are_a_small_figure(tmp_path, run_tables):
    tables = run_tables(windows=1500, clusters=8, lost_every=40)
    about = (tables.clusters, "event", tables.ledger, 32)
    assert "excluded" in drawn_twice(tmp_path / "o.svg", draw_occupancy, *about)


def test_rates_of_events_are_drawn_above_their_shares(tmp_path, run_tables, monkeypatch):
    drawn = []
    for name in ("_draw_rates", "_draw_shares", "_draw_counts"):
        assert getattr(occupancy, name) in occupancy._HEIGHT_IN
    monkeypatch.setattr(
        occupancy,
        "_stack",
        lambda axes, counts, parts, bin_s: drawn.append(np.nansum(parts)),
    )
    tables = run_tables(detectors=("H1",), windows=120, lost_every=4)
    draw_occupancy(tables.clusters, "event", tables.ledger, 10**6, tmp_path / "o.svg")
    assert drawn == [near(112.5), near(1)]
