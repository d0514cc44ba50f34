"""From a drawn block to what becomes of its windows and events.

Nothing is decided here that the workflow does not decide: scores, events, statuses and likeness to
chirps come from the functions that its rules call, once for a run, here for each block. Where a
trigger on a block's border is claimed from both sides, the workflow knows both claims and keeps
one; here each block has its own.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gwmorph.encoders.base import Encoder, View
from gwmorph.encoders.shards import held_batches, rows_of_events, rows_of_windows
from gwmorph.errors import CalibrationError
from gwmorph.evidence.chirps import MODEL, Sums, bright_sums, chirp_rows
from gwmorph.evidence.events import admit, admit_tiles
from gwmorph.evidence.judging import RowJudge, judged_events, judged_windows, quiet_of
from gwmorph.evidence.score import Scorer, windows_of
from gwmorph.ledger import ANALYSED
from gwmorph.morphology.atlas import Atlas
from gwmorph.morphology.cluster_tables import only_events_of
from gwmorph.morphology.status import Status
from gwmorph.naming import event_name, window_name
from gwmorph.scanner.drawing import DrawnBlock
from gwmorph.scanner.settings import ScanSettings
from gwmorph.spectra.albums import Picture
from gwmorph.tables.block import LEDGER
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column, of_width
from gwmorph.tables.keys import row_keys
from gwmorph.tables.scan import SCAN_TRIGGERS, SCAN_WINDOWS

_JUDGED = ("status", "named", "agreeing", "similarity", "margin", "p_value")
# Of what a window without a view of its own is said to be: what its most surprising event is.
_RANK = (Status.NOVEL, Status.AMBIGUOUS, Status.KNOWN)


class StoppedError(Exception):
    """The scan was told to stop while a block was being examined."""


@dataclass(frozen=True)
class Examined:
    """What became of a block, and the pictures of what is NOVEL in it, by name.

    ``windows`` and ``triggers`` are of the schemas SCAN_WINDOWS and SCAN_TRIGGERS, but for
    ``latency_s``, which nobody knows before all is written: null.
    """

    windows: pa.Table
    triggers: pa.Table
    pictures: dict[str, Picture]


class Examiner:
    """What blocks are judged by: an atlas, and the encoder that its vectors are from.

    Raises
    ------
    CalibrationError
        The atlas was made with another rendering or encoder, or lacks the quiet windows that
        scores are measured by.
    """

    def __init__(
        self, atlas: Atlas, encoder: Encoder, settings: ScanSettings, stop: threading.Event
    ) -> None:
        """Learn limits and scores from the atlas; it takes some seconds where it is large."""
        require_made_alike(atlas, settings.rendering.render_id, encoder.encoder_id)
        self._encoder = encoder
        self._settings = settings
        self._stop = stop
        about = atlas.about
        self._agreeing = about.agreeing
        self._judges = {
            view: RowJudge.of(
                atlas.reference(view), atlas.limits(view), about.promise, about.neighbors
            )
            for view in about.views
        }
        self._scorers = _scorers(atlas, settings.false_alarm_fraction)

    def examine(self, detector: str, drawn: DrawnBlock) -> Examined:
        """Say what becomes of every window and event of a block.

        Raises
        ------
        StoppedError
            Somebody wants the scan to end.
        """
        ledger = pa.Table.from_pylist(drawn.windows, schema=LEDGER)
        windows, scores = self._scored(detector, ledger, drawn)
        events = self._events(drawn.triggers, scores)
        # Of several claims to one moment one has the view, and another may be the event.
        claims = drawn.triggers
        views = rows_of_events(claims.filter(claims["view"]).sort_by("peak_time"))
        shown = self._embedded(
            "event",
            only_events_of(events, views),
            drawn.event,
        )
        judged = self._judged_events(events, shown, drawn)
        found = self._judged_windows(ledger, windows, events, scores, judged)
        return Examined(
            _window_rows(ledger, drawn.measurements, scores, judged, found),
            judged,
            _novel_pictures(found, judged, ledger, drawn),
        )

    def _scored(
        self, detector: str, ledger: pa.Table, drawn: DrawnBlock
    ) -> tuple[pa.Table, pa.Table | None]:
        """Return the windows' rows of EMBEDDINGS, where any are needed, and of SCORES."""
        scorer = self._scorers.get(detector)
        if scorer is None and "window" not in self._judges:
            return of_width(EMBEDDINGS, self._encoder.width).empty_table(), None
        length = self._settings.grid.duration
        embedded = self._embedded(
            "window",
            rows_of_windows(drawn.measurements.sort_by("gps_start")),
            lambda row: drawn.album.windows[
                window_name(row["detector"], row["gps_start"], length)
            ],
        )
        if scorer is None:
            return embedded, None
        known = embedded.select(["detector", "gps_start", "embedding"])
        return embedded, scorer.of(windows_of(detector, drawn.measurements, known))

    def _events(self, claims: pa.Table, scores: pa.Table | None) -> pa.Table:
        settings, length = self._settings, self._settings.grid.duration
        if scores is None:
            return admit_tiles(claims, settings.events.snr, length)
        return admit(claims, scores, settings.events.snr, settings.parts, length)[0]

    def _embedded(
        self, view: View, rows: pa.Table, picture_of: Callable[[dict[str, Any]], Picture]
    ) -> pa.Table:
        """Return rows of EMBEDDINGS with the vectors of their pictures."""
        keys = rows.select(["detector", "gps_start", "trigger_time"]).to_pylist()
        pictures = [picture_of(key) for key in keys]
        vectors = [np.zeros((0, self._encoder.width), np.float32)]
        for batch, scale in held_batches(pictures, self._settings.batch_size):
            if self._stop.is_set():
                raise StoppedError
            vectors.append(self._encoder.encode(batch, scale, view))
        column = embedding_column(np.concatenate(vectors))
        return rows.append_column("embedding", column)

    def _judged_events(self, events: pa.Table, shown: pa.Table, drawn: DrawnBlock) -> pa.Table:
        """Return the rows of SCAN_TRIGGERS of a block's events."""
        judge = self._judges.get("event")
        columns: dict[str, Any] = {}
        if judge is not None:
            found = judged_events(shown, judge.judge(shown), self._agreeing)
            columns = {name: found[name] for name in _JUDGED}
        chirps = chirp_rows(
            shown, self._sums(shown, drawn), None if judge is None else judge.reference,
            self._settings.gap_s, MODEL,
        )  # fmt: skip
        columns |= {"chirp_likeness": chirps["likeness"], "chirp_mass": chirps["chirp_mass"]}
        place = {key: i for i, key in enumerate(row_keys(shown))}
        at = pa.array([place.get(key) for key in row_keys(events, "peak_time")], pa.int64())
        told = {name: column.take(at) for name, column in columns.items()}
        own = {"trigger_time": events["peak_time"]}
        return _table(SCAN_TRIGGERS, events, told | own)

    def _sums(self, shown: pa.Table, drawn: DrawnBlock) -> Sums:
        tiling = self._settings.rendering.tiling()
        height, width = self._settings.rendering.height, self._settings.rendering.width
        energies = [np.zeros((0, height, width), np.float32)]
        for row in shown.select(["detector", "trigger_time"]).to_pylist():
            picture = drawn.event(row)
            energies.append(picture.scale.energy(picture.indices)[None])
        return bright_sums(np.concatenate(energies), tiling.f_low, tiling.f_top)

    def _judged_windows(
        self,
        ledger: pa.Table,
        windows: pa.Table,
        events: pa.Table,
        scores: pa.Table | None,
        judged: pa.Table,
    ) -> pa.Table:
        """Return what becomes of each window, the columns of ``_JUDGED`` in the ledger's order."""
        quiet = quiet_of(ledger, events, scores, self._settings.events.snr)
        judge = self._judges.get("window")
        if judge is None:
            return _by_events(ledger, quiet, judged)
        found = judged_windows(ledger, quiet, windows, judge.judge(windows), self._agreeing)
        return found.select(_JUDGED)


def require_made_alike(atlas: Atlas, render_id: str, encoder_id: str) -> None:
    """Check that an atlas's vectors were drawn and encoded as those that will be judged.

    Raises
    ------
    CalibrationError
        They were not; the error names both ids.
    """
    for name, got in (("render_id", render_id), ("encoder_id", encoder_id)):
        expected = getattr(atlas.about, name)
        if got != expected:
            raise CalibrationError(
                f"{atlas.folder}: {name}: expected {expected!r}, that of the atlas, got {got!r}, "
                "that of this scan: vectors made in another way say nothing of each other. Scan "
                "with the atlas's own configuration, or make an atlas with this one."
            )


def _scorers(atlas: Atlas, fraction: float | None) -> dict[str, Scorer]:
    """Return what windows of each detector are scored by; nothing where there are no scores."""
    if fraction is None:
        return {}
    found = {}
    for detector in atlas.about.detectors:
        quiet = atlas.quiet(detector)
        if quiet is None:
            raise CalibrationError(
                f"{atlas.folder}: holds no quiet windows of {detector}, which scores are measured "
                "by. It was made by an earlier version, or by a run without scores: make it anew "
                "with `snakemake calibrate`, or set score.background to none for this scan."
            )
        found[detector] = Scorer.learn(quiet, fraction)
    return found


def _by_events(ledger: pa.Table, quiet: NDArray[np.bool_], judged: pa.Table) -> pa.Table:
    """Return what becomes of windows where an atlas judges events alone.

    A window that is neither lost nor quiet is what the most surprising of its events is: NOVEL,
    else AMBIGUOUS, else KNOWN. One without an event that was judged is AMBIGUOUS.
    """
    of_window: dict[int, list[dict[str, Any]]] = {}
    for row in judged.select(["gps_start", "snr", *_JUDGED]).to_pylist():
        if row["status"] is not None:
            of_window.setdefault(row["gps_start"], []).append(row)
    rows = []
    for start, lost, still in zip(
        ledger["gps_start"].to_pylist(),
        pc.not_equal(ledger["status"], ANALYSED).to_pylist(),
        quiet.tolist(),
        strict=True,
    ):
        found = of_window.get(start, [])
        if lost or still or not found:
            status = Status.EXCLUDED if lost else Status.QUIET if still else Status.AMBIGUOUS
            rows.append({**dict.fromkeys(_JUDGED), "status": status.value})
        else:
            best = min(found, key=lambda row: (_RANK.index(Status(row["status"])), -row["snr"]))
            rows.append({name: best[name] for name in _JUDGED})
    schema = pa.schema([SCAN_WINDOWS.field(name) for name in _JUDGED])
    return pa.Table.from_pylist(rows, schema=schema)


def _window_rows(
    ledger: pa.Table,
    measured: pa.Table,
    scores: pa.Table | None,
    judged: pa.Table,
    found: pa.Table,
) -> pa.Table:
    starts = ledger["gps_start"]
    columns = {name: found[name] for name in _JUDGED}
    at = pc.index_in(starts, value_set=measured["gps_start"].combine_chunks())
    columns |= {f"tile_{n}": measured[f"tile_{n}"].take(at) for n in ("time", "frequency", "snr")}
    if scores is not None:
        at = pc.index_in(starts, value_set=scores["gps_start"].combine_chunks())
        columns |= {"score": scores["score"].take(at), "score_limit": scores["limit"].take(at)}
    held = judged["gps_start"].to_pylist()
    columns["events"] = pa.array([held.count(start) for start in starts.to_pylist()], pa.int64())
    return _table(SCAN_WINDOWS, ledger, columns)


def _table(schema: pa.Schema, rows: pa.Table, columns: dict[str, Any]) -> pa.Table:
    """Return a table of a schema from ``columns``, else from ``rows``, else of nulls.

    What is not a number is null.
    """
    names = rows.column_names
    found = {}
    for field in schema:
        column = columns.get(field.name, rows[field.name] if field.name in names else None)
        if column is None:
            column = pa.nulls(len(rows), field.type)
        elif pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_nan(column), None, column)
        found[field.name] = column.cast(field.type)
    return pa.table(found, schema=schema)


def _novel_pictures(
    found: pa.Table, judged: pa.Table, ledger: pa.Table, drawn: DrawnBlock
) -> dict[str, Picture]:
    windows = ledger.filter(pc.equal(found["status"], Status.NOVEL.value))
    events = judged.filter(pc.equal(judged["status"], Status.NOVEL.value))
    names = [
        window_name(row["detector"], row["gps_start"], row["duration_s"])
        for row in windows.select(["detector", "gps_start", "duration_s"]).to_pylist()
    ]
    pictures = {name: drawn.album.windows[name] for name in names}
    for row in events.select(["detector", "trigger_time"]).to_pylist():
        pictures[event_name(row["detector"], row["trigger_time"])] = drawn.event(row)
    return pictures
