"""The section ``score``: how unlike quiet noise each window is."""

from math import ceil
from typing import Literal

from pydantic import model_validator

from gwmorph.config.base import Section, key

FEWEST_QUIET = 100


def fewest_quiet_windows(false_alarm_fraction: float) -> int:
    """Return how many quiet windows a limit needs.

    So many that two of them may exceed it, of n and a new one: with a single one, fewer new
    windows than asked for pass (0.8 to 0.9 of them). A hundred are needed to learn from in any
    case.
    """
    return max(FEWEST_QUIET, ceil(2 / false_alarm_fraction - 1e-9) - 1)


class ScoreConfig(Section):
    """The score of every window against quiet noise."""

    background: Literal["simulated", "run", "none"] = key(
        "simulated",
        "Where quiet windows come from: simulated noise of each detector, or the run's own "
        "windows without a tile of events.snr, which real noise wants, being unlike simulated. "
        "With none there are no scores, and events are triggers alone.",
    )
    quiet_windows: int = key(
        1000,
        "Quiet windows of each detector (of the run's own, at most). No fraction of false alarms "
        "below 2/(quiet_windows + 1) can be asked for.",
        ge=FEWEST_QUIET,
    )
    seed: int = key(
        31,
        "Seed of the simulated noise, or of the choice among the run's own.",
        ge=0,
        le=2**32 - 1,
    )
    false_alarm_fraction: float = key(
        0.01,
        "Fraction of quiet windows whose score may exceed their limits, above which windows are "
        "counted.",
        gt=0,
        lt=1,
    )

    @model_validator(mode="after")
    def _fraction_is_resolved(self) -> "ScoreConfig":
        fewest = fewest_quiet_windows(self.false_alarm_fraction)
        if self.quiet_windows < fewest:
            raise ValueError(
                f"false_alarm_fraction {self.false_alarm_fraction:g} is finer than "
                f"{self.quiet_windows} quiet windows resolve; raise quiet_windows to {fewest} or "
                "more"
            )
        return self
