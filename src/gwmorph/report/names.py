"""What clusters look like, in words: the names that labelled rows suggest, with their evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.errors import TableError
from gwmorph.report.columns import flags, values
from gwmorph.report.html import Words
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import NAMED_CLUSTERS
from gwmorph.wording import cluster_label

NAME_HEADINGS = [
    (Words("looks like"), "class that half of its members' nearest labelled rows have, or more"),
    ("far from all labels", "share of members that are like no labelled row"),
]
# In characters: a figure has no room for a longer class, which may be a user's own word.
_LONGEST = 20


def _without(clusters: pa.Table, flag: str) -> NDArray[np.int32]:
    """Return the numbers of clusters of which a member lacks ``flag``, in order, by CLUSTERS."""
    return np.unique(values(clusters, "cluster")[~flags(clusters, flag)])


def cluster_labels(clusters: pa.Table) -> dict[int, str]:
    """Return what each cluster of CLUSTERS is called for short, in order: number and doubts."""
    doubtful, torn = (_without(clusters, flag) for flag in ("supported", "outside_umap"))
    return {
        number: cluster_label(number, number not in doubtful, number not in torn)
        for number in np.unique(values(clusters, "cluster")).tolist()
    }


@dataclass(frozen=True)
class ClusterName:
    """What a cluster looks like, as a row of NAMED_CLUSTERS says it.

    ``named`` is '' where no class is known, and ``agreeing`` then counts the commonest one.
    """

    named: str
    agreeing: int
    neighbors: int
    unknown: float

    @property
    def words(self) -> str:
        """``whistle, 87 % of 41 neighbours agree``, or that no class is known."""
        return self._said_of(_plain(self.named))

    @property
    def far(self) -> str:
        """Share of members that are far from every labelled row, as ``2 %``."""
        return _percent(self.unknown)

    @property
    def line(self) -> str:
        """All of it for one line of a figure; a long class is cut."""
        if not self.neighbors:
            return self.words
        named = _plain(self.named)
        if len(named) > _LONGEST:
            named = named[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
        return f"{self._said_of(named)}; {self.far} of members far from all labels"

    def _said_of(self, named: str) -> str:
        if not self.neighbors:
            return "no known class (too few labelled rows)"
        agree = (
            f"{_percent(self.agreeing / self.neighbors)} of {self.neighbors:,} neighbours agree"
        )
        return f"{named}, {agree}" if named else f"no known class ({agree})"


def _plain(named: str) -> str:
    """Return a class without underscores; a user's own may be broken into lines."""
    return " ".join(named.replace("_", " ").split())


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


Names = Mapping[int, ClusterName]


def name_cells(name: ClusterName) -> list[str]:
    """Return what stands under ``NAME_HEADINGS``."""
    return [Words(name.words), name.far]


def names_of(named_clusters: pa.Table) -> dict[int, ClusterName]:
    """Return the name of each cluster by its number, of rows of NAMED_CLUSTERS in any order."""
    rows = named_clusters.sort_by("cluster").to_pylist()
    return {row.pop("cluster"): ClusterName(**row) for row in rows}


def read_names(paths: Sequence[Path], clusters: pa.Table) -> Names | None:
    """Read the names of a view's clusters, or None where there is no table of them.

    Parameters
    ----------
    paths
        NAMED_CLUSTERS, or none.
    clusters
        Rows of CLUSTERS or of CLUSTER_SUMMARY of the same view.

    Raises
    ------
    TableError
        The table is damaged, or does not name exactly these clusters, each once.
    """
    return next((_names_for(clusters, path) for path in paths), None)


def _names_for(clusters: pa.Table, path: Path) -> Names:
    table = read_table(path, NAMED_CLUSTERS)
    named = sorted(table["cluster"].to_pylist())
    found = sorted(set(clusters["cluster"].to_pylist()))
    if named != found:
        raise TableError(
            f"{path}: expected a name for each of the clusters {_listed(found)}, got names for "
            f"{_listed(named)}. They are of another clustering: remove the table and run the "
            "workflow again."
        )
    return names_of(table)


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
