"""What the rule files say that a job may use, and where its benchmark lies."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gwmorph.errors import StorageError

_RULE = re.compile(r"^( *)rule (\w+):\n((?:\1 +\S.*\n|[ \t]*\n)+)", re.MULTILINE)
_RUN = "results/{run}/benchmarks/"
# Of an escaped path: the one that a name follows at once is for folders, or for nothing.
_FOLDERS = re.compile(r"\\\{\w+\\\}(?=\w)")
_WILDCARD = re.compile(r"\\\{\w+\\\}")


@dataclass(frozen=True)
class Rule:
    """One rule of the workflow.

    ``mem_mb`` [MB] and ``runtime`` [minutes] are what it declares, None where it works them out.
    ``benchmark`` is the path below a run's folder of benchmarks, with wildcards.
    """

    name: str
    mem_mb: int | None
    runtime: int | None
    local: bool
    benchmark: str

    @property
    def of_a_block(self) -> bool:
        """Whether a job is for one block: a longer run has more of them, and no larger ones."""
        return "{block}" in self.benchmark

    def made(self, path: str) -> bool:
        """Return whether a file below a run's folder of benchmarks is of a job of this rule."""
        return self._made.fullmatch(path) is not None

    @cached_property
    def _made(self) -> re.Pattern[str]:
        path = _FOLDERS.sub("(?:.+/)?", re.escape(self.benchmark))
        return re.compile(_WILDCARD.sub("[^/]+", path))


def rules_of(folder: Path) -> list[Rule]:
    """Return the rules of a folder's ``*.smk`` that have a benchmark, sorted by name.

    Raises
    ------
    StorageError
        There are none, or a rule with a benchmark asks for no resources.
    """
    found = [rule for path in sorted(folder.glob("*.smk")) for rule in _rules_in(path)]
    if not found:
        raise StorageError(
            f"{folder}: has no rules (*.smk). Give the workflow/rules of a checkout of gwmorph."
        )
    return sorted(found, key=lambda rule: rule.name)


def _rules_in(path: Path) -> Iterator[Rule]:
    text = path.read_text(encoding="utf-8")
    for _, name, body in _RULE.findall(text):
        benchmark = re.search(rf'^ *"{re.escape(_RUN)}(.+)\.tsv"', body, re.MULTILINE)
        if benchmark is None:  # a target, which has no job
            continue
        if "resources:" not in body:
            raise StorageError(f"{path}: rule {name} has a benchmark and no resources.")
        yield Rule(
            name,
            _number("mem_mb", body),
            _number("runtime", body),
            "localrule: True" in body,
            f"{benchmark[1]}.tsv",
        )


def _number(resource: str, body: str) -> int | None:
    found = re.search(rf"^ *{resource}=(\d+),?$", body, re.MULTILINE)
    return int(found[1]) if found else None
