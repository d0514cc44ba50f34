"""The section ``run``: which data, under which name."""

from pydantic import model_validator

from gwmorph.config.base import Detector, Section, key


class RunConfig(Section):
    """Which data, under which name."""

    name: str = key(
        "demo",
        "Name of the run; all its outputs are under results/{name}/.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
    )
    detectors: list[Detector] = key(["H1", "L1"], "Detectors to analyse.", min_length=1)
    gps_start: int = key(1262301184, "First GPS second.", "s GPS", ge=0)
    gps_end: int = key(1262313472, "GPS second after the last one.", "s GPS", ge=0)
    seed: int = key(20200106, "Seed of every random choice of the analysis.", ge=0, le=2**32 - 1)
    max_excluded_fraction: float = key(
        0.5,
        "The run's verdict fails when a larger fraction of a detector's planned windows is lost; "
        "all tables stay in place.",
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _span_runs_forward(self) -> "RunConfig":
        if self.gps_end <= self.gps_start:
            raise ValueError(
                f"gps_end ({self.gps_end}) must be greater than gps_start ({self.gps_start})"
            )
        if len(set(self.detectors)) != len(self.detectors):
            raise ValueError(f"detectors name one detector twice: {self.detectors}")
        return self
