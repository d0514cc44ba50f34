"""Make the noise of a search for chirps: its spectra, and whitened strain where it is recorded."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.evidence.chirp_noise import (
    recorded_strain,
    simulated_strain,
    whitened,
    write_noise,
)
from gwmorph.evidence.chirp_windows import Look, model_spectra
from gwmorph.joblog import JobLog


def chirp_noise(
    look: Look, kind: str, noise_s: int, seed: int, files: Mapping[str, Sequence[str]], noise: Path
) -> None:
    if kind == "gaussian":
        write_noise(noise, model_spectra(look), None)
        return
    if kind == "files":
        strain = recorded_strain(files, look)
    else:
        strain = simulated_strain(look, noise_s, seed)
    found = whitened(strain, look)
    write_noise(noise, found.spectra, found)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        section: dict[str, Any] = snakemake.params.look
        chirp_noise(
            look=Look.from_section(section),
            kind=snakemake.params.kind,
            noise_s=snakemake.params.noise_s,
            seed=snakemake.params.seed,
            files={
                detector: list(snakemake.input.get(detector, []))
                for detector in section["detectors"]
            },
            noise=Path(snakemake.output.noise),
        )
