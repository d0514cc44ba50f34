"""Set limits, and count what networks and the matched filter find with them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gwmorph.evidence.chirp_evaluation import (
    MATCHED_FILTER,
    auc_rows,
    confusion_rows,
    efficiency_rows,
    relative_rows,
    roc_rows,
    scored,
)
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.chirp_search import (
    CHIRP_CONFUSION,
    CHIRP_EFFICIENCY,
    CHIRP_FIGURES,
    CHIRP_ROC,
    CHIRP_SCORES,
)
from gwmorph.tables.parquet import read_tables, write_table


def chirp_results(
    scores: Sequence[Path],
    probabilities: Sequence[float],
    per_hour: Sequence[float],
    compared: tuple[float, float],
    repeats: int,
    seed: int,
    outputs: Mapping[str, str],
) -> None:
    held = scored(read_tables(scores, CHIRP_SCORES))
    best = held[MATCHED_FILTER]
    about = {
        "probabilities": list(probabilities),
        "per_hour": list(per_hour),
        "compared": list(compared),
        "repeats": repeats,
        "seed": seed,
    }
    rows = {
        "efficiency": (
            CHIRP_EFFICIENCY,
            [
                r
                for n, one in held.items()
                for r in efficiency_rows(n, one, probabilities, per_hour)
            ],
        ),
        "roc": (CHIRP_ROC, [row for name, one in held.items() for row in roc_rows(name, one)]),
        "confusion": (
            CHIRP_CONFUSION,
            [row for n, one in held.items() for row in confusion_rows(n, one, probabilities)],
        ),
        "figures": (
            CHIRP_FIGURES,
            [
                *(row for name, one in held.items() for row in auc_rows(name, one, repeats, seed)),
                *(
                    row
                    for name, one in held.items()
                    if name != MATCHED_FILTER
                    for row in relative_rows(
                        name, one, best, probabilities, compared, repeats, seed
                    )
                ),
            ],
        ),
    }
    metadata = lineage(about, hashes_of(scores))
    for name, (schema, found) in rows.items():
        write_table(outputs[name], schema, found, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        chirp_results(
            scores=[Path(path) for path in snakemake.input.scores],
            probabilities=snakemake.params.probabilities,
            per_hour=snakemake.params.per_hour,
            compared=tuple(snakemake.params.compared),
            repeats=snakemake.params.repeats,
            seed=snakemake.params.seed,
            outputs=dict(snakemake.output.items()),
        )
