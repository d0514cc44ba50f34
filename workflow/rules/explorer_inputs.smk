# What the explorer is made of: the tables of every view.

from gwmorph.report.explorer.folder import PAGE

EXPLORER = "results/{run}/explorer"
# Nearest rows that the page shows of each; more cost no time but space: 8 bytes a row.
EXPLORED_NEIGHBORS = 8
# What the page is made of counts as code does.
EXPLORER_PAGE = [content_of(str(path)) for path in sorted(PAGE.iterdir())]


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
