"""Fail a scan whose blocks failed, or, where that is asked for, one that raised an alarm."""

from pathlib import Path

from gwmorph.joblog import JobLog
from gwmorph.scanner.ending import require_sound
from gwmorph.storage import read_json, write_json


def scan_verdict(summary: Path, on_alarm: str, result: Path) -> None:
    found = read_json(summary)
    require_sound(found, on_alarm)
    write_json(result, {"verdict": "passed", "on_alarm": on_alarm, "alarms": found["alarms"]})


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        scan_verdict(
            summary=Path(snakemake.input.summary),
            on_alarm=snakemake.params.on_alarm,
            result=Path(snakemake.output.verdict),
        )
