"""What every source of strain offers: segments, files, and local copies of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from igwn_segments import segmentlist

from gwmorph.errors import StrainError
from gwmorph.rebuilding import STRICT, rebuilt
from gwmorph.storage import sha256_of_file

Layout = Literal["gwosc", "gwf", "hdf5"]


@dataclass(frozen=True)
class StrainFile:
    """One file that a source offers.

    Attributes
    ----------
    detector : prefix, as H1.
    gps_start, duration : whole seconds; the file covers ``[gps_start, gps_end)``.
    sample_rate : Hz, of the file.
    location : URL or local path.
    sha256 : what the source promises about the content, if anything.
    rank : where files overlap, the lowest rank serves the time that they share.
    version : what tells the content from another at this location, where it may change.
    """

    __pydantic_config__ = STRICT

    detector: str
    gps_start: int
    duration: int
    sample_rate: int
    location: str
    sha256: str | None = None
    rank: int = 0
    version: str | None = None

    @property
    def gps_end(self) -> int:
        """GPS second after the last one."""
        return self.gps_start + self.duration

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a dictionary that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild what :meth:`to_json` gave; ValueError where it is no such thing."""
        return rebuilt(cls, content)


@dataclass(frozen=True)
class LocalFile:
    """Receipt of a file that is on disk: its content is known by hash.

    Attributes as in :class:`StrainFile`; ``layout`` says how to read it, and
    ``dataset_or_channel`` which data set (hdf5) or channel (gwf) holds the strain.
    """

    __pydantic_config__ = STRICT

    detector: str
    gps_start: int
    duration: int
    sample_rate: int
    path: str
    sha256: str
    size: int
    layout: Layout
    dataset_or_channel: str | None = None
    rank: int = 0

    @property
    def gps_end(self) -> int:
        """GPS second after the last one."""
        return self.gps_start + self.duration

    @classmethod
    def receipt(
        cls,
        file: StrainFile,
        path: Path | str,
        layout: Layout,
        dataset_or_channel: str | None = None,
    ) -> Self:
        """Hash the file at ``path`` and return its receipt.

        Raises
        ------
        StrainError
            The file is missing, or its hash is not the one that the source promised.
        """
        if not Path(path).is_file():
            raise StrainError(f"{path}: no such file (for {file.detector} at {file.gps_start}).")
        sha256 = sha256_of_file(path)
        if file.sha256 is not None and sha256 != file.sha256:
            raise StrainError(
                f"{path}: expected sha256 {file.sha256}, got {sha256}. The file is damaged or was "
                "replaced: remove it and fetch it again."
            )
        return cls(
            detector=file.detector,
            gps_start=file.gps_start,
            duration=file.duration,
            sample_rate=file.sample_rate,
            path=str(path),
            sha256=sha256,
            size=Path(path).stat().st_size,
            layout=layout,
            dataset_or_channel=dataset_or_channel,
            rank=file.rank,
        )

    def verify(self) -> None:
        """Check that the file on disk is still the one of the receipt.

        Raises
        ------
        StrainError
            The file is gone, or its size or hash differ.
        """
        path = Path(self.path)
        if not path.is_file():
            raise StrainError(f"{path}: gone since the run was planned; put it back or plan anew.")
        size = path.stat().st_size
        if size != self.size:
            raise StrainError(
                f"{path}: expected {self.size} bytes, got {size}. The file changed since the run "
                "was planned: put the old one back or plan anew."
            )
        sha256 = sha256_of_file(path)
        if sha256 != self.sha256:
            raise StrainError(
                f"{path}: expected sha256 {self.sha256}, got {sha256}. The file changed since the "
                "run was planned: put the old one back or plan anew."
            )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a dictionary that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild what :meth:`to_json` gave; ValueError where it is no such thing."""
        return rebuilt(cls, content)


def check_rate(path: str, found: int, sample_rate: int) -> None:
    """Check that a file's sample rate ``found`` can become ``sample_rate``; both in Hz.

    Raises
    ------
    StrainError
        It is lower, or no multiple.
    """
    if found < sample_rate:
        raise StrainError(
            f"{path}: sample rate {found} Hz is lower than the analysis' {sample_rate} Hz. Lower "
            "conditioning.sample_rate, or use faster files."
        )
    if found % sample_rate:
        raise StrainError(
            f"{path}: sample rate {found} Hz is no multiple of the analysis' {sample_rate} Hz. "
            "Choose conditioning.sample_rate so that it is."
        )


class StrainSource(Protocol):
    """Where strain comes from.

    ``segments`` and ``files`` are called when a run is planned, ``obtain`` in a job, which may
    be another process on another machine.
    """

    def segments(self, detector: str, start: int, end: int) -> segmentlist:
        """Return the science segments of ``detector``, coalesced, inside ``[start, end)``."""
        ...

    def files(self, detector: str, start: int, end: int) -> list[StrainFile]:
        """Return the files that hold a part of ``[start, end)``, sorted by start, then rank."""
        ...

    def obtain(self, file: StrainFile) -> LocalFile:
        """Fetch, make or check ``file`` and return the receipt of a verified local path."""
        ...
