import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from scipy.stats import betabinom

from closeness import near
from filled import filled
from gwmorph.cli import main
from gwmorph.ledger import Livetime, Reason, analysed_row, excluded_row
from gwmorph.report.summary import one_class_warning, print_summary, status_line, summarise
from gwmorph.tables.block import LEDGER, MEASUREMENTS, TRIGGERS
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.clusters import CLUSTER_SUMMARY
from gwmorph.tables.known_events import FLAGGED
from gwmorph.tables.scores import ABOVE_LIMIT, SCORES

NOTHING = dict.fromkeys(("tile", "excess", "track", "chirp", "line", "distance", "none"), 0)


def measured(detector: str, gps: int, snr: float) -> dict:
    return {field.name: 0.0 for field in MEASUREMENTS} | {
        "detector": detector,
        "gps_start": gps,
        "tile_snr": snr,
    }


def trigger(detector: str, gps: int, found_by: str = "tile", snr: float = 7.5) -> dict:
    own = {"detector": detector, "gps_start": gps, "view": gps < 64}
    own |= {"found_by": found_by, "snr": snr}
    return {field.name: 0 for field in TRIGGERS} | own


def scored(detector: str, gps: int, score: float, quiet: bool = False) -> dict:
    own = {"detector": detector, "gps_start": gps, "score": score, "limit": 2.0}
    return {field.name: 0 for field in SCORES} | own | {"quiet_windows": 1000, "quiet": quiet}


def above(gps: int, won_by: str, outcome: str) -> dict:
    own = {"detector": "H1", "gps_start": gps, "won_by": won_by, "outcome": outcome}
    return {field.name: 0 for field in ABOVE_LIMIT} | own


def cluster(number: int, members: int, share: float) -> dict:
    return {field.name: 0 for field in CLUSTER_SUMMARY} | {
        "cluster": number,
        "members": members,
        "share": share,
        "outliers": number,
        "supported": share < 1 / 2,
        "outside_umap": True,
        "medoid_detector": "H1",
    }


@pytest.fixture
def small_run() -> dict:
    """H1: three windows analysed, two lost; L1: everything lost."""
    lost = {"duration_s": 32, "block": 0, "detail": "synthetic"}
    ledger = [
        analysed_row("H1", 0, 32, 0),
        analysed_row("H1", 32, 32, 0),
        analysed_row("H1", 64, 32, 0),
        excluded_row("H1", 96, reason=Reason.NAN, **lost),
        excluded_row("H1", 128, reason=Reason.CONTEXT, **lost),
        excluded_row("L1", 0, reason=Reason.GAP, **lost),
    ]
    snrs = [measured("H1", 0, 7.49), measured("H1", 32, 7.5), measured("H1", 64, 30.0)]
    scores = [scored("H1", 0, 1.99), scored("H1", 32, 2.001), scored("H1", 64, 40.0)]
    triggers = [
        *(trigger("H1", gps) for gps in (32, 64, 64)),
        trigger("H1", 64, snr=6.4),
        trigger("H1", 96, "chirp", snr=9.9),
        trigger("H1", 128, "chirp"),
    ]
    outcomes = [
        above(32, "distance", "tile"),
        above(64, "track", "line"),
        above(0, "track", "line"),
    ]
    clusters = [cluster(0, 2, 2 / 3), cluster(1, 1, 1 / 3)]
    return {
        "run": "demo",
        "livetimes": {"H1": Livetime(200, 160, 128, 96), "L1": Livetime(40, 32, 32, 0)},
        "ledger": LEDGER.empty_table().from_pylist(ledger, schema=LEDGER),
        "measurements": MEASUREMENTS.empty_table().from_pylist(snrs, schema=MEASUREMENTS),
        "triggers": TRIGGERS.empty_table().from_pylist(triggers, schema=TRIGGERS),
        "scores": SCORES.empty_table().from_pylist(scores, schema=SCORES),
        "above_limit": ABOVE_LIMIT.empty_table().from_pylist(outcomes, schema=ABOVE_LIMIT),
        "events_snr": 7.5,
        "false_alarm_fraction": 0.01,
        "cluster_summaries": {
            "window": CLUSTER_SUMMARY.empty_table().from_pylist(clusters, schema=CLUSTER_SUMMARY),
            "event": CLUSTER_SUMMARY.empty_table().from_pylist(
                [cluster(0, 5, 1.0)], schema=CLUSTER_SUMMARY
            ),
        },
        "clusterings": {
            "window": {"clustered": True, "converged": True},
            "event": {"clustered": False},
        },
        "statuses": {},
    }


def test_windows_that_set_the_limit_pass_by_rank_and_others_by_chance(small_run):
    """Of a thousand whose tenth largest score is the limit nine pass, and nothing is left open."""
    own = [scored("H1", 32 * i, 2.0 + (i < 9), quiet=True) for i in range(1000)]
    others = [scored("H1", 32 * (1000 + i), 2.0) for i in range(500)]

    def false_alarms(rows):
        given = small_run | {"scores": SCORES.empty_table().from_pylist(rows, schema=SCORES)}
        found = summarise(**given)["detectors"]["H1"]
        return tuple(
            found[key]
            for key in ("windows_above_limit", "expected_false_alarms", "false_alarms_95")
        )

    assert false_alarms(own) == (9, near(9), [9, 9])
    law = betabinom(500, 10, 991)
    low, high = law.interval(0.95)
    assert false_alarms(others) == (0, near(law.mean()), [low, high])
    both = (9, near(9 + law.mean()), [9 + low, 9 + high])
    assert false_alarms(own + others) == both


def printed(summary: dict, width: int = 80) -> str:
    stream = io.StringIO()
    print_summary(summary, Path("nowhere"), Console(file=stream, width=width))
    return stream.getvalue()


def test_summary_holds_the_known_numbers(small_run):
    assert summarise(**small_run) == {
        "run": "demo",
        "events_snr": 7.5,
        "false_alarm_fraction": 0.01,
        "detectors": {
            "H1": {
                "science_s": 200,
                "gridded_s": 160,
                "context_limited_s": 128,
                "analysed_s": 96,
                "planned_windows": 5,
                "analysed_windows": 3,
                "excluded_windows": 2,
                "excluded_by_reason": {"context": 1, "nan": 1},
                "triggered_windows": 2,
                "triggers": 3,
                "triggers_without_view": 2,
                "events_by_score": {"tile": 1, "excess": 0, "track": 0, "chirp": 2},
                "windows_above_limit_by": {**NOTHING, "tile": 1, "line": 2},
                "windows_above_limit": 2,
                "expected_false_alarms": near(0.03, rel=1e-2),
                "false_alarms_95": [0, 1],
            },
            "L1": {
                "science_s": 40,
                "gridded_s": 32,
                "context_limited_s": 32,
                "analysed_s": 0,
                "planned_windows": 1,
                "analysed_windows": 0,
                "excluded_windows": 1,
                "excluded_by_reason": {"gap": 1},
                "triggered_windows": 0,
                "triggers": 0,
                "triggers_without_view": 0,
                "events_by_score": dict.fromkeys(("tile", "excess", "track", "chirp"), 0),
                "windows_above_limit_by": NOTHING,
                "windows_above_limit": 0,
                "expected_false_alarms": 0.0,
                "false_alarms_95": [0, 0],
            },
        },
        "views": {
            "window": {
                "members": 3,
                "clusters": 2,
                "clusters_supported": 1,
                "clusters_outside_umap": 2,
                "outliers": 1,
                "largest_cluster_share": 2 / 3,
                "clustered": True,
                "mixture_converged": True,
            },
            "event": {
                "members": 5,
                "clusters": 1,
                "clusters_supported": 0,
                "clusters_outside_umap": 1,
                "outliers": 0,
                "largest_cluster_share": 1.0,
                "clustered": False,
                "mixture_converged": None,
            },
        },
        "statuses": {},
        "classes_named": {},
    }


@pytest.mark.parametrize(
    ("rows", "warned"),
    [
        ([("KNOWN", "blip"), ("NOVEL", "blip"), ("QUIET", None)], True),
        ([("KNOWN", "blip"), ("NOVEL", "tomte")], False),
        ([("NOVEL", "blip")], False),
        ([("AMBIGUOUS", None)], False),
    ],
)
def test_one_class_alone_is_warned_of(small_run, rows, warned):
    found = filled(STATUSES, *[{"status": status, "named": named} for status, named in rows])
    summary = summarise(**small_run | {"statuses": {"event": found}})
    console = Console(file=io.StringIO(), width=300)
    print_summary(summary, Path("results/t"), console)
    said = "Only one class of events is known." in console.file.getvalue()
    assert said is warned
    assert bool(one_class_warning(summary)) is warned


def test_statuses_are_counted_and_said_the_rarest_first(small_run):
    rows = filled(STATUSES, *[{"status": status} for status in ("KNOWN", "NOVEL", "KNOWN")])
    summary = summarise(**small_run | {"statuses": {"event": rows}})
    found = {"EXCLUDED": 0, "QUIET": 0, "KNOWN": 2, "AMBIGUOUS": 0, "NOVEL": 1}
    assert summary["statuses"] == {"event": found}
    assert status_line("event", found) == "Of 3 events: 1 NOVEL, 2 KNOWN."
    assert status_line("event", dict.fromkeys(found, 0)) == "Of 0 events: none."
    console = Console(file=io.StringIO(), width=120)
    print_summary(summary, Path("results/t"), console)
    assert "Of 3 events: 1 NOVEL, 2 KNOWN." in console.file.getvalue()


def test_what_shows_something_known_is_counted_where_it_was_looked_for(small_run):
    known = {"detector": "H1", "name": "GW1", "kind": "event"}
    flagged = filled(
        FLAGGED,
        *(known | {"gps_start": gps, "trigger_time": None} for gps in (0, 32, 128)),
        known | {"gps_start": 32},
    )
    summary = summarise(**small_run | {"flagged": flagged})
    counts = [(own["known_windows"], own["known_events"]) for own in summary["detectors"].values()]
    assert counts == [(2, 1), (0, 0)]
    lines = {
        line.strip(" │").split("│")[0].strip(): line for line in printed(summary).splitlines()
    }
    assert numbers(lines["windows that show something known"]) == ["2", "0"]
    assert numbers(lines["events that show something known"]) == ["1", "0"]
    assert "something known" not in printed(summarise(**small_run))
    nothing = summarise(**small_run | {"flagged": FLAGGED.empty_table()})
    assert nothing["detectors"]["L1"]["known_events"] == 0


def test_summary_of_nothing_is_zeros_and_strict_json(small_run):
    empty = {
        "livetimes": {"H1": Livetime(0, 0, 0, 0)},
        "ledger": LEDGER.empty_table(),
        "measurements": MEASUREMENTS.empty_table(),
        "triggers": TRIGGERS.empty_table(),
        "scores": SCORES.empty_table(),
        "above_limit": ABOVE_LIMIT.empty_table(),
        "cluster_summaries": dict.fromkeys(("window", "event"), CLUSTER_SUMMARY.empty_table()),
    }
    summary = summarise(**(small_run | empty))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    for clusters in summary["views"].values():
        assert clusters["clusters"] == clusters["members"] == 0
        assert clusters["largest_cluster_share"] is None
    assert summary["detectors"]["H1"]["planned_windows"] == 0
    assert "No clusters of windows: none was analysed." in printed(summary)
    assert "No clusters of events: there was no event." in printed(summary)


def test_summary_counts_a_synthetic_run(small_run, run_tables):
    tables = run_tables(windows=600, clusters=8, lost_every=10)
    given = {
        "livetimes": {"H1": Livetime(1, 1, 1, 1), "L1": Livetime(1, 1, 1, 1)},
        "ledger": tables.ledger,
        "measurements": tables.measurements,
        "cluster_summaries": {"window": tables.summary},
    }
    summary = summarise(**(small_run | given))
    assert summary["views"]["window"]["members"] == 2 * 540
    for numbers in summary["detectors"].values():
        assert numbers["analysed_windows"] == 540
        assert numbers["excluded_by_reason"] == {"context": 30, "nan": 30}
        assert 0 < numbers["triggered_windows"] < 540


def test_printout_says_everything_once(small_run):
    text = printed(summarise(**small_run))
    for label in ("science [s]", "gridded [s]", "context-limited [s]", "analysed [s]"):
        assert text.count(label) == 1
    lines = {line.strip(" │").split("│")[0].strip(): line for line in text.splitlines()}
    assert numbers(lines["science [s]"]) == ["200", "40"]
    assert numbers(lines["of these context"]) == ["1", "0"]
    assert numbers(lines["windows with a tile of SNR >= 7.5"])[-2:] == ["2", "0"]
    assert numbers(lines["triggers of SNR >= 7.5"])[-2:] == ["3", "0"]
    assert numbers(lines["events that the score finds besides"]) == ["3", "0"]
    assert numbers(lines["of these an event, found by a tile"]) == ["1", "0"]
    assert numbers(lines["of these the shoulder of a line"]) == ["2", "0"]
    assert not [line for line in lines if "picture alone" in line]
    assert numbers(lines["windows above the 1 % limit"])[-2:] == ["2", "0"]
    expected = lines["expected if all were quiet (95 %)"]
    assert numbers(expected)[-2:] == ["0.0 (0-1)", "0.0 (0-0)"]
    squeezed = " ".join(text.split())
    assert (
        "2 clusters of 3 windows, 1 of them supported, 2 found without UMAP, too; the largest "
        "holds 66.7%; 1 outlier." in squeezed
    )
    assert "5 events are too few to cluster." in text
    assert text.rstrip().endswith("--configfile nowhere/config.yaml --report nowhere/report.zip")
    assert "converge" not in text


def numbers(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip(" │").split("│")[1:]]


def test_a_run_without_scores_counts_nothing_by_them_and_says_so(small_run):
    no_scores = {
        "scores": SCORES.empty_table(),
        "above_limit": ABOVE_LIMIT.empty_table(),
        "false_alarm_fraction": None,
    }
    summary = summarise(**{**small_run, **no_scores})
    assert summary["false_alarm_fraction"] is None
    for counts in summary["detectors"].values():
        assert not [key for key in counts if "limit" in key and "context" not in key]
        assert not [key for key in counts if "false_alarm" in key]
    text = printed(summary)
    assert "There are no scores (score.background is none): events are triggers alone." in text
    assert "the score finds" not in text
    assert "% limit" not in text
    assert "There are no scores" not in printed(summarise(**small_run))


def test_printout_warns_when_the_mixture_did_not_converge(small_run):
    small_run["clusterings"]["window"]["converged"] = False
    text = printed(summarise(**small_run))
    assert "did not converge" in text
    assert "clustering.mixture.max_iterations" in text


def test_printout_says_when_there_was_too_little_to_cluster(small_run):
    small_run["clusterings"]["window"] = {"clustered": False}
    text = printed(summarise(**small_run))
    assert "3 windows are too few to cluster." in text
    assert "converge" not in text


def test_printout_names_the_report_once_it_is_there(small_run, tmp_path):
    report = tmp_path / "report.zip"
    (tmp_path / "summary.json").touch()
    report.touch()
    stream = io.StringIO()
    print_summary(summarise(**small_run), tmp_path, Console(file=stream, width=60))
    assert stream.getvalue().rstrip().endswith(f"Report: {report}")


def test_printout_keeps_a_long_report_path_whole(small_run):
    stream = io.StringIO()
    path = "/a/very/long/place/" + "x" * 90
    print_summary(summarise(**small_run), Path(path), Console(file=stream, width=60))
    assert f"{path}/report.zip" in stream.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b'{"run": "d', b"\xff\xfe"], ids=["empty", "cut", "bytes"]
)
def test_a_damaged_summary_is_one_message(tmp_path, capsys, content):
    path = tmp_path / "summary.json"
    path.write_bytes(content)
    assert main(["summary", str(tmp_path)]) == 1
    assert f"{path}: damaged, it is not JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    ["[]", "{}", '{"run": "r", "events_snr": 8, "detectors": {"H1": {}}, "views": {}}'],
)
def test_json_that_is_no_summary_is_one_message(tmp_path, capsys, content):
    path = tmp_path / "summary.json"
    path.write_text(content)
    assert main(["summary", str(tmp_path)]) == 1
    assert f"{path}: is no summary of a run" in capsys.readouterr().err


def test_the_command_says_when_a_run_has_no_verdict(small_run, tmp_path, capsys):
    (tmp_path / "summary.json").write_text(json.dumps(summarise(**small_run)))
    assert main(["summary", str(tmp_path)]) == 0
    assert f"lost too many windows ({tmp_path}/logs/verdict.log" in capsys.readouterr().out
    (tmp_path / "verdict.json").touch()
    assert main(["summary", str(tmp_path)]) == 0
    assert "verdict" not in capsys.readouterr().out
