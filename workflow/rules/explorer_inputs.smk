# What the explorer is made of: the tables of every view; and what making it costs.

from pathlib import Path

import gwmorph

EXPLORER = "results/{run}/explorer"
# Nearest rows that the page shows of each; more cost no time but space: 8 bytes a row.
EXPLORED_NEIGHBORS = 8
# Among how many rows of a run they are looked for: all pairs of a million would take two hours.
EXPLORED_AMONG = 100_000
# What the page is made of counts as code does.
EXPLORER_PAGE = [
    content_of(str(path))
    for path in sorted(
        (Path(gwmorph.__file__).parent / "report" / "explorer" / "page").iterdir()
    )
]


def explored(wildcards):
    """Return what the explorer shows of each view, by view and kind."""
    made = {
        "clusters": [CLUSTERS],
        "named_clusters": [NAMED_CLUSTERS] * NAMED,
        "named_rows": [NAMED_ROWS] * NAMED,
        "statuses": [STATUSES],
    }
    tables = {
        f"{view}_{kind}": expand(paths, run=wildcards.run, view=view)
        for view in VIEWS
        for kind, paths in made.items()
    }
    return tables | {f"{view}_shards": shards_of(view) for view in VIEWS}


def vectors_mb(input):
    """Return the size [MB] of all shards of vectors; 100,000 rows of 384 numbers are 146 MB."""
    shards = [path for view in VIEWS for path in input.get(f"{view}_shards", [])]
    return sum(Path(path).stat().st_size for path in shards) / 1e6


def explorer_mb(wildcards, input, attempt):
    """Return memory [MB]: measured were 1,200 at 146 MB of vectors and 2,200 at 436."""
    return attempt * (1500 + int(4 * vectors_mb(input)))


def explorer_minutes(wildcards, input, attempt):
    """Return minutes: 100,000 rows, of 146 MB, took less than two on one busy core, 1,000,000 forty."""
    return attempt * (10 + int(8 * vectors_mb(input) / 146))
