"""From the ``source`` section of the configuration to a strain source."""

from pathlib import Path

from gwmorph.config import SourceConfig
from gwmorph.strain.base import StrainSource


def make_source(source: SourceConfig) -> StrainSource:
    """Return the source that ``source.kind`` names; only its own modules are imported."""
    if source.kind == "gwosc":
        from gwmorph.strain.gwosc import GwoscSource

        return GwoscSource(
            host=source.gwosc.host,
            flag=source.gwosc.flag,
            sample_rate=source.gwosc.sample_rate,
            cache=Path(source.cache),
            attempts=source.gwosc.attempts,
            timeout_s=source.gwosc.timeout_s,
            file_hosts=source.gwosc.file_hosts,
        )
    if source.kind == "simulated":
        from gwmorph.strain.simulated import SimulatedSource

        return SimulatedSource(
            seed=source.simulated.seed,
            population=Path(source.simulated.population),
            rate_scale=source.simulated.rate_scale,
            duty_cycle=source.simulated.duty_cycle,
            sample_rate=source.simulated.sample_rate,
            cache=Path(source.cache),
        )
    from gwmorph.strain.directory import DirectorySource

    return DirectorySource(**source.directory.model_dump())
