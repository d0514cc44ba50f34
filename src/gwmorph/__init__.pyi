"""What type checkers and editors know of the names that are imported when asked for."""

from gwmorph.runs.analysis import analyse as analyse
from gwmorph.runs.opened import open_run as open_run

__all__ = ["analyse", "open_run"]
