"""A finished run as data frames, pictures and vectors."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gwmorph.ledger import ANALYSED
from gwmorph.picture_files import is_packed, picture_source
from gwmorph.results import unfinished
from gwmorph.runs.folder import (
    existing,
    ledgers_of,
    require_comparable,
    require_view,
    table_of,
    window_seconds,
)
from gwmorph.runs.frames import frame
from gwmorph.runs.rows import described, picture_path
from gwmorph.runs.search import Held, Rows, find_moment, hold, most_alike, read_rows, rows_of
from gwmorph.runs.similar import Alike, searched, similar_to
from gwmorph.segments import livetime
from gwmorph.storage import read_json
from gwmorph.tables.block import LEDGER, MEASUREMENTS, TRIGGERS
from gwmorph.tables.clusters import CLUSTER_SUMMARY
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_tables
from gwmorph.tables.scores import SCORES
from gwmorph.tables.validation import NAMED_CLUSTERS

if TYPE_CHECKING:
    import pandas as pd
    from PIL.Image import Image

    from gwmorph.config import Config
    from gwmorph.runs.analysis import Analysis


def open_run(folder: Path | str) -> "Run":
    """Open the folder of a finished run, ``results/NAME``.

    Its tables are read when they are asked for. A warning tells where the run is not finished, so
    that they may be of several configurations.

    Raises
    ------
    GwmorphError
        It is no run's folder.
    """
    run = Path(folder)
    ledgers_of(run)
    if word := unfinished(run):
        warnings.warn(word, stacklevel=2)
    return Run(run)


class Run:
    """A run's folder.

    Data frames have the units of their columns in ``attrs["units"]``; times are GPS seconds. What
    a run says nothing of is NaN or None, and a table that is not there is an error. Vectors are
    held once they were asked for: 1.5 kB a row.
    """

    def __init__(self, folder: Path) -> None:
        """``folder`` is ``results/NAME``; see `open_run`."""
        self.folder = folder
        self._rows: dict[str, Rows] = {}
        self._held: dict[str, Held] = {}

    def __repr__(self) -> str:
        """Return what makes it again."""
        return f"open_run({str(self.folder)!r})"

    @property
    def config(self) -> "Config":
        """The configuration that the run was made with, every key resolved."""
        from gwmorph.config import load_yaml, parse_config

        path = existing(self.folder, "config.yaml")
        return parse_config(load_yaml(path), str(path))

    def summary(self) -> dict[str, Any]:
        """Return what ``gwmorph summary`` prints, numbers with units in their keys."""
        found: dict[str, Any] = read_json(existing(self.folder, "summary.json"))
        return found

    def livetime(self) -> "pd.Series":
        """Return the analysed seconds of each detector: the livetime of every rate."""
        import pandas as pd

        found = self._ledger()
        analysed = found.filter(pc.equal(found["status"], ANALYSED))
        seconds = {}
        for detector in sorted(pc.unique(found["detector"]).to_pylist()):
            own = analysed.filter(pc.equal(analysed["detector"], detector))
            length = found["duration_s"][0].as_py()
            seconds[detector] = livetime(own["gps_start"].to_pylist(), length)
        return pd.Series(seconds, name="livetime_s", dtype="int64")

    def triggers(self) -> "pd.DataFrame":
        """Return the run's triggers and the other events that its scores found, by time.

        Columns: SNR in Omicron's convention, frequencies in Hz, amplitude in Hz^-1/2, and the
        others of the table of triggers.
        """
        return frame(table_of(self.folder, "triggers.parquet", TRIGGERS))

    def events(self) -> "pd.DataFrame":
        """Return `triggers`, and of each its cluster, place on the map, status and picture.

        ``named`` is the commonest class of its nearest labelled rows, ``cluster_named`` what its
        cluster looks like; ``picture`` the path of its PNG, or of an archive and then the PNG's
        name in it (`picture` reads either).
        """
        found = table_of(self.folder, "triggers.parquet", TRIGGERS)
        found = found.append_column("trigger_time", found["peak_time"])
        return frame(described(self.folder, "event", found).drop_columns(["trigger_time"]))

    def windows(self) -> "pd.DataFrame":
        """Return every planned window: what became of it, measurements, score, cluster, status.

        ``ledger`` is 'analysed' or 'excluded', ``reason`` and ``detail`` say why; ``status`` is
        what the window is like. Of an excluded window nothing is measured (NaN).
        """
        keys = ["detector", "gps_start"]
        found = self._ledger().rename_columns({"status": "ledger"})
        measured = sorted((self.folder / "measurements").glob("*.parquet"))
        tables = [read_tables(measured, MEASUREMENTS)]
        if (self.folder / "scores.parquet").is_file():
            scores = table_of(self.folder, "scores.parquet", SCORES)
            tables.append(scores.select([*keys, "score", "limit"]))
        units = {field.name: field for field in found.schema}
        for table in tables:
            units |= {field.name: field.with_nullable(True) for field in table.schema}
            found = found.join(table.replace_schema_metadata(None), keys)
        found = found.cast(
            pa.schema([units[name].with_nullable(True) for name in found.column_names])
        )
        order = [("detector", "ascending"), ("gps_start", "ascending")]
        return frame(described(self.folder, "window", found.sort_by(order)))

    def clusters(self, view: str = "event") -> "pd.DataFrame":
        """Return the clusters of a view, ``event`` or ``window``, the largest first.

        ``named`` is the class that its members look like, None for no class or without labels.
        """
        path = f"clusters/{require_view(view)}/cluster_summary.parquet"
        found = table_of(self.folder, path, CLUSTER_SUMMARY).sort_by("cluster")
        names: dict[int, str] = {}
        if (self.folder / "validation" / view / "named_clusters.parquet").is_file():
            told = table_of(
                self.folder, f"validation/{view}/named_clusters.parquet", NAMED_CLUSTERS
            )
            names = {row["cluster"]: row["named"] for row in told.to_pylist()}
        named = [names.get(cluster) or None for cluster in found["cluster"].to_pylist()]
        return frame(found.append_column("named", pa.array(named, pa.string())))

    def picture(self, detector: str, gps: float, view: str = "event") -> "Image":
        """Return the picture of a moment: the event at a GPS time, or the window that holds it.

        A palette image as the PNG holds it; an event's has crops of 0.5, 1, 2 and 4 s.

        Raises
        ------
        GwmorphError
            Nothing shows the moment; the error says what is nearest.
        TableError
            The archive of pictures is missing or damaged, or does not have it.
        """
        from PIL import Image

        rows = self._view(view)
        key = read_rows(rows, [find_moment(rows, detector, gps)]).to_pylist()[0]
        length = window_seconds(self.folder) if view == "window" else 0
        path = picture_path(self.folder, view, key, length)
        if not is_packed(path):
            existing(self.folder, str(path.relative_to(self.folder)))
        image = Image.open(picture_source(path))
        image.load()
        return image

    def vectors(self, view: str = "event") -> "tuple[pd.DataFrame, NDArray[np.float32]]":
        """Return what each row of a view is, and its unit vector: float32 [n, width].

        Rows of events are those of the run; candidates that scores dropped are left out.
        """
        rows = self._view(view)
        tables = [pq.ParquetFile(shard).read() for shard in rows.shards]
        found = pa.concat_tables(table.replace_schema_metadata(None) for table in tables)
        found = found.filter(pa.array(rows.counted))
        return frame(found.drop_columns(["embedding"])), embedding_matrix(found)

    def similar(
        self,
        detector: str,
        gps: float,
        view: str = "event",
        count: int = 10,
        other: "Run | None" = None,
    ) -> "pd.DataFrame":
        """Return the ``count`` rows most like a moment, in this run or in another.

        The most like first; ``cosine`` is 1 for the same picture. Exact.

        Raises
        ------
        GwmorphError
            Nothing shows the moment, or the two runs' vectors must not be compared.
        """
        rows = self._view(view)
        where, run = rows, self
        if other is not None and searched(rows, other.folder) is not rows:
            where, run = other._view(view), other
        found: Alike = similar_to(
            rows, find_moment(rows, detector, gps), count, where, run._vectors_of(view)
        )
        return frame(found.nearest)

    def similar_to(
        self, analysis: "Analysis", gps: float, view: str = "event", count: int = 10
    ) -> "pd.DataFrame":
        """Return the rows most like what other strain shows at a GPS time.

        ``analysis`` is what `gwmorph.analyse` made with this run's ``config``.

        Raises
        ------
        GwmorphError
            Its pictures or vectors are made in another way, or nothing shows the moment.
        """
        rows = self._view(view)
        own = Path(f"the strain of {analysis.detector}")
        require_comparable(own, analysis.identity(), self.folder, rows.identity)
        asked = analysis.vectors(view)[analysis.row_at(view, gps)]
        found = self._vectors_of(view).cosines(asked)
        numbers = most_alike(found, count, rows.counted)
        near = described(self.folder, view, read_rows(rows, numbers.tolist()))
        return frame(near.append_column("cosine", pa.array(found[numbers].astype(float))))

    def _ledger(self) -> pa.Table:
        return read_tables(ledgers_of(self.folder), LEDGER)

    def _view(self, view: str) -> Rows:
        if view not in self._rows:
            self._rows[view] = rows_of(self.folder, view)
        return self._rows[view]

    def _vectors_of(self, view: str) -> Held:
        if view not in self._held:
            self._held[view] = hold(self._view(view))
        return self._held[view]
