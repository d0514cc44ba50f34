"""The noise that a search for chirps is trained and measured in, each role's of its own.

Gaussian noise is drawn when it is needed. Recorded noise, simulated with lines and a level that
wanders or read from files, is whitened once, each role's part by its own median spectrum, as a
block is. Signals are whitened by the spectrum of the training's part.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from igwn_segments import segmentlist
from numpy.typing import NDArray

from gwmorph.arrays import read_arrays, require_arrays
from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.chirp_windows import (
    GaussianNoise,
    Look,
    Noise,
    RecordedNoise,
    Spectra,
    whitening_taps,
)
from gwmorph.simulation.noise import DetectorNoise
from gwmorph.simulation.streams import stream
from gwmorph.spectra.conditioning import REACH_S, median_psd, whiten
from gwmorph.storage import atomic_path
from gwmorph.strain.base import LocalFile
from gwmorph.strain.directory import recording
from gwmorph.strain.files import read_strain

ROLES = ("training", "validation", "calibration", "test", "slides")
# Shares of recorded time: the training, and whatever asks for few false alarms, need the most.
_SHARES = (0.4, 0.1, 0.15, 0.15, 0.2)
_FIRST_GPS = 1262301184
# Names of the arrays in a file of noise.
_WRITTEN = re.compile(rf"spectrum \w+|white ({'|'.join(ROLES)}) \w+ [0-9]+")
_KEY = "chirp_search.noise_files"

# For each detector, stretches of strain with their GPS starts.
Stretches = Mapping[str, Sequence[tuple[int, NDArray[np.float64]]]]


@dataclass(frozen=True)
class Recorded:
    """Whitened strain by role and detector, in stretches, and the training's spectra."""

    spectra: Spectra
    white: Mapping[str, Mapping[str, Sequence[NDArray[np.float32]]]]

    def noise(self, role: str, look: Look) -> Noise:
        """Return the noise of one role."""
        held = tuple(tuple(self.white[role][detector]) for detector in look.detectors)
        return RecordedNoise(held, look)


def simulated_strain(look: Look, seconds: int, seed: int) -> dict[str, Stretches]:
    """Simulate as many seconds for each role: noise with lines, whose level wanders."""
    found: dict[str, Stretches] = {}
    for role in ROLES:
        own = int(stream(seed, "chirp search noise", role).integers(2**62))
        found[role] = {
            detector: [
                (
                    _FIRST_GPS,
                    DetectorNoise(detector, look.sample_rate, own).strain(
                        _FIRST_GPS, _FIRST_GPS + seconds
                    ),
                )
            ]
            for detector in look.detectors
        }
    return found


def recorded_strain(files: Mapping[str, Sequence[str]], look: Look) -> dict[str, Stretches]:
    """Read each detector's strain files, and share their time among the roles.

    Raises
    ------
    ConfigError, StrainError
        As `read_stretches`; or as `gwmorph.strain.directory.recording`.
    """
    found: dict[str, dict[str, Sequence[tuple[int, NDArray[np.float64]]]]]
    found = {role: {} for role in ROLES}
    for detector in look.detectors:
        held = recording(_KEY, detector, files[detector])
        shared = read_stretches(held.files, held.segments, detector, look)
        for role, stretches in shared.items():
            found[role][detector] = stretches
    return dict(found)


def read_stretches(
    files: Sequence[LocalFile], segments: segmentlist, detector: str, look: Look
) -> dict[str, list[tuple[int, NDArray[np.float64]]]]:
    """Read a detector's science time and share it among the roles, the earliest to the training.

    Raises
    ------
    ConfigError
        A role has no stretch that is long enough to whiten a window of it.
    StrainError
        As `gwmorph.strain.files.read_strain`.
    """
    total = float(abs(segments))
    edges = np.concatenate([[0.0], np.cumsum(_SHARES)]) * total
    found: dict[str, list[tuple[int, NDArray[np.float64]]]] = {role: [] for role in ROLES}
    least = 2 * REACH_S + int(np.ceil(look.window_s)) + 1
    done = 0
    for start, end in segments:
        for role, low, high in zip(ROLES, edges, edges[1:], strict=False):
            first = max(int(start), int(start) + int(np.ceil(low)) - done)
            last = min(int(end), int(start) + int(high) - done)
            if last - first >= least:
                strain = read_strain(files, detector, first, last, look.sample_rate)
                found[role].append((first, strain.values))
        done += int(end - start)
    if short := [role for role in ROLES if not found[role]]:
        raise ConfigError(
            f"{_KEY}.{detector}: {total:.0f} s of science time, in which there is no stretch of "
            f"{least} s for {', '.join(short)}. Name longer files."
        )
    return found


def whitened(strain: Mapping[str, Stretches], look: Look) -> Recorded:
    """Whiten each role's strain by its median spectrum.

    ``strain`` holds stretches by role and detector; what the filter reaches beyond is cut away.

    Raises
    ------
    StrainError
        As `gwmorph.spectra.conditioning.whitening_filter`.
    """
    rate, edge = look.sample_rate, REACH_S * look.sample_rate
    spectra = {
        role: {detector: _spectrum(stretches[detector], rate) for detector in look.detectors}
        for role, stretches in strain.items()
    }
    taps = {role: whitening_taps(own, look) for role, own in spectra.items()}
    white = {
        role: {
            detector: [
                whiten(values, taps[role][detector], rate, start)[edge:-edge]
                for start, values in stretches[detector]
            ]
            for detector in look.detectors
        }
        for role, stretches in strain.items()
    }
    # ASSUME: the shape of the training's spectrum is that of all noise, so that a signal has its
    # SNR in all of it.
    return Recorded(spectra["training"], white)


def _spectrum(
    stretches: Sequence[tuple[int, NDArray[np.float64]]], sample_rate: int
) -> NDArray[np.float64]:
    return median_psd(np.concatenate([values for _, values in stretches]), sample_rate, 4)


def write_noise(path: Path | str, spectra: Spectra, recorded: Recorded | None) -> None:
    """Write spectra, and whitened strain where it was recorded.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    """
    arrays: dict[str, NDArray] = {f"spectrum {name}": psd for name, psd in spectra.items()}
    for role, by_detector in (recorded.white if recorded else {}).items():
        for detector, pieces in by_detector.items():
            for number, piece in enumerate(pieces):
                arrays[f"white {role} {detector} {number}"] = piece
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_noise(path: Path | str, look: Look) -> tuple[Spectra, Mapping[str, Noise]]:
    """Return the spectra that `write_noise` wrote, and the noise of each role.

    Raises
    ------
    TableError
        The file is damaged, or holds other detectors.
    """
    held = read_arrays(path)
    names = list(held)
    spectra = {name.split()[1]: held[name] for name in names if name.startswith("spectrum ")}
    if set(spectra) != set(look.detectors):
        raise TableError(
            f"{path}: expected noise of {', '.join(look.detectors)}, got that of "
            f"{', '.join(spectra)}. Remove the file and run again."
        )
    kinds = {name: ("f", 1) for name in names if _WRITTEN.fullmatch(name)}
    if len(kinds) < len(names) or any(not (psd > 0).all() for psd in spectra.values()):
        raise TableError(
            f"{path}: expected spectra above zero and whitened strain, got {', '.join(names)}. "
            "Remove the file and run again."
        )
    require_arrays(path, held, kinds)
    white = {
        role: {
            detector: [held[n] for n in _pieces(names, f"white {role} {detector} ")]
            for detector in look.detectors
        }
        for role in ROLES
    }
    if not any(name.startswith("white ") for name in names):
        noise: Noise = GaussianNoise(spectra, look)
        return spectra, dict.fromkeys(ROLES, noise)
    recorded = Recorded(spectra, white)
    return spectra, {role: recorded.noise(role, look) for role in ROLES}


def _pieces(names: Iterable[str], start: str) -> list[str]:
    return sorted(
        (name for name in names if name.startswith(start)), key=lambda name: int(name.split()[-1])
    )
