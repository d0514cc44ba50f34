"""The section ``score``: how unlike quiet noise each window is."""

from typing import Literal

from pydantic import model_validator

from gwmorph.config.base import Section, key


class ScoreConfig(Section):
    """The score of every window against quiet noise."""

    background: Literal["simulated", "run"] = key(
        "simulated",
        "Where quiet windows come from: simulated noise of each detector, or the run's own "
        "windows without a tile of events.snr, which real noise wants, being unlike simulated.",
    )
    quiet_windows: int = key(
        1000,
        "Quiet windows of each detector (of the run's own, at most); no fraction of false alarms "
        "below 1/(quiet_windows + 1) can be asked for.",
        ge=100,
    )
    seed: int = key(
        31,
        "Seed of the simulated noise, or of the choice among the run's own.",
        ge=0,
        le=2**32 - 1,
    )
    false_alarm_fraction: float = key(
        0.01,
        "Fraction of quiet windows whose score may reach the limit above which windows are "
        "counted.",
        gt=0,
        lt=1,
    )

    @model_validator(mode="after")
    def _fraction_is_resolved(self) -> "ScoreConfig":
        finest = 1 / (self.quiet_windows + 1)
        if self.false_alarm_fraction < finest:
            raise ValueError(
                f"false_alarm_fraction {self.false_alarm_fraction:g} is finer than "
                f"{self.quiet_windows} quiet windows resolve ({finest:.2g}); raise quiet_windows"
            )
        return self
