"""The part of a Snakemake profile that says what jobs ask for, written by what was measured."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from gwmorph.batch.measured import Measured
from gwmorph.batch.requests import SNAKEMAKES, Headroom, Request, group_size, requests
from gwmorph.batch.rules import Rule
from gwmorph.errors import StorageError
from gwmorph.storage import write_bytes

MARK = "# From here on written by `gwmorph requests RUN... --write`: edit above, not below."
# Beside the profiles, which lie in folders of their own.
MEASURED = "measured.tsv"
# What a run has once is joined to one job, however many parts it is in.
_MANY = 1000
# What a batch system's plugin calls memory [MB], beside what Snakemake calls it.
_MEMORY = {"htcondor": ("htcondor_request_mem_mb",)}


def rewritten(
    text: str, rules: Iterable[Rule], of_rules: Mapping[str, Measured], headroom: Headroom
) -> str:
    """Return a profile with its written part made anew; what is above its mark stays.

    Which rules are grouped is said above, by ``groups``.

    Raises
    ------
    StorageError
        It has no such mark, or it groups a rule that runs where Snakemake was started.
    """
    own, mark, _ = text.partition(MARK)
    if not mark:
        raise StorageError(f"a profile without the line '{MARK}'. Put it back at its end.")
    known = list(rules)
    profile = yaml.safe_load(own)
    groups: dict[str, str] = profile.get("groups", {})
    _require_submitted(groups, known)
    asked = requests(known, of_rules, headroom)
    sizes = _group_sizes(groups, known, of_rules, headroom)
    memory = ("mem_mb", *_MEMORY.get(profile.get("executor", ""), ()))
    written = [mark, *_stated(headroom), *_sizes(sizes), *_resources(asked, memory)]
    return own + "\n".join(written) + "\n"


def _require_submitted(groups: Mapping[str, str], rules: Iterable[Rule]) -> None:
    """Raise unless all grouped rules are submitted: one that is not keeps its group from it."""
    submitted = {rule.name for rule in rules if not rule.local}
    wrong = sorted(groups.keys() - submitted)
    if wrong:
        raise StorageError(
            f"groups: {', '.join(wrong)}: no rule of that name is submitted. Take it out, or take "
            "localrule from the rule."
        )


def _group_sizes(
    groups: Mapping[str, str],
    rules: Iterable[Rule],
    of_rules: Mapping[str, Measured],
    headroom: Headroom,
) -> dict[str, int]:
    """Return how many parts of each group are put into one job.

    Rules of blocks, and of groups of blocks, are joined until they take long enough; what a run
    has once is all joined.
    """
    growing = {rule.name for rule in rules if "{block}" in rule.benchmark or _is_vectors(rule)}
    members: dict[str, list[str]] = {}
    for rule, group in groups.items():
        members.setdefault(group, []).append(rule)
    return {
        group: group_size(names, of_rules, headroom) if growing.issuperset(names) else _MANY
        for group, names in members.items()
    }


def _is_vectors(rule: Rule) -> bool:
    return "{group}" in rule.benchmark


def _stated(headroom: Headroom) -> list[str]:
    """Return the lines that say what the numbers hold beside what was measured."""
    return [
        f"# Measured: {MEASURED}. Asked for: {headroom.memory:g} times the largest job and "
        f"{headroom.time:g} times the longest,",
        f"# {SNAKEMAKES} x {headroom.snakemake_mb:g} MB and {headroom.snakemake_s:g} s for "
        "Snakemake itself, and no less than the rule declares",
        "# where a job grows with its run. Each further attempt asks for as much again.",
        f"# Groups hold jobs enough for {headroom.shortest_job_s:g} s.",
    ]


def _sizes(sizes: Mapping[str, int]) -> list[str]:
    lines = [f"  {group}: {size}" for group, size in sizes.items()]
    return ["group-components:", *lines] if lines else []


def _resources(asked: Iterable[Request], memory: Iterable[str]) -> list[str]:
    lines = ["set-resources:"]
    for one in asked:
        named = {**dict.fromkeys(memory, one.mem_mb), "runtime": one.runtime}
        values = {name: value for name, value in named.items() if value is not None}
        if values:
            note = "" if one.is_measured else "  # as declared: not measured"
            lines.append(f"  {one.rule}:{note}")
            lines += [f'    {name}: "attempt * {value}"' for name, value in values.items()]
    return lines


def write_profiles(
    folder: Path, rules: Iterable[Rule], of_rules: Mapping[str, Measured], headroom: Headroom
) -> list[Path]:
    """Rewrite every profile below a folder that has the mark, and return where they are."""
    known = list(rules)
    written = []
    for path in sorted(folder.glob("*/config.yaml")):
        text = path.read_text(encoding="utf-8")
        if MARK in text:
            write_bytes(path, rewritten(text, known, of_rules, headroom).encode())
            written.append(path)
    return written


def headroom_of(options: Mapping[str, Any]) -> Headroom:
    """Return a head-room of what was given; what was not given is the default."""
    names = {field.name for field in fields(Headroom)}
    return Headroom(**{k: v for k, v in options.items() if k in names and v is not None})
