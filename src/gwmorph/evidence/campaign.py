"""The jobs of an injection campaign, and the seeds that belong to each.

This module is read with the workflow, once for each job, so it imports little.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from gwmorph.config import InjectionsConfig
from gwmorph.simulation.morphologies import choose_morphologies
from gwmorph.simulation.streams import stream

Role = Literal["reference", "calibration", "test", "injection", "noise", "lesson", "labelled"]


@dataclass(frozen=True)
class Job:
    """Windows that one job makes, and all that they depend on besides the rendering.

    Attributes
    ----------
    name : of the job and of its random streams.
    role : what its windows are for.
    windows : number of noise windows.
    detector, seed : of the noise.
    morphology : what is injected into each window; None leaves it quiet.
    snrs : one row for each noise window and each of these.
    """

    name: str
    role: Role
    windows: int
    detector: str
    seed: int
    morphology: str | None = None
    snrs: tuple[float, ...] = ()

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Return the job whose fields a rule's params name."""
        return cls(**{**params, "snrs": tuple(params["snrs"])})


def plan_jobs(settings: InjectionsConfig) -> list[Job]:
    """Return the jobs of a campaign in simulated noise; no two share a name.

    Raises
    ------
    ConfigError
        A morphology is unknown.
    """
    given = (settings.detector, settings.seed)
    quiet: list[tuple[Role, int]] = [
        ("reference", settings.reference_windows),
        ("calibration", settings.quiet_windows),
        ("test", settings.quiet_windows),
    ]
    jobs = [
        Job(f"{role}-{number}", role, windows, *given)
        for role, total in quiet
        for number, windows in enumerate(even_parts(total, settings.windows_per_job))
    ]
    largest = max(settings.windows_per_job // len(settings.snrs), 1)
    return jobs + [
        Job(f"{name}-{number}", "injection", windows, *given, name, tuple(settings.snrs))
        for name in choose_morphologies(settings.morphologies)
        for number, windows in enumerate(even_parts(settings.injections_per_point, largest))
    ]


def plan_noise_jobs(settings: InjectionsConfig, detector: str) -> list[Job]:
    """Return the jobs of a campaign in real noise of ``detector``.

    The first two have simulated windows, which statistics learn from and limits are set on, since
    real ones are too few; the third has the real ones without an injection; then one for each
    morphology.

    Raises
    ------
    ConfigError
        A morphology is unknown.
    """
    given = (detector, settings.seed)
    return [
        Job(f"{detector}-reference", "reference", settings.reference_windows, *given),
        Job(f"{detector}-calibration", "calibration", settings.reference_windows, *given),
        Job(f"{detector}-quiet", "noise", settings.noise_windows, *given),
        *(
            Job(
                f"{detector}-{name}",
                "noise",
                settings.noise_windows,
                *given,
                name,
                tuple(settings.snrs),
            )
            for name in choose_morphologies(settings.morphologies)
        ),
    ]


def even_parts(total: int, largest: int) -> list[int]:
    """Cut ``total`` into as few parts of at most ``largest`` as can be, as equal as can be."""
    count = -(-total // largest)
    return [total // count + (i < total % count) for i in range(count)]


def noise_seed(job: Job, number: int) -> int:
    """Return the seed of one stretch of a job's noise."""
    return int(stream(job.seed, "campaign noise", job.name, number).integers(2**63))
