"""The files that a rule gives its script under a name, of which there may be several or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class NamedFiles(Protocol):
    """A rule's input or output, as Snakemake has it."""

    def get(self, key: str, default: Sequence[str], /) -> str | Sequence[str]:
        """Return a single file as a text, several as a list."""
        ...


def files_of(given: NamedFiles, name: str) -> list[Path]:
    """Return the files of that name, in the rule's order; none if the rule has no such name."""
    files = given.get(name, [])
    return [Path(path) for path in ([files] if isinstance(files, str) else files)]
