"""The section ``source``: where strain comes from."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gwmorph.config.base import Detector, Section, key


class GwoscConfig(Section):
    """Public data from GWOSC."""

    host: str = key(
        "https://gwosc.org", "Address of the GWOSC server.", pattern=r"^https?://[^/\s]+"
    )
    file_hosts: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?$")]] = key(
        [],
        "Hosts that files may come from beside that of host, as data.example.org; whatever else "
        "the server names or redirects to is not asked.",
    )
    flag: str = key(
        "DATA",
        "Science flag whose segments are analysed: DATA, CBC_CAT1 to CBC_CAT3, BURST_CAT1 to "
        "BURST_CAT3.",
        pattern=r"^[A-Z0-9_]+$",
    )
    sample_rate: Literal[4096, 16384] = key(4096, "Sample rate of the files to fetch.", "Hz")
    attempts: int = key(6, "Tries for each file or list before giving up.", ge=1, le=50)
    timeout_s: float = key(60.0, "Longest silence of the server before a try fails.", "s", gt=0)
    max_downloads: int = key(4, "Files downloaded at once.", ge=1, le=32)


class DirectoryConfig(Section):
    """Strain files that the user already has."""

    files: dict[Detector, list[str]] = key(
        {},
        "For each detector, its strain files: names, folders, or patterns (globs; ** for any "
        "number of folders). A name that is there is that file, whatever brackets it has.",
    )
    segments: dict[Detector, str] = key(
        {},
        "For each detector, a segment list (segwizard with 2, 3 or 4 columns, or JSON). "
        "Without one, the files' own spans and data-quality masks decide.",
    )
    format: Literal["auto", "gwosc", "gwf", "hdf5"] = key(
        "auto",
        "Layout of the files: gwosc (HDF5 as GWOSC writes it), gwf (frames), hdf5 (named "
        "datasets); auto looks into each file.",
    )
    channel: dict[Detector, str] = key(
        {},
        "For each detector, the channel to read from frames; by default the only strain channel, "
        "or the only one.",
    )
    dataset: dict[Detector, str] = key(
        {}, "For each detector, the dataset to read from plain HDF5 files."
    )
    prefer: list[str] = key(
        [],
        "File-name patterns, best first: which file serves where several cover the same time. "
        "Without a ranking an overlap is an error.",
    )


class SimulatedConfig(Section):
    """Strain made here, in GWOSC's layout."""

    seed: int = key(2, "Seed of noise and transients.", ge=0, le=2**32 - 1)
    population: str = key(
        "config/population.yaml", "File with the population of transients and its sources."
    )
    rate_scale: float = key(
        1.0, "Factor on all transients' rates in the population file.", ge=0, le=1000
    )
    duty_cycle: float = key(0.85, "Fraction of the time in which a detector observes.", gt=0, le=1)
    sample_rate: Literal[2048, 4096, 16384] = key(4096, "Sample rate of the files.", "Hz")


class SourceConfig(Section):
    """Where strain comes from."""

    kind: Literal["simulated", "gwosc", "directory"] = key(
        "simulated", "Source of strain and segments."
    )
    cache: str = key(
        "cache",
        "Folder for strain, downloaded or simulated, and for quiet windows; shared by all runs.",
    )
    gwosc: GwoscConfig = key(GwoscConfig(), "Used when kind is gwosc.")
    directory: DirectoryConfig = key(DirectoryConfig(), "Used when kind is directory.")
    simulated: SimulatedConfig = key(SimulatedConfig(), "Used when kind is simulated.")

    @model_validator(mode="after")
    def _directory_names_files(self) -> "SourceConfig":
        if self.kind == "directory" and not self.directory.files:
            raise ValueError(
                "directory.files is empty: name the strain files of each detector, "
                "for example {H1: ['data/H-H1_*.hdf5']}"
            )
        return self
