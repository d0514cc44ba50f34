import os
from pathlib import Path

import pytest

from gwmorph.report.ending import last_error, report_line, whereabouts

# As Snakemake writes it, with the date above and other jobs' words below.
FAILED = """
[Fri Nov 27 08:24:58 2026]
Error in rule {rule}:
    message: Drawing
    jobid: 7
    input: results/t/{rule}.parquet
    output: results/t/{rule}.png
    log: {log} (check log file(s) for error details)
{more}[Fri Nov 27 08:25:01 2026]
Finished jobid: 3 (Rule: other)
Error in rule of grammar, says somebody's title
"""


def snakemake_log(folder: Path, *jobs: tuple[str, str], more: str = "") -> Path:
    """Write the log of an execution in which these jobs failed, each with the log it left."""
    text = "Building DAG of jobs...\n"
    for rule, said in jobs:
        log = folder / f"{rule}.log"
        if said:
            log.write_text(said)
        text += FAILED.format(rule=rule, log=log, more=more)
    (folder / "snakemake.log").write_text(text)
    return folder / "snakemake.log"


def test_last_error_is_that_of_the_last_job_that_failed(tmp_path):
    log = snakemake_log(
        tmp_path, ("block", "StrainError: no\n"), ("embed", "WARNING: x\nWeightsError: y\nby z\n")
    )
    assert last_error([log]) == (
        f"Rule embed failed, the last of 2 jobs that did; its log is {tmp_path}/embed.log\n"
        "WeightsError: y\nby z"
    )


def test_of_a_traceback_only_the_error_is_repeated(tmp_path):
    trace = "Traceback (most recent call last):\n  File x, line 1\nnumpy.linalg.LinAlgError: SVD\n"
    log = snakemake_log(tmp_path, ("map", f"KeyError: 'a'\n\nAnd then:\n\n{trace}"))
    assert last_error([log]).splitlines()[1:] == ["numpy.linalg.LinAlgError: SVD"]


@pytest.mark.parametrize("said", ["", "\n"])
def test_a_job_that_left_no_word_is_said_to_have_been_killed(tmp_path, said):
    assert "killed" in last_error([snakemake_log(tmp_path, ("map", said))])


def test_words_without_an_error_are_repeated_as_they_end(tmp_path):
    log = snakemake_log(tmp_path, ("map", "first\nlast\n"))
    assert last_error([log]).splitlines()[1:] == ["last"]


def test_an_error_of_no_job_points_to_the_log(tmp_path):
    (tmp_path / "s.log").write_text("MissingInputException\n")
    assert last_error([tmp_path / "s.log"]).endswith(f"{tmp_path}/s.log.")


def test_a_job_at_the_end_of_the_log_is_found(tmp_path):
    text = "Error in rule map:\n    jobid: 1\n    log: nowhere/map.log"
    (tmp_path / "s.log").write_text(text)
    assert last_error([tmp_path / "s.log"]).startswith(
        "Rule map failed; its log is nowhere/map.log"
    )


def test_a_finished_run_says_where_it_is(tmp_path):
    assert whereabouts(tmp_path, {}) == f"Results: {tmp_path}"
    (tmp_path / "tables").mkdir()
    page = tmp_path / "tables" / "summary.html"
    page.touch()
    assert whereabouts(tmp_path, {"validation": "validation/"}).splitlines() == [
        f"Results: {tmp_path}",
        f"Summary: {page}, or: gwmorph summary {tmp_path}",
        report_line(tmp_path),
    ]


def test_a_finished_target_says_where_it_is_and_how_to_make_its_report(tmp_path):
    parts = {"validation": "validation/", "train_encoder": "training/"}
    record, report = tmp_path / "training" / "config.yaml", tmp_path / "training.zip"
    record.parent.mkdir()
    record.touch()
    command = f"snakemake --cores 1 train_encoder --configfile {record} --report {report}"
    missing = f"train_encoder: {record.parent}; make its report: {command}"
    assert whereabouts(tmp_path, parts).splitlines() == [f"Results: {tmp_path}", missing]
    report.touch()
    os.utime(record, (1000, 1000))
    os.utime(report, (1001, 1001))
    said = whereabouts(tmp_path, parts)
    assert said.endswith(f"\ntrain_encoder: {record.parent}; report: {report}")
    os.utime(report, (999, 999))
    assert whereabouts(tmp_path, parts).endswith(missing)


def test_a_report_is_named_if_it_shows_the_results_and_else_how_to_make_it(tmp_path):
    command = (
        f"snakemake --cores 1 --configfile {tmp_path}/config.yaml --report {tmp_path}/report.zip"
    )
    assert report_line(tmp_path) == f"No report yet; make it: {command}"
    report, summary = tmp_path / "report.zip", tmp_path / "summary.json"
    for path in (report, summary):
        path.touch()
    os.utime(summary, (1000, 1000))
    os.utime(report, (1001, 1001))
    assert report_line(tmp_path) == f"Report: {report}"
    gallery = tmp_path / "figures" / "event" / "galleries" / "cluster_0.png"
    gallery.parent.mkdir(parents=True)
    table = tmp_path / "tables" / "events.html"
    table.parent.mkdir()
    for path in (gallery, table):
        path.touch()
    for newer in (summary, gallery, table):
        for path in (summary, *gallery.parents[:3], gallery, table.parent, table):
            os.utime(path, (1000, 1000))
        assert report_line(tmp_path) == f"Report: {report}"
        os.utime(newer, (1002, 1002))
        assert report_line(tmp_path).endswith(f"older than the results; make it anew: {command}")
