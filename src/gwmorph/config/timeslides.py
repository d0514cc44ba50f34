"""The section ``timeslides``: what coincides in several detectors, and how often by chance."""

from typing import Annotated

from pydantic import model_validator

from gwmorph.config.base import DISTINCT, Detector, Section, key


class TimeslidesConfig(Section):
    """How coincidences are looked for and compared with chance, by `snakemake timeslides`."""

    detectors: Annotated[list[Detector], DISTINCT] = key(
        [],
        "Detectors that are compared: each two of them, and each three together; an empty list "
        "means all of the run's.",
    )
    step_s: float = key(
        5.0, "Step of the slides of triggers. Windows slide by whole windows.", "s", ge=0.1, le=1e5
    )
    slides: int = key(
        10_000, "Slides at most; where there are more, so many of them are drawn.", ge=1, le=10**7
    )
    min_shift_s: float = key(
        10.0,
        "What every slide exceeds, either way around; more where the triggers' correlation time, "
        "which is measured, or the widest coincidence window is longer.",
        "s",
        ge=0,
    )
    errors: float = key(
        3.0,
        "Triggers coincide within the light travel time and so many standard deviations of both "
        "timing errors.",
        gt=0,
        le=10,
    )
    block_s: int = key(
        256, "What happens in one such stretch of a detector's time is drawn together.", "s", ge=1
    )
    repeats: int = key(200, "Draws for each interval.", ge=20, le=10_000)
    seed: int = key(53, "Seed of drawn slides and of all intervals.", ge=0, le=2**32 - 1)
    p_value: float = key(
        0.01,
        "Candidates whose p-value over the run is as small may be signals: they are counted as "
        "such in upper limits.",
        gt=0,
        lt=1,
    )
    campaign: str | None = key(
        None,
        "Folder results/NAME/injections of a finished injection campaign, whose recall says how "
        "many signals upper limits would have found; without one they are of what both detectors "
        "show.",
    )

    @model_validator(mode="after")
    def _detectors_can_be_compared(self) -> "TimeslidesConfig":
        if len(self.detectors) == 1:
            raise ValueError(
                f"detectors: {self.detectors[0]} alone cannot be slid past another; name two or "
                "more, or leave the list empty for all of the run's"
            )
        return self
