"""gwpy reads the segments that are written, and figures are those of the run."""

import json

import numpy as np
import pytest
from gwpy.segments import DataQualityFlag, SegmentList
from made_run import LOST, START, WINDOWS, events_of, make_run

from closeness import near
from gwmorph.cli import main
from gwmorph.errors import GwmorphError
from gwmorph.runs.vetoes import vetoes_of

LIVETIME = 32 * (WINDOWS - 1)
FLAG = "GWMORPH-VETO_CLUSTER_1"


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "demo")


@pytest.fixture
def written(run, tmp_path, capsys):
    """Return the folder that the command wrote the veto of cluster 1 into."""
    out = tmp_path / "out"
    assert main(["veto", str(run), "--cluster", "1", "--out", str(out), "--padding", "0.5"]) == 0
    assert "this veto is not safe" in capsys.readouterr().out
    return out


def chosen(detector: str) -> np.ndarray:
    times = events_of(detector)
    return times[(times - START) // 32 % 2 == 1]


def expected(detector: str) -> list[tuple[float, float]]:
    return [(time - 0.75, time + 1.0) for time in chosen(detector)]


@pytest.mark.parametrize("detector", ["H1", "L1"])
def test_gwpy_reads_the_same_segments_from_text_and_xml(written, detector):
    name = f"{detector}-GWMORPH_VETO_CLUSTER_1-{START}-{32 * WINDOWS}"
    text = SegmentList.read(written / f"{name}.txt", format="segwizard")
    assert [(float(a), float(b)) for a, b in text] == expected(detector)
    flag = DataQualityFlag.read(written / f"{name}.xml", f"{detector}:{FLAG}:1")
    assert [(float(a), float(b)) for a, b in flag.active] == expected(detector)
    lost = START + 32 * LOST
    assert [(int(a), int(b)) for a, b in flag.known] == [
        (START, lost), (lost + 32, START + 32 * WINDOWS)
    ]  # fmt: skip
    assert abs(flag.known) == LIVETIME


def test_json_says_the_figures_with_units(written):
    found = json.loads((written / f"L1-GWMORPH_VETO_CLUSTER_1-{START}-1280.json").read_text())
    own, every = chosen("L1"), events_of("L1")
    assert found["flag"] == f"L1:{FLAG}:1"
    assert (found["chosen_triggers"], found["segments"]) == (len(own), len(own))
    assert found["vetoed_s"] == near(1.75 * len(own))
    assert found["dead_time"] == near(1.75 * len(own) / LIVETIME)
    against = found["against"]
    assert against["all"]["efficiency"] == near(len(own) / len(every))
    ratio = len(own) / len(every) / (1.75 * len(own) / LIVETIME)
    assert against["all"]["efficiency_over_dead_time"] == near(ratio)
    assert against["all"]["use_percentage"] == 100
    assert (against["others"]["vetoed"], against["others"]["use_percentage"]) == (0, 0)
    assert against["snr_8"]["triggers"] == len(every) - len(own)  # loud ones are in cluster 0
    assert against["snr_20"]["efficiency"] is None
    assert found["padding_s"] == 0.5


def test_equal_vetoes_are_equal_bytes(written, run, tmp_path):
    again = tmp_path / "again"
    main(["veto", str(run), "--cluster", "1", "--out", str(again), "--padding", "0.5"])
    files = sorted(path.name for path in written.iterdir())
    assert len(files) == 6
    assert [(written / f).read_bytes() for f in files] == [(again / f).read_bytes() for f in files]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(["--class", "tomte"], "CLASS_TOMTE"), (["--status", "NOVEL"], "STATUS_NOVEL")],
)
def test_a_class_or_status_is_vetoed_as_a_cluster_is(run, tmp_path, arguments, name):
    out = tmp_path / "out"
    assert main(["veto", str(run), *arguments, "--whole-seconds", "--out", str(out)]) == 0
    path = out / f"H1-GWMORPH_VETO_{name}-{START}-1280.txt"
    found = SegmentList.read(path, format="segwizard")
    whole = [(int(time) - 1, int(time) + 1) for time in chosen("H1")]  # of t - 0.35, t + 0.6
    assert [(int(a), int(b)) for a, b in found] == whole


def test_edges_are_whole_milliseconds(run):
    first = vetoes_of(run, "cluster", 1, 0.001)["H1"].segments[0]
    edges = 1000 * expected("H1")[0][0] + 499, 1000 * expected("H1")[0][1] - 499
    assert tuple(first) == edges


def test_padding_ends_where_analysed_time_does(run):
    for veto in vetoes_of(run, "cluster", 1, 40).values():
        assert veto.segments & veto.analysed == veto.segments
        assert veto.dead_time <= 1


@pytest.mark.parametrize(
    ("column", "value", "padding", "said"),
    [
        ("cluster", 7, 0.1, "no event of cluster 7, but of 0, 1"),
        ("named", "koi", 0.1, "no event of class koi, but of blip, tomte"),
        ("cluster", 1, -0.1, "expected 0 s or more"),
        ("cluster", 1, float("nan"), "expected 0 s or more"),
    ],
)
def test_what_makes_no_veto_is_said(run, column, value, padding, said):
    with pytest.raises(GwmorphError, match=said):
        vetoes_of(run, column, value, padding)


def test_a_run_without_statuses_has_no_status_to_veto(run):
    (run / "calibration" / "event" / "status.parquet").unlink()
    with pytest.raises(GwmorphError, match="says no status of its events"):
        vetoes_of(run, "status", "NOVEL", 0.1)
