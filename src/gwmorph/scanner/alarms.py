"""When too much is NOVEL: what to say, and the configuration that looks at it in full."""

import glob
import shlex
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gwmorph.config import parse_config
from gwmorph.config.score import fewest_quiet_windows
from gwmorph.naming import span_name
from gwmorph.scanner.summary import Alarm, BlockSummary
from gwmorph.storage import write_bytes
from gwmorph.wording import counted

_NAMED = 12


def alarm_of(
    block: BlockSummary,
    earlier: Iterable[BlockSummary],
    novel_alarm: int,
    hours: float,
    folder: Path,
) -> Alarm | None:
    """Return the alarm that a block raises, if it does.

    It does where more than ``novel_alarm`` windows are NOVEL, or hold a NOVEL event: in the block,
    or in its detector's blocks of the last ``hours`` up to its end. A block that adds none raises
    none.

    Parameters
    ----------
    earlier
        Other blocks of the scan, of any detector and time.
    folder
        Of the scan, in which the configuration of the full analysis will lie.
    """
    if not block.novel_windows:
        return None
    end = block.gps_end
    since = end - int(hours * 3600)
    others = [
        one
        for one in earlier
        if one.detector == block.detector
        and one.gps_start != block.gps_start
        and one.gps_start < end
        and one.gps_end > since
    ]
    recent = [t for one in others for t in one.novel_windows if t >= since]
    over_time = sorted({*recent, *block.novel_windows})
    for windows, first, where in (
        (sorted(block.novel_windows), block.gps_start, f"of block {block.gps_start}"),
        (over_time, min([block.gps_start, *(one.gps_start for one in others)]),
         f"of the last {hours:g} h"),
    ):  # fmt: skip
        if len(windows) > novel_alarm:
            name = span_name(block.detector, "ALARM", first, end - first, "yaml")
            return Alarm(
                _text(block.detector, windows, where, novel_alarm, folder / name),
                first,
                end,
                tuple(windows),
                name,
            )
    return None


def _text(
    detector: str, windows: Sequence[int], where: str, novel_alarm: int, config: Path
) -> str:
    named = ", ".join(str(start) for start in windows[:_NAMED])
    more = f" and {len(windows) - _NAMED} more" if len(windows) > _NAMED else ""
    return (
        f"ALARM: {counted(len(windows), 'window')} of {detector} {where} are NOVEL or hold a "
        f"NOVEL event, more than {novel_alarm} (scan.novel_alarm). They begin at GPS "
        f"{named}{more}. The full analysis of that span: snakemake --cores 2 --configfile "
        f"{shlex.quote(str(config))}"
    )


def full_analysis(
    alarm: Alarm,
    detector: str,
    files: Iterable[str],
    atlas: Path,
    configuration: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the configuration that runs the whole workflow on an alarm's span.

    Parameters
    ----------
    files
        The span's strain files.
    atlas
        Folder of the atlas, by which the run is judged, too.
    configuration
        All keys that the blocks were scanned with; what they say of pictures, events and vectors
        is kept.
    """
    kept = ("window", "conditioning", "qtransform", "picture", "events", "encoder", "score",
            "clustering", "known_events")  # fmt: skip
    paths = sorted({str(file) for file in files})
    raw: dict[str, Any] = {
        "run": {
            "name": f"alarm-{detector}-{alarm.gps_start}-{alarm.gps_end - alarm.gps_start}",
            "detectors": [detector],
            "gps_start": alarm.gps_start,
            "gps_end": alarm.gps_end,
            "max_excluded_fraction": configuration["run"]["max_excluded_fraction"],
        },
        "source": {
            "kind": "directory",
            "directory": {"files": {detector: [glob.escape(path) for path in paths]}},
        },
        **{name: configuration[name] for name in kept},
        "calibration": {"atlas": str(atlas), "elsewhere": "allowed"},
    }
    # A run's own quiet windows are too few in a short span, and simulated ones are unlike them.
    fewest = fewest_quiet_windows(configuration["score"]["false_alarm_fraction"])
    span_s = alarm.gps_end - alarm.gps_start
    short = span_s < 2 * fewest * configuration["window"]["duration_s"]
    if short and configuration["score"]["background"] == "run":
        raw["score"] = {**configuration["score"], "background": "none"}
    parse_config(raw, "the configuration of the full analysis")
    return raw


def write_full_analysis(path: Path, alarm: Alarm, raw: Mapping[str, Any]) -> None:
    """Write that configuration, with the alarm as its first lines.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    said = "".join(f"# {line}\n" for line in textwrap.wrap(alarm.text, 96))
    write_bytes(path, (said + yaml.safe_dump(dict(raw), sort_keys=False)).encode())
