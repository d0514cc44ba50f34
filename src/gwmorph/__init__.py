"""Maps of gravitational-wave transient morphologies.

In a notebook: `analyse` does to strain in memory what the workflow does to a block of it, and
`open_run` opens a finished run as data frames.
"""

from importlib import import_module
from typing import Any

# Importing gwmorph takes no time: what these need is imported when they are asked for. A rule's
# hash of its code knows of them only where its script imports them by their modules.
_HOMES = {"analyse": "gwmorph.runs.analysis", "open_run": "gwmorph.runs.opened"}
__all__ = ["analyse", "open_run"]


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return what completion offers."""
    return sorted([*globals(), *_HOMES])
