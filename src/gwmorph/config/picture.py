"""The section ``picture``: from tile energies to a PNG."""

from typing import Literal

from gwmorph.config.base import Section, key


class PictureConfig(Section):
    """From tile energies to a PNG."""

    height: int = key(
        224, "Rows, logarithmic in frequency; even.", "pixels", ge=28, le=1024, multiple_of=2
    )
    width: int = key(
        224, "Columns, linear in time; even.", "pixels", ge=28, le=2048, multiple_of=2
    )
    plane: Literal["max", "loudest"] = key(
        "max",
        "max: the largest energy over all Q-planes, pixel by pixel; loudest: the plane that holds "
        "the window's loudest tile, as gwpy draws.",
    )
    energy_max: float = key(25.5, "Energy at the top of the palette.", gt=1)
    scale: Literal["linear", "sqrt"] = key(
        "linear", "How energy is spread over the palette (g in the PNG's text chunk)."
    )
    colormap: Literal["cividis", "viridis", "gray"] = key("cividis", "Palette of the PNG.")
