"""Simulate and whiten the binaries of one use in a search for chirps."""

from pathlib import Path

from gwmorph.evidence.chirp_noise import read_noise
from gwmorph.evidence.chirp_windows import Look, Masses, draw_signals, write_signals
from gwmorph.joblog import JobLog


def chirp_signals(
    noise: Path, look: Look, masses: Masses, count: int, seed: int, use: str, signals: Path
) -> None:
    spectra, _ = read_noise(noise, look)
    write_signals(signals, draw_signals(masses, look, spectra, count, seed, use))


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        chirp_signals(
            noise=Path(snakemake.input.noise),
            look=Look.from_section(snakemake.params.look),
            masses=Masses(**snakemake.params.masses),
            count=snakemake.params.total,
            seed=snakemake.params.seed,
            use=snakemake.wildcards.use,
            signals=Path(snakemake.output.signals),
        )
