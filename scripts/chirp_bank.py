"""Place the templates of a matched filter, and measure how well they match."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gwmorph.evidence.chirp_noise import read_noise
from gwmorph.evidence.chirp_windows import Look, Masses, read_signals
from gwmorph.evidence.matched_filter import bank_table, match_of, place_bank
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.storage import write_sealed_json
from gwmorph.tables.chirp_search import TEMPLATES
from gwmorph.tables.parquet import write_table


def chirp_bank(
    noise: Path,
    signals: Path,
    look: Look,
    masses: Masses,
    bank: Mapping[str, Any],
    seed: int,
    templates: Path,
    match: Path,
) -> None:
    spectra, _ = read_noise(noise, look)
    placed = place_bank(masses, look, spectra, **bank, seed=seed)
    metadata = lineage({"bank": dict(bank), "seed": seed}, hashes_of([noise, signals]))
    write_table(templates, TEMPLATES, bank_table(placed), metadata)
    recovered = match_of(placed, read_signals(signals))
    found = {
        "templates": len(placed),
        "minimal_match": bank["minimal_match"],
        "signals": len(recovered),
        "recovered_least": float(recovered.min()),
        "recovered_1_in_100": float(np.quantile(recovered, 0.01)),
        "recovered_median": float(np.median(recovered)),
        "below_minimal_match": float((recovered < bank["minimal_match"]).mean()),
    }
    write_sealed_json(match, found)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        chirp_bank(
            noise=Path(snakemake.input.noise),
            signals=Path(snakemake.input.signals),
            look=Look.from_section(snakemake.params.look),
            masses=Masses(**snakemake.params.masses),
            bank=snakemake.params.bank,
            seed=snakemake.params.seed,
            templates=Path(snakemake.output.templates),
            match=Path(snakemake.output.match),
        )
