"""The section ``run``: which data, under which name."""

from typing import Annotated, Literal

from pydantic import model_validator

from gwmorph.config.base import DISTINCT, Detector, Section, key

# GPS times of nine and ten digits, which formats and libraries of the field hold: 1983 to 2048.
_FIRST_GPS, _LAST_GPS = 100_000_000, 2**31 - 1
# The longest observing run, O4, took 0.8e8 s.
_LONGEST_S = 100_000_000


class RunConfig(Section):
    """Which data, under which name."""

    name: str = key(
        "demo",
        "Name of the run; all its outputs are under results/{name}/.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        max_length=100,
    )
    detectors: Annotated[list[Detector], DISTINCT] = key(
        ["H1", "L1"], "Detectors to analyse.", min_length=1
    )
    gps_start: int = key(1262301184, "First GPS second.", "s GPS", ge=_FIRST_GPS, le=_LAST_GPS)
    gps_end: int = key(
        1262313472,
        "GPS second after the last one, at most 1e8 s later.",
        "s GPS",
        ge=_FIRST_GPS,
        le=_LAST_GPS,
    )
    seed: int = key(20200106, "Seed of every random choice of the analysis.", ge=0, le=2**32 - 1)
    max_excluded_fraction: float = key(
        0.5,
        "The run's verdict fails when a larger fraction of a detector's planned windows is lost; "
        "all tables stay in place.",
        ge=0,
        le=1,
    )

    pictures: Literal["folder", "zip"] = key(
        "folder",
        "How the pictures of a block are kept: each a PNG in a folder, or all in one ZIP archive, "
        "uncompressed, for file systems that count files. The pictures are the same, and what is "
        "made of them; another choice draws the blocks again.",
    )

    @model_validator(mode="after")
    def _span_is_sensible(self) -> "RunConfig":
        if self.gps_end <= self.gps_start:
            raise ValueError(
                f"gps_end ({self.gps_end}) must be greater than gps_start ({self.gps_start})"
            )
        if self.gps_end - self.gps_start > _LONGEST_S:
            raise ValueError(
                f"gps_start ({self.gps_start}) and gps_end ({self.gps_end}) are "
                f"{self.gps_end - self.gps_start} s apart, expected at most {_LONGEST_S} s, which "
                "is more than the longest observing run; correct one of them, or give parts of "
                "the span to runs of their own"
            )
        return self
