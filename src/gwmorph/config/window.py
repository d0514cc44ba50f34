"""The section ``window``: the grid of windows."""

from typing import Literal

from gwmorph.config.base import Section, key


class WindowConfig(Section):
    """The grid of windows."""

    duration_s: Literal[32] = key(32, "Length of a window.", "s")
    stride_s: Literal[16, 32] = key(32, "Step of the grid; 16 makes windows overlap.", "s")
    context_s: int = key(
        4,
        "Science data needed on both sides of a window; windows with less are excluded.",
        "s",
        ge=4,
        le=64,
    )
