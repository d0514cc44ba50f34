"""Strain made on the spot, in files that nothing downstream can tell from GWOSC's."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from igwn_segments import segmentlist

from gwmorph import storage
from gwmorph.config import Detector
from gwmorph.errors import ConfigError
from gwmorph.formats.gwosc_layout import write_gwosc_block
from gwmorph.grid import BLOCK_S
from gwmorph.simulation.blocks import Simulation, simulate, truth_path
from gwmorph.simulation.population import load_population
from gwmorph.simulation.psd import DETECTORS
from gwmorph.simulation.quality import gaps, science_segments
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.tables.parquet import SCHEMA_VERSION, write_table
from gwmorph.tables.truth import TRUTH

# Part of the cache's key: raise it with every change that alters a simulated sample or truth row.
GENERATOR = 1

_RATE_NAMES = {2048: "2KHZ", 4096: "4KHZ", 16384: "16KHZ"}


@dataclass(frozen=True)
class SimulatedSource:
    """A strain source that simulates 4096 s GWOSC files when they are asked for.

    Parameters
    ----------
    seed : of noise, transients and gaps.
    population : file with the population of transients.
    rate_scale : factor on all transients' rates.
    duty_cycle : fraction of the time in which a detector observes, (0, 1].
    sample_rate : Hz, 2048, 4096 or 16384.
    cache : folder; files go to ``{cache}/simulated/{hash of all parameters}``, and have their path
        in it as location.
    """

    seed: int
    population: Path
    rate_scale: float
    duty_cycle: float
    sample_rate: int
    cache: Path

    def segments(self, detector: str, start: int, end: int) -> segmentlist:
        """Return the spans of ``[start, end)`` whose data-quality masks have DATA set.

        Raises
        ------
        ConfigError
            There is no noise model for the detector.
        """
        _check(detector)
        found = gaps(self.seed, detector, self.duty_cycle, start, end)
        return science_segments(found, start, end)

    def files(self, detector: str, start: int, end: int) -> list[StrainFile]:
        """Return the aligned 4096 s files that touch ``[start, end)``, whether made yet or not.

        Raises
        ------
        ConfigError
            There is no noise model for the detector, or the population file is faulty.
        """
        _check(detector)
        first = start // BLOCK_S * BLOCK_S
        return [self._file(detector, block) for block in range(first, end, BLOCK_S)]

    def obtain(self, file: StrainFile) -> LocalFile:
        """Make the file and its truth table beside it (see
        :func:`gwmorph.simulation.blocks.truth_path`), unless both are there unharmed.

        Any process may make any file, in any order: the bytes are the same. A file is trusted
        when the SHA-256 kept beside it is that of its content; otherwise it is made anew.

        Raises
        ------
        ConfigError
            The population file is faulty.
        StorageError
            The files cannot be written whole.
        """
        path = self.cache / file.location
        receipt = self._receipt_if_intact(file)
        if receipt is not None:
            return receipt
        span = simulate(
            self._simulation, cast(Detector, file.detector), file.gps_start, file.gps_end
        )
        write_table(truth_path(path), TRUTH, span.truth)
        write_gwosc_block(path, span.data)
        receipt = LocalFile.receipt(file, path, "gwosc")
        storage.record_sha256(path, receipt.sha256)
        return receipt

    @cached_property
    def folder(self) -> Path:
        """Folder of this simulation's files; its name depends on everything that shapes them."""
        key = storage.content_hash(
            {
                "generator": GENERATOR,
                # The truth tables in the folder follow it.
                "schema_version": SCHEMA_VERSION,
                "seed": self.seed,
                "population": self._simulation.population.model_dump(),
                "rate_scale": self.rate_scale,
                "duty_cycle": self.duty_cycle,
                "sample_rate": self.sample_rate,
            }
        )
        return Path(self.cache) / "simulated" / key

    @cached_property
    def _simulation(self) -> Simulation:
        return Simulation(
            seed=self.seed,
            population=load_population(self.population),
            rate_scale=self.rate_scale,
            duty_cycle=self.duty_cycle,
            sample_rate=self.sample_rate,
        )

    def _file(self, detector: str, block: int) -> StrainFile:
        run = f"GWOSC_SIM_{_RATE_NAMES[self.sample_rate]}_R1"
        name = f"{detector[0]}-{detector}_{run}-{block}-{BLOCK_S}.hdf5"
        return StrainFile(
            detector=detector,
            gps_start=block,
            duration=BLOCK_S,
            sample_rate=self.sample_rate,
            location=str((self.folder / name).relative_to(self.cache)),
        )

    def _receipt_if_intact(self, file: StrainFile) -> LocalFile | None:
        path = self.cache / file.location
        recorded = storage.recorded_sha256(path)
        if recorded is None or not (path.is_file() and truth_path(path).is_file()):
            return None
        receipt = LocalFile.receipt(file, path, "gwosc")
        return receipt if receipt.sha256 == recorded else None


def _check(detector: str) -> None:
    if detector not in DETECTORS:
        raise ConfigError(
            f"detector {detector!r} cannot be simulated: expected one of {', '.join(DETECTORS)}."
        )
