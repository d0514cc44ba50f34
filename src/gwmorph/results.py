"""A run's folder: whose it is, what its results were made with, and which files are the run's.

A folder is claimed for one schema version. Its configuration is recorded there once all that
it describes is made, and the record is withdrawn before any of that is made anew: a record says
that the results are whole and of one configuration.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gwmorph.config import Config, load_yaml, parse_config
from gwmorph.errors import PlanError
from gwmorph.naming import parse_span_name
from gwmorph.storage import write_bytes, write_json
from gwmorph.tables.parquet import SCHEMA_VERSION

_MARKER = "schema.json"
_ABSENT = "nothing"
# Seconds since 1970. Snakemake takes no file of second 0 for older than another one.
_LONG_AGO = 1
_WITHDRAWN = b"# Withdrawn: what this made is being made anew, or that was interrupted.\n"


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds anything but results of this schema version; write nothing.

    Raises
    ------
    PlanError
        The folder holds something else, or results of another schema version.
    """
    found = _schema_version(folder / _MARKER)
    if found == SCHEMA_VERSION:
        return
    if found is not None:
        what = f"holds results of schema version {found}; this is version {SCHEMA_VERSION}"
    elif folder.exists() and any(folder.iterdir()):
        what = f"holds files, but no readable {_MARKER} that says which schema version they follow"
    else:
        return
    raise PlanError(
        f"{folder}: {what}. Move the folder away, or give this run a new name (run.name); "
        "nothing in it was changed."
    )


def claim_folder(folder: Path) -> None:
    """Mark ``results/{run}`` as written in this schema version.

    Raises
    ------
    PlanError
        As `check_folder`.
    """
    check_folder(folder)
    if not (folder / _MARKER).exists():
        write_json(folder / _MARKER, {"schema_version": SCHEMA_VERSION})


def _schema_version(marker: Path) -> str | None:
    """Return the version that a marker names, or None where there is no readable one."""
    try:
        return str(json.loads(marker.read_text(encoding="utf-8"))["schema_version"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def record_config(path: Path, configuration: Mapping[str, Any]) -> None:
    """Write the configuration that results were made with, every key resolved, as YAML.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    write_bytes(path, yaml.safe_dump(dict(configuration), sort_keys=False).encode())


def is_recorded(path: Path) -> bool:
    """Return whether ``path`` is a record, and not a withdrawn one."""
    return path.is_file() and not path.read_bytes().startswith(_WITHDRAWN)


def unfinished(run: Path) -> str | None:
    """Return what to know of a run's results where they may be of several configurations."""
    if is_recorded(run / "config.yaml"):
        return None
    return (
        f"Not finished: what made {run} anew was interrupted or failed, so its results may be of "
        "several configurations. Run snakemake to its end."
    )


def withdraw_record(path: Path) -> None:
    """Remove a record; where there is none, nothing happens."""
    path.unlink(missing_ok=True)


def mark_withdrawn(path: Path) -> None:
    """Say in a record that it is withdrawn, and keep the rest: a run is started with it.

    It becomes older than all results, so that the workflow writes it anew with them.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    if is_recorded(path):
        write_bytes(path, _WITHDRAWN + path.read_bytes())
    os.utime(path, (_LONG_AGO, _LONG_AGO))


def require_recorded(path: Path, config: Config) -> None:
    """Check that the results beside the record ``path`` are whole and were made with ``config``.

    Raises
    ------
    PlanError
        There is no record, so that the results are not whole, or it differs; the error lists the
        keys that do.
    ConfigError
        The record is no configuration.
    """
    if not is_recorded(path):
        raise PlanError(
            f"{path}: no such record, so these results are not finished. Run snakemake to its end "
            "first, with the same configuration and target."
        )
    recorded = parse_config(load_yaml(path), str(path))
    differing = sorted(
        _differences(config.model_dump(mode="json"), recorded.model_dump(mode="json"))
    )
    if differing:
        lines = [f"{key}: {given!r} here, {made!r} there" for key, given, made in differing]
        raise PlanError(
            "\n  ".join([f"{path.parent} was made with another configuration:", *lines])
            + f"\nFor what is there, pass --configfile {path}; for this configuration, run "
            "snakemake to its end first."
        )


def _differences(
    given: Mapping[str, Any], made: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (dotted key, given value, made value) of every value that differs."""
    for name in given.keys() | made.keys():
        one, other = given.get(name, _ABSENT), made.get(name, _ABSENT)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differences(one, other, f"{prefix}{name}.")
        elif one != other:
            yield f"{prefix}{name}", one, other


def remove_strays(kept: Collection[Path]) -> list[Path]:
    """Remove what is named after a span of time and lies beside ``kept`` without being of it.

    That is what another span, other detectors or another ``encoder.blocks_per_job`` left: whoever
    reads the whole folder would count windows twice, or those of another run. Names of other forms
    are left alone. Returns what was removed.
    """
    wanted = set(kept)
    strays = [
        path
        for folder in sorted({path.parent for path in wanted})
        for path in sorted(folder.iterdir())
        if path not in wanted and _has_span_name(path)
    ]
    for path in strays:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return strays


def _has_span_name(path: Path) -> bool:
    try:
        parse_span_name(path.name)
    except ValueError:
        return False
    return True
