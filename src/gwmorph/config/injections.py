"""The section ``injections``: the injection campaign."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from gwmorph.config.base import DISTINCT, Detector, Section, key


class InjectionsConfig(Section):
    """The injection campaign, which `snakemake injections` runs."""

    detector: Detector = key("H1", "Detector whose noise is simulated.")
    seed: int = key(30, "Seed of all noise and all injections.", ge=0, le=2**32 - 1)
    reference_windows: int = key(
        2000,
        "Quiet windows that statistics learn the background from; no limit is set or tested on "
        "them.",
        ge=100,
    )
    quiet_windows: int = key(
        10000, "Quiet windows that limits are set on, and as many others to test them.", ge=20
    )
    injections_per_point: int = key(
        300, "Injections of each morphology, each at all SNRs in the same noise.", ge=1
    )
    snrs: list[Annotated[float, Field(gt=0)]] = key(
        [6.0, 8.0, 12.0, 20.0, 32.0, 50.0],
        "Optimal SNRs inside the window and the pass band, rising.",
        min_length=1,
    )
    morphologies: Annotated[list[str], DISTINCT] = key(
        [], "What is injected; an empty list means everything known."
    )
    false_alarm_fractions: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], DISTINCT] = key(
        [0.01, 0.001], "Fractions of quiet windows that may pass a limit.", min_length=1
    )
    windows_per_job: int = key(2000, "Windows of one job, about.", ge=1)
    noise_files: dict[Detector, list[str]] = key(
        {}, "For each detector, patterns (globs) of real strain files to inject into as well."
    )
    noise_windows: int = key(
        32, "Windows of each detector's noise files that are used, the earliest ones.", ge=2
    )
    modules: Annotated[list[str], DISTINCT] = key(
        [],
        "Python modules that register further statistics when they are imported; a change in "
        "one of them reruns nothing.",
    )

    @model_validator(mode="after")
    def _snrs_rise(self) -> "InjectionsConfig":
        if any(high <= low for low, high in pairwise(self.snrs)):
            raise ValueError(f"snrs must rise, got {self.snrs}")
        return self

    @model_validator(mode="after")
    def _fractions_are_resolved(self) -> "InjectionsConfig":
        # Limits in real noise are set on as many simulated windows as statistics learn from.
        setting = ["quiet_windows", *["reference_windows"] * bool(self.noise_files)]
        for name in setting:
            finest = 1 / (getattr(self, name) + 1)
            if min(self.false_alarm_fractions) < finest * (1 - 1e-9):
                raise ValueError(
                    f"false_alarm_fractions {min(self.false_alarm_fractions):g} is finer than "
                    f"{getattr(self, name)} windows ({name}) resolve ({finest:.2g}); raise {name}"
                )
        return self
