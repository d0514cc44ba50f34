"""What the workflow says last: where the results are, or what went wrong."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_FAILED = re.compile(r"^ *Error in rule (\w+):\n(.*?)(?:\n\S|\Z)", re.MULTILINE | re.DOTALL)
_JOB_LOG = re.compile(r"^ +log: (.+?)(?: \(check log file.*)?$", re.MULTILINE)
_ERROR = re.compile(r"^[\w.]*(?:Error|Exception|Interrupt|Exit)\b.*", re.MULTILINE)


def last_error(logs: Sequence[Path | str]) -> str:
    """Return what the last job that failed said, and how many did.

    Parameters
    ----------
    logs
        Files in which Snakemake wrote of this execution. They name the log of each job that
        failed, where `gwmorph.joblog.JobLog` left the error.
    """
    files = ", ".join(map(str, logs))
    failed = [failure for log in logs for failure in _FAILED.findall(_text(Path(log)))]
    if not failed:
        return f"The workflow failed; what it said is in {files}."
    rule, block = failed[-1]
    own = _JOB_LOG.findall(block)
    others = f", the last of {len(failed)} jobs that did" if len(failed) > 1 else ""
    if not own:
        return f"Rule {rule} failed{others}; what it said is in {files}."
    return f"Rule {rule} failed{others}; its log is {own[0]}\n{_said(Path(own[0]))}"


def _said(job_log: Path) -> str:
    """Return the error at the end of a job's log, without the traceback that leads to it."""
    text = _text(job_log).strip() if job_log.is_file() else ""
    if not text:
        return "It left no word there: it was killed, perhaps for its memory."
    return error_of(text) or text.splitlines()[-1]


def error_of(text: str) -> str | None:
    """Return the last error in the text of a job's log, to its end; None where there is none."""
    errors = list(_ERROR.finditer(text))
    return text[errors[-1].start() :].strip() if errors else None


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def whereabouts(run: Path, parts: Mapping[str, str]) -> str:
    """Return where a run's results, summary and report are, so far as they were made.

    ``parts`` are the folders of what is made beside the run, by target: a finished one holds the
    record of its configuration.
    """
    lines = [f"Results: {run}"]
    page = run / "tables" / "summary.html"
    if page.is_file():
        lines += [f"Summary: {page}, or: gwmorph summary {run}", report_line(run)]
    for target, part in parts.items():
        if (run / part / "config.yaml").is_file():
            lines.append(_part_line(target, run / part))
    return "\n".join(lines)


def _part_line(target: str, folder: Path) -> str:
    """Return where a target's results are, and its report, or how to make it."""
    record, report = folder / "config.yaml", folder.with_suffix(".zip")
    if report.is_file() and report.stat().st_mtime_ns > record.stat().st_mtime_ns:
        return f"{target}: {folder}; report: {report}"
    command = f"snakemake --cores 1 {target} --configfile {record} --report {report}"
    return f"{target}: {folder}; make its report: {command}"


def report_line(run: Path) -> str:
    """Return where a run's report is, or how to make it if it is missing or older than the run."""
    report = run / "report.zip"
    command = f"snakemake --cores 1 --configfile {run}/config.yaml --report {report}"
    if not report.is_file():
        return f"No report yet; make it: {command}"
    if report.stat().st_mtime_ns < _newest_shown(run):
        return f"Report: {report} is older than the results; make it anew: {command}"
    return f"Report: {report}"


def _newest_shown(run: Path) -> int:
    """Return when the newest file of those that a report shows was written."""
    shown = [run / "summary.json", *(run / "figures").rglob("*"), *(run / "tables").rglob("*")]
    return max(path.stat().st_mtime_ns for path in shown)
