"""The section ``events``: what counts as a trigger or an event."""

from typing import Annotated, Literal

from pydantic import model_validator

from gwmorph.config.base import DISTINCT, Section, key


class CandidatesConfig(Section):
    """Values of a window's parts from which on they are traced back to a place and drawn.

    Below them nothing becomes an event, whatever the score's limit.
    """

    tile_snr: float = key(5.8, "Smallest Omicron SNR of a window's loudest tile.", ge=3)
    excess: float = key(3.5, "Smallest excess, as in the measurements.", gt=0)
    track: float = key(12.0, "Smallest log-likelihood ratio of a track.", "nat", gt=0)
    chirp: float = key(9.0, "Smallest log-likelihood ratio of a chirp.", "nat", gt=0)


class EventsConfig(Section):
    """What counts as a trigger, and which triggers get a view."""

    snr: float = key(7.5, "Smallest Omicron SNR of a trigger.", gt=0)
    tile_snr: float = key(
        5.5, "Smallest Omicron SNR of the tiles that triggers are made of.", ge=3
    )
    gap_s: float = key(
        0.1, "Longest time between tiles of one trigger; Omicron's default.", "s", ge=0, le=2
    )
    max_per_window: int = key(
        8,
        "Most event views of one window's triggers, the loudest first; 0 draws no view at all.",
        ge=0,
        le=64,
    )
    candidates: CandidatesConfig = key(
        CandidatesConfig(), "What is looked at besides triggers, until the score is known."
    )
    parts: Annotated[list[Literal["tile", "excess", "track", "chirp"]], DISTINCT] = key(
        ["tile", "excess", "track", "chirp"],
        "Parts of the score that make an event of a window above its limit, besides triggers: its "
        "loudest tile below snr, a box, a path, a chirp's track.",
    )

    @model_validator(mode="after")
    def _triggers_have_tiles(self) -> "EventsConfig":
        if self.snr < self.tile_snr:
            raise ValueError(
                f"snr ({self.snr:g}) must not be less than tile_snr ({self.tile_snr:g})"
            )
        if self.candidates.tile_snr < self.tile_snr:
            raise ValueError(
                f"candidates.tile_snr ({self.candidates.tile_snr:g}) must not be less than "
                f"tile_snr ({self.tile_snr:g})"
            )
        return self
