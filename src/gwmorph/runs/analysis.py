"""What the workflow does with a block, done to strain in memory."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image

from gwmorph.block import EventParameters, RenderParameters, draw_strain
from gwmorph.config import Config, load_yaml, parse_config
from gwmorph.encoders.base import Encoder
from gwmorph.encoders.registry import make_encoder
from gwmorph.encoders.shards import held_batches, rows_of_events, rows_of_windows
from gwmorph.errors import GwmorphError, StrainError
from gwmorph.grid import BLOCK_S, Grid, block_of
from gwmorph.naming import event_name, window_name
from gwmorph.runs.folder import Identity, require_view
from gwmorph.runs.frames import frame
from gwmorph.runs.given import science, take_strain
from gwmorph.runs.rows import FOLDERS
from gwmorph.runs.search import nearest_event
from gwmorph.spectra.albums import HeldAlbum, Picture
from gwmorph.spectra.pictures import png_bytes
from gwmorph.storage import write_bytes
from gwmorph.tables.block import LEDGER, MEASUREMENTS, TRIGGERS, loud_tiles
from gwmorph.wording import counted

if TYPE_CHECKING:
    import pandas as pd


def analyse(
    strain: Any,
    detector: str | None = None,
    gps_start: float | None = None,
    sample_rate: float | None = None,
    *,
    config: Config | Mapping[str, Any] | Path | str | None = None,
    segments: Any = None,
) -> "Analysis":
    """Draw the windows and events of some strain, as a run whose span it is would.

    The strain is cut at the borders of blocks of 4096 s, and each is whitened by its own noise
    spectrum. A window needs science data on both sides (``window.context_s``, 4 s by default), and
    a spectrum needs some windows: give a few minutes at least.

    Parameters
    ----------
    strain
        A ``gwpy.timeseries.TimeSeries``, or an array [samples] of strain. NaN is missing data.
    detector, gps_start, sample_rate
        Prefix as H1, GPS time of the first sample (s), rate (Hz): what the strain does not say.
    config
        A configuration: nested mappings of keys, a YAML file, or that of a run
        (``open_run(...).config``), with which pictures and vectors can then be compared; the
        defaults if None.
    segments
        Pairs of GPS seconds of science data, as a ``gwpy.segments.SegmentList``; by default all.

    Raises
    ------
    StrainError
        The strain is not what is needed, the error says what is missing, or has no noise spectrum.
    ConfigError
        A key is unknown or a value out of range.
    """
    config = _as_config(config)
    parameters = RenderParameters.of(config)
    given = take_strain(strain, detector, gps_start, sample_rate, parameters.sample_rate)
    grid = Grid(config.window.duration_s, config.window.stride_s, config.window.context_s)
    inside = science(given, segments)
    events = EventParameters(**config.events.model_dump(exclude={"parts"}))
    album, ledger, measured = HeldAlbum(), [], []
    triggers = [TRIGGERS.empty_table()]
    for block in range(block_of(given.span[0]), given.span[1], BLOCK_S):
        windows = grid.block_windows(inside, block)
        if windows:
            first, last = windows[0] - grid.context, windows[-1] + grid.duration + grid.context
            near = grid.block_segments(inside, block)
            found = draw_strain(
                given.cut(first, last),
                block,
                windows,
                near,
                grid.context,
                parameters,
                events,
                album,
            )
            ledger += found.ledger
            measured += found.measurements
            triggers.append(found.triggers)
    if not ledger:
        raise StrainError(
            f"strain: GPS {given.span[0]} to {given.span[1]} holds no window of {grid.duration} s "
            f"that starts at a multiple of {grid.stride} s and lies in one segment. Give more."
        )
    return Analysis(
        detector=given.detector,
        config=config,
        render_id=parameters.render_id,
        ledger_table=pa.Table.from_pylist(ledger, schema=LEDGER),
        measurements_table=pa.Table.from_pylist(measured, schema=MEASUREMENTS),
        triggers_table=pa.concat_tables(triggers),
        album=album,
    )


def _as_config(config: Config | Mapping[str, Any] | Path | str | None) -> Config:
    if isinstance(config, Config):
        return config
    if isinstance(config, Path | str):
        return parse_config(load_yaml(config), str(config))
    return parse_config(config or {}, "config")


@dataclass(frozen=True, repr=False)
class Analysis:
    """What `analyse` found: pictures in memory, 50 kB each, and tables as the block stage's.

    ``ledger_table``, ``measurements_table`` and ``triggers_table`` are Arrow tables of the schemas
    LEDGER, MEASUREMENTS and TRIGGERS; the methods give them as data frames.
    """

    detector: str
    config: Config
    render_id: str
    ledger_table: pa.Table
    measurements_table: pa.Table
    triggers_table: pa.Table
    album: HeldAlbum
    _encoders: list[Encoder] = field(default_factory=list, repr=False)
    _vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        """Say in a line whose strain it is of, and how much was found."""
        starts = self.ledger_table["gps_start"].to_pylist()
        first, last = min(starts), max(starts) + self.config.window.duration_s
        return (
            f"Analysis({self.detector}, GPS {first} to {last}: "
            f"{counted(self.measurements_table.num_rows, 'window')} analysed, "
            f"{counted(pc.sum(self._is_trigger()).as_py() or 0, 'trigger')})"
        )

    def triggers(self) -> "pd.DataFrame":
        """Return the triggers: tiles of ``events.snr`` or more, clustered in time and frequency.

        Times are GPS seconds, frequencies Hz; columns as in a run's table of triggers, which is
        told by ``attrs["units"]`` and the reference of tables.
        """
        return frame(self.triggers_table.filter(self._is_trigger()))

    def candidates(self) -> "pd.DataFrame":
        """Return fainter tiles, boxes, paths and chirps, of which a run's scores make events.

        Scores need quiet windows, which a run has and a stretch of strain has not.
        """
        return frame(self.triggers_table.filter(pc.invert(self._is_trigger())))

    def event_table(self) -> Any:
        """Return the triggers as a ``gwpy.table.EventTable``.

        Raises
        ------
        GwmorphError
            gwpy is not installed.
        """
        try:
            from gwpy.table import EventTable
        except ModuleNotFoundError as error:
            raise GwmorphError(
                "an EventTable needs gwpy, which is not installed: pip install gwpy, or take the "
                "data frame that triggers() gives."
            ) from error

        found = self.triggers_table.filter(self._is_trigger())
        columns = {
            name: np.asarray(
                [np.nan if value is None else value for value in found[name].to_pylist()],
                None if found.num_rows else found.schema.field(name).type.to_pandas_dtype(),
            )
            for name in found.column_names
        }
        return EventTable(columns)

    def windows(self) -> "pd.DataFrame":
        """Return all windows that were planned, in order of time: the ledger, and measurements.

        ``status`` is 'analysed' or 'excluded', for the reason beside; NaN where nothing was
        measured.
        """
        keys = ["detector", "gps_start"]
        found = self.ledger_table.join(self.measurements_table, keys).sort_by("gps_start")
        schema = pa.unify_schemas([self.ledger_table.schema, self.measurements_table.schema])
        fields = [schema.field(name).with_nullable(True) for name in found.column_names]
        return frame(found.cast(pa.schema(fields)))

    def window_picture(self, gps: float) -> Image.Image:
        """Return the picture of the window that holds a GPS time, as a palette image.

        32 s wide, from the lowest frequency below to the highest above; its numbers are energies
        as the text chunk says, its colours those of ``picture.colormap``.

        Raises
        ------
        GwmorphError
            No window that holds it was analysed; the error says what became of it.
        """
        name = window_name(self.detector, self._window_at(gps), self.config.window.duration_s)
        return as_image(self.album.windows[name])

    def event_picture(self, gps: float) -> Image.Image:
        """Return the picture of the event at a GPS time: crops of 0.5, 1, 2 and 4 s.

        Raises
        ------
        GwmorphError
            No event was drawn within half a second; the error says where the nearest one is.
        """
        time = self._drawn("event")["trigger_time"][self.row_at("event", gps)].as_py()
        return as_image(self.album.events[event_name(self.detector, time)])

    def row_at(self, view: str, gps: float) -> int:
        """Return the number of the row of ``rows(view)`` that shows a moment, GPS seconds.

        Raises
        ------
        GwmorphError
            As `event_picture` and `window_picture`.
        """
        if require_view(view) == "window":
            starts = self._drawn(view)["gps_start"].to_pylist()
            return starts.index(self._window_at(gps))
        times = self._drawn(view)["trigger_time"].to_numpy()
        if not len(times):
            raise GwmorphError(f"{self}: no event was drawn.")
        return nearest_event(self, self.detector, times, gps)

    def rows(self, view: str) -> "pd.DataFrame":
        """Return what each picture of a view, ``event`` or ``window``, shows, in order of time.

        Those of events are all that were drawn: triggers and candidates.
        """
        return frame(self._drawn(view))

    def vectors(self, view: str) -> NDArray[np.float32]:
        """Return the unit vector of each row of ``rows(view)``: float32 [n, width].

        They are made once, when they are asked for.

        Raises
        ------
        ConfigError, WeightsError
            The configured encoder cannot be made.
        """
        if view not in self._vectors:
            self._vectors[view] = self._encode(view)
        return self._vectors[view]

    def _encode(self, view: str) -> NDArray[np.float32]:
        encoder, pictures = self._encoder(), self._pictures(view)
        vectors = np.zeros((len(pictures), encoder.width), np.float32)
        for rows in self._shards(view):
            held = [pictures[row] for row in rows]
            batches = held_batches(held, self.config.encoder.batch_size)
            parts = [encoder.encode(batch, scale, require_view(view)) for batch, scale in batches]
            if parts:
                vectors[rows] = np.concatenate(parts)
        return vectors

    def _shards(self, view: str) -> list[NDArray[np.intp]]:
        """Return which rows of a view stand in one shard of a run: candidates have their own."""
        if view == "window":
            return [np.arange(self.measurements_table.num_rows)]
        is_trigger = loud_tiles(self._drawn_events(), self.config.events.snr).to_numpy()
        return [np.flatnonzero(is_trigger), np.flatnonzero(~is_trigger)]

    def identity(self) -> Identity:
        """Return what these vectors may be compared with: equal render and encoder ids."""
        return Identity(self.render_id, self._encoder().encoder_id)

    def save(self, folder: Path | str) -> list[Path]:
        """Write all pictures as PNGs, named as in a run, and return their paths.

        Raises
        ------
        StorageError
            A file cannot be written.
        """
        paths = []
        for view, held in (("window", self.album.windows), ("event", self.album.events)):
            for name, picture in sorted(held.items()):
                path = Path(folder) / FOLDERS[view][0] / name
                write_bytes(path, png_bytes(picture.indices, picture.scale, picture.about))
                paths.append(path)
        return paths

    def _is_trigger(self) -> pa.ChunkedArray:
        return loud_tiles(self.triggers_table, self.config.events.snr)

    def _window_at(self, gps: float) -> int:
        length = self.config.window.duration_s
        rows = self.ledger_table.to_pylist()
        holding = [row for row in rows if row["gps_start"] <= gps < row["gps_start"] + length]
        for row in sorted(holding, key=lambda row: abs(row["gps_start"] + length / 2 - gps)):
            if row["reason"] is None:
                return int(row["gps_start"])
        fates = [f"{row['reason']} ({row['detail']})" for row in holding] or ["none is planned"]
        raise GwmorphError(
            f"{self.detector}: no analysed window holds GPS {gps:.3f}: {'; '.join(fates)}."
        )

    def _drawn(self, view: str) -> pa.Table:
        if require_view(view) == "window":
            return rows_of_windows(self.measurements_table.sort_by("gps_start"))
        return rows_of_events(self._drawn_events())

    def _drawn_events(self) -> pa.Table:
        found = self.triggers_table
        return found.filter(found["view"]).sort_by("peak_time")

    def _pictures(self, view: str) -> list[Picture]:
        keys = self._drawn(view).select(["gps_start", "trigger_time"]).to_pylist()
        if view == "event":
            names = (event_name(self.detector, key["trigger_time"]) for key in keys)
            return [self.album.events[name] for name in names]
        length = self.config.window.duration_s
        names = (window_name(self.detector, key["gps_start"], length) for key in keys)
        return [self.album.windows[name] for name in names]

    def _encoder(self) -> Encoder:
        if not self._encoders:
            size = (self.config.picture.height, self.config.picture.width)
            self._encoders.append(make_encoder(self.config.encoder, size))
        return self._encoders[0]


def as_image(picture: Picture) -> Image.Image:
    """Return a picture as a run's PNG holds it, its text chunk in ``info``."""
    image = Image.open(io.BytesIO(png_bytes(picture.indices, picture.scale, picture.about)))
    image.load()
    return image
