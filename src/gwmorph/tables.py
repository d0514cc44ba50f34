"""Every table's schema, declared once, and the one way to write and read them.

Tables are Parquet with zstd. The file-level metadata says which schema the table follows
(``gwmorph.schema``, ``gwmorph.schema_version``) and whatever the stage adds: config hash,
input hashes, render id, encoder id. No time of writing is stored, so equal content gives
equal bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gwmorph.errors import TableError
from gwmorph.storage import atomic_path

SCHEMA_VERSION = "4"
EMBEDDING_SIZE = 384
# What may find a trigger: a loud tile, or a part of the score that adds tiles up.
TILE = "tile"
FOUND_BY = (TILE, "excess", "track", "chirp")


def _field(
    name: str, kind: pa.DataType, unit: str, meaning: str, nullable: bool = False
) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"unit": unit, "meaning": meaning})


_DETECTOR = _field("detector", pa.string(), "", "interferometer prefix: H1, L1, V1, K1, G1")
_GPS_START = _field("gps_start", pa.int64(), "s", "GPS time at which the window starts")
_VIEW = _field("view", pa.string(), "", "'window' or 'event'")
_TRIGGER_TIME = _field(
    "trigger_time", pa.float64(), "s", "GPS time of an event view's trigger", nullable=True
)
_TILE = [
    _field("tile_time", pa.float64(), "s", "GPS time of the loudest tile's centre"),
    _field("tile_frequency", pa.float64(), "Hz", "central frequency of the loudest tile"),
    _field("tile_q", pa.float64(), "", "Q of the loudest tile's plane"),
    _field("tile_energy", pa.float64(), "", "energy of the loudest tile over its row's median"),
    _field("tile_snr", pa.float64(), "", "Omicron SNR of the loudest tile"),
]


def _vector(width: int) -> pa.DataType:
    return pa.list_(pa.field("item", pa.float32(), nullable=False), width)


_EMBEDDING = _field("embedding", _vector(EMBEDDING_SIZE), "", "unit-norm vector of the picture")

LEDGER = pa.schema(
    [
        _DETECTOR,
        _GPS_START,
        _field("duration_s", pa.int32(), "s", "length of the window"),
        _field("block", pa.int64(), "s", "GPS start of the block that holds the window"),
        _field("status", pa.string(), "", "'analysed' or 'excluded'"),
        _field("reason", pa.string(), "", "why the window was excluded", nullable=True),
        _field("detail", pa.string(), "", "what was found, and where", nullable=True),
    ],
    metadata={"gwmorph.schema": "ledger"},
)
MEASUREMENTS = pa.schema(
    [
        _DETECTOR,
        _GPS_START,
        *_TILE,
        _field("excess", pa.float64(), "", "-log10 of the least probable box's tail probability"),
        _field("track", pa.float64(), "nat", "log-likelihood ratio of the best path of energy"),
        _field("chirp", pa.float64(), "nat", "log-likelihood ratio of the best chirp's track"),
    ],
    metadata={"gwmorph.schema": "measurements"},
)
TRIGGERS = pa.schema(
    [
        _DETECTOR,
        _field("gps_start", pa.int64(), "s", "GPS start of the window that claims the trigger"),
        _field(
            "found_by",
            pa.string(),
            "",
            "'tile', or the part of the score that passes its limit: 'excess' (a box), 'track' (a "
            "path), 'chirp' (a stretch of a binary's track); all its tiles are then those inside",
        ),
        _field(
            "significance",
            pa.float64(),
            "",
            "-log10 of the probability that the part of a quiet window is as large, as in the "
            "table of scores; null for tiles that are not their window's loudest",
            nullable=True,
        ),
        _field(
            "line_share",
            pa.float64(),
            "",
            "share of its energy in rows that hold a line; null for tiles",
            nullable=True,
        ),
        _field(
            "chirp_mass",
            pa.float64(),
            "solMass",
            "of the binary at the detector; null unless found by 'chirp'",
            nullable=True,
        ),
        _field("time", pa.float64(), "s", "GPS time, mean over all tiles weighted by energy"),
        _field(
            "peak_time",
            pa.float64(),
            "s",
            "GPS time that its view is centred on: the loudest tile's centre; a box's or path's "
            "centroid; the end of a chirp's stretch",
        ),
        _field("tstart", pa.float64(), "s", "GPS time at which the first tile starts"),
        _field("tend", pa.float64(), "s", "GPS time at which the last tile ends"),
        _field("duration", pa.float64(), "s", "from tstart to tend"),
        _field("frequency", pa.float64(), "Hz", "mean over all tiles weighted by energy"),
        _field("peak_frequency", pa.float64(), "Hz", "central frequency of the loudest tile"),
        _field("fstart", pa.float64(), "Hz", "lower edge of the lowest tile"),
        _field("fend", pa.float64(), "Hz", "upper edge of the highest tile"),
        _field("bandwidth", pa.float64(), "Hz", "from fstart to fend"),
        _field("q", pa.float64(), "", "Q of the loudest tile's plane"),
        _field("snr", pa.float64(), "", "Omicron SNR of the loudest tile"),
        _field(
            "amplitude",
            pa.float64(),
            "Hz^-1/2",
            "root-sum-square strain that has this SNR against the noise in the loudest tile: "
            "snr * sqrt(PSD / 2), PSD averaged harmonically over the tile's band",
        ),
        _field("energy", pa.float64(), "", "energy of the loudest tile over its row's median"),
        _field(
            "tiles",
            pa.int64(),
            "",
            "number of tiles: significant ones in all Q-planes, or inside a part",
        ),
        _field("energy_sum", pa.float64(), "", "sum of the tiles' energies, less 1/ln 2 for each"),
        _field(
            "view",
            pa.bool_(),
            "",
            "whether an event view was drawn; if not, as many louder triggers of the window have "
            "one as are allowed, or a louder one of the same peak_time",
        ),
    ],
    metadata={"gwmorph.schema": "triggers"},
)
EMBEDDINGS = pa.schema(
    [
        _DETECTOR,
        _GPS_START,
        _VIEW,
        _TRIGGER_TIME,
        *_TILE,
        _EMBEDDING,
    ],
    metadata={"gwmorph.schema": "embeddings"},
)
QUIET = pa.schema(
    [
        _field("number", pa.int64(), "", "number of the quiet window, from 0"),
        _field(
            "gps_start", pa.int64(), "s", "GPS start; null for a simulated window", nullable=True
        ),
        _field("tile_energy", pa.float64(), "", "as in the table of measurements"),
        _field("excess", pa.float64(), "", "as in the table of measurements"),
        _field("track", pa.float64(), "nat", "as in the table of measurements"),
        _field("chirp", pa.float64(), "nat", "as in the table of measurements"),
        _EMBEDDING,
    ],
    metadata={"gwmorph.schema": "quiet"},
)
LOSSES = pa.schema(
    [
        _field("step", pa.int64(), "", "number of the update, from 1"),
        _field("event", pa.float64(), "nat", "contrastive loss of event views"),
        _field("crop", pa.float64(), "nat", "contrastive loss of single crops"),
        _field("window", pa.float64(), "nat", "contrastive loss of windows"),
    ],
    metadata={"gwmorph.schema": "losses"},
)
_SURPRISE = "-log10 of the probability that a quiet window has as large a"
SCORES = pa.schema(
    [
        _DETECTOR,
        _GPS_START,
        _field("tile_snr", pa.float64(), "", "Omicron SNR of the loudest tile"),
        _field(
            "tile_energy", pa.float64(), "", "energy of the loudest tile over its row's median"
        ),
        _field("excess", pa.float64(), "", "-log10 of the least probable box's tail probability"),
        _field("track", pa.float64(), "nat", "log-likelihood ratio of the best path of energy"),
        _field("chirp", pa.float64(), "nat", "log-likelihood ratio of the best chirp's track"),
        _field("distance", pa.float64(), "", "cosine distance to the nearest quiet pictures"),
        _field("surprise_tile_energy", pa.float64(), "", f"{_SURPRISE} tile_energy"),
        _field("surprise_excess", pa.float64(), "", f"{_SURPRISE}n excess"),
        _field("surprise_track", pa.float64(), "", f"{_SURPRISE} track"),
        _field("surprise_chirp", pa.float64(), "", f"{_SURPRISE} chirp"),
        _field("surprise_distance", pa.float64(), "", f"{_SURPRISE} distance"),
        _field("score", pa.float64(), "", "the largest surprise, corrected for their number"),
        _field(
            "limit", pa.float64(), "", "score that too few quiet windows of its detector reach"
        ),
        _field("quiet_windows", pa.int64(), "", "number of quiet windows that set the limit"),
    ],
    metadata={"gwmorph.schema": "scores"},
)
ABOVE_LIMIT = pa.schema(
    [
        _DETECTOR,
        _GPS_START,
        _field("score", pa.float64(), "", "as in the table of scores"),
        _field("limit", pa.float64(), "", "as in the table of scores"),
        _field("won_by", pa.string(), "", "part with the largest surprise"),
        _field(
            "outcome",
            pa.string(),
            "",
            "what found the window's event: 'tile', 'excess', 'track' or 'chirp'; or why it has "
            "none: 'line', 'distance', or 'none' (its part is left out, too faint to be a "
            "candidate, or next door)",
        ),
    ],
    metadata={"gwmorph.schema": "above_limit"},
)
CLUSTERS = pa.schema(
    [
        _DETECTOR,
        _GPS_START,
        _VIEW,
        _TRIGGER_TIME,
        *_TILE,
        _field("cluster", pa.int32(), "", "cluster number, 0 for the largest"),
        _field(
            "probability",
            pa.float64(),
            "",
            "how far the row and its neighbours belong to the cluster; less for outliers",
        ),
        _field("outlier", pa.bool_(), "", "whether the row lies apart from all others"),
        _field(
            "supported",
            pa.bool_(),
            "",
            "whether its cluster is more separate than parts of structureless data",
        ),
        _field(
            "log_likelihood",
            pa.float64(),
            "",
            "log density under the whole mixture; nan for other methods",
        ),
        _field("x", pa.float64(), "", "first coordinate of the 2-d map"),
        _field("y", pa.float64(), "", "second coordinate of the 2-d map"),
    ],
    metadata={"gwmorph.schema": "clusters"},
)
CLUSTER_SUMMARY = pa.schema(
    [
        _field("cluster", pa.int32(), "", "cluster number, 0 for the largest"),
        _field("members", pa.int64(), "", "number of windows or events"),
        _field("share", pa.float64(), "", "fraction of all windows or events"),
        _field("outliers", pa.int64(), "", "members that lie apart from all others"),
        _field("mean_probability", pa.float64(), "", "mean probability of members"),
        _field(
            "supported",
            pa.bool_(),
            "",
            "whether the cluster overlaps with its nearest one by clearly less than the parts of "
            "any structureless cloud; false for a single cluster",
        ),
        _field(
            "p_value",
            pa.float64(),
            "",
            "p-value of the overlap beside 0.55 times that of m structureless clouds, (b+1)/(m+1)",
        ),
        _field(
            "nearest_cluster",
            pa.int32(),
            "",
            "cluster that it overlaps most with",
            nullable=True,
        ),
        _field(
            "overlap",
            pa.float64(),
            "",
            "links to the nearest cluster over the geometric mean of the links inside each",
            nullable=True,
        ),
        _field("median_snr", pa.float64(), "", "median Omicron SNR of members' loudest tiles"),
        _field("median_frequency", pa.float64(), "Hz", "median frequency of loudest tiles"),
        _field("median_q", pa.float64(), "", "median Q of loudest tiles"),
        _field("medoid_detector", pa.string(), "", "detector of the most central member"),
        _field("medoid_gps_start", pa.int64(), "s", "window start of the most central member"),
        _field(
            "medoid_trigger_time",
            pa.float64(),
            "s",
            "trigger's GPS time of the most central event",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "cluster_summary"},
)
TRUTH = pa.schema(
    [
        _DETECTOR,
        _field("event", pa.int64(), "", "event number; one event may reach several detectors"),
        _field("gps_time", pa.float64(), "s", "GPS time of the peak at this detector"),
        _field("morphology", pa.string(), "", "name of the injected shape"),
        _field("snr", pa.float64(), "", "optimal SNR against the true PSD, 20 Hz to Nyquist"),
        _field("frequency", pa.float64(), "Hz", "characteristic frequency"),
        _field("duration", pa.float64(), "s", "characteristic duration"),
        _field("parameters", pa.string(), "", "all drawn parameters, as JSON"),
    ],
    metadata={"gwmorph.schema": "truth"},
)

_INJECTION = [
    _field("role", pa.string(), "", "'reference', 'calibration', 'test', 'injection' or 'noise'"),
    _field("part", pa.string(), "", "job that made the row; it has noise of its own"),
    _field("number", pa.int64(), "", "of the noise window inside its part"),
    _DETECTOR,
    _GPS_START,
    _field("morphology", pa.string(), "", "what was injected", nullable=True),
    _field("snr", pa.float64(), "", "optimal SNR in the window and the pass band", nullable=True),
    _field("gps_time", pa.float64(), "s", "GPS time of the injection", nullable=True),
    _field("parameters", pa.string(), "", "all that was drawn for it, as JSON", nullable=True),
    *_TILE,
    *(
        _field(f"trigger_{name}", pa.float64(), unit, f"{name} of the loudest trigger", True)
        for name, unit in (
            ("frequency", "Hz"),
            ("q", ""),
            ("duration", "s"),
            ("bandwidth", "Hz"),
            ("snr", ""),
        )
    ),
]


def injected_windows(widths: Mapping[str, int]) -> pa.Schema:
    """Return the schema of scored windows, with one column for each statistic.

    ``widths`` gives the number of features of each statistic; one is a plain number, more are a
    list of single precision.
    """
    return pa.schema(
        [*_INJECTION, *(_features(name, width) for name, width in widths.items())],
        metadata={"gwmorph.schema": "injected_windows"},
    )


def _features(name: str, width: int) -> pa.Field:
    item = pa.field("item", pa.float32(), nullable=False)
    kind = pa.float64() if width == 1 else pa.list_(item, width)
    return _field(name, kind, "", f"statistic {name}, or what it is made from")


RECALL = pa.schema(
    [
        _field("statistic", pa.string(), "", "name of the statistic"),
        _field("false_alarm_fraction", pa.float64(), "", "of quiet windows above the limit"),
        _field("limit", pa.float64(), "", "what a window's score must exceed to be found"),
        _field("morphology", pa.string(), "", "what was injected"),
        _field("snr", pa.float64(), "", "optimal SNR in the window and the pass band"),
        _field("injections", pa.int64(), "", "number of injections"),
        _field("found", pa.int64(), "", "number of injections above the limit"),
        _field("recall", pa.float64(), "", "found over injections"),
        _field("low", pa.float64(), "", "lower end of the 95 % Wilson interval"),
        _field("high", pa.float64(), "", "upper end of the 95 % Wilson interval"),
    ],
    metadata={"gwmorph.schema": "recall"},
)
HALF_RECALL = pa.schema(
    [
        _field("statistic", pa.string(), "", "name of the statistic"),
        _field("false_alarm_fraction", pa.float64(), "", "of quiet windows above the limit"),
        _field("morphology", pa.string(), "", "what was injected"),
        _field("reached", pa.string(), "", "'below' the lowest SNR, 'inside', or 'not' at all"),
        _field("snr", pa.float64(), "", "SNR of 50 % recall, where inside", nullable=True),
    ],
    metadata={"gwmorph.schema": "half_recall"},
)
NOISE_COUNTS = pa.schema(
    [
        _DETECTOR,
        _field("statistic", pa.string(), "", "name of the statistic"),
        _field("false_alarm_fraction", pa.float64(), "", "of simulated windows above the limit"),
        _field("limit", pa.float64(), "", "what a window's score must exceed to be counted"),
        _field("morphology", pa.string(), "", "what was injected, if anything", nullable=True),
        _field("snr", pa.float64(), "", "optimal SNR against the median spectrum", nullable=True),
        _field("windows", pa.int64(), "", "number of windows"),
        _field("above", pa.int64(), "", "number of windows above the limit"),
    ],
    metadata={"gwmorph.schema": "noise_counts"},
)
AGREEMENT = pa.schema(
    [
        _field("features", pa.string(), "", "'event view' or 'trigger columns'"),
        _field("snr", pa.float64(), "", "optimal SNR of the injections"),
        _field("injections", pa.int64(), "", "number of found injections"),
        _field("classes", pa.int64(), "", "number of morphologies among them"),
        _field("top1", pa.float64(), "", "share whose nearest neighbours' class is their own"),
        _field("top1_low", pa.float64(), "", "lower end of its 95 % Wilson interval"),
        _field("top1_high", pa.float64(), "", "upper end of its 95 % Wilson interval"),
        *(
            _field(name, kind, "", meaning, nullable=True)
            for name, kind, meaning in (
                ("clusters", pa.int64(), "number of clusters, where there are any"),
                ("ari", pa.float64(), "adjusted Rand index of clusters and classes"),
                ("ami", pa.float64(), "adjusted mutual information of clusters and classes"),
                ("purity", pa.float64(), "share in clusters whose commonest class is their own"),
                ("largest_share", pa.float64(), "share of the largest cluster"),
                ("ari_without_largest", pa.float64(), "the Rand index outside that cluster"),
                ("jaccard", pa.float64(), "mean over clusters of the best class's overlap"),
            )
        ),
    ],
    metadata={"gwmorph.schema": "agreement"},
)

# One signal of known class and the event view that a run would draw of it.
LABELLED = pa.schema(
    [
        _field("morphology", pa.string(), "", "class of the signal"),
        _field("number", pa.int64(), "", "number of the signal in its class"),
        _field("snr", pa.float64(), "", "optimal SNR in the window and the pass band"),
        _field("gps_time", pa.float64(), "s", "GPS time of the signal"),
        _field("parameters", pa.string(), "", "parameters of its waveform, as JSON"),
        _field("trigger_time", pa.float64(), "s", "peak time of its trigger: the view's centre"),
        _field("trigger_frequency", pa.float64(), "Hz", "mean frequency of its trigger"),
        _field("trigger_q", pa.float64(), "", "Q of the trigger's loudest tile"),
        _field("trigger_duration", pa.float64(), "s", "duration of the trigger"),
        _field("trigger_bandwidth", pa.float64(), "Hz", "bandwidth of the trigger"),
        _field("trigger_snr", pa.float64(), "", "Omicron SNR of the trigger"),
        _field("picture", pa.binary(), "", "palette indices of the event view, row by row"),
    ],
    metadata={"gwmorph.schema": "labelled"},
)
# What somebody else, as Gravity Spy, said of one transient.
LABELS = pa.schema(
    [
        _DETECTOR,
        _field("gps_time", pa.float64(), "s", "GPS time of the label's loudest tile"),
        _field("label", pa.string(), "", "class"),
        _field("confidence", pa.float64(), "", "of the class, from 0 to 1"),
        _field("gravityspy_id", pa.string(), "", "name of the transient"),
        _field("snr", pa.float64(), "", "Omicron SNR"),
        _field("peak_frequency", pa.float64(), "Hz", "central frequency of the loudest tile"),
        *(
            _field(name, pa.float64(), unit, meaning, nullable=True)
            for name, unit, meaning in (
                ("central_frequency", "Hz", "middle of the label's band"),
                ("bandwidth", "Hz", "width of its band"),
                ("duration", "s", "its duration"),
                ("amplitude", "Hz^-1/2", "its amplitude"),
                ("q", "", "Q of its loudest tile"),
            )
        ),
    ],
    metadata={"gwmorph.schema": "labels"},
)
# One real glitch from a file of labelled strain, with its event view where a trigger shows it.
REAL_STRAIN = pa.schema(
    [
        _field("name", pa.string(), "", "name of its data set"),
        _DETECTOR,
        _field("label", pa.string(), "", "class that the file gives it"),
        _field("snr", pa.float64(), "", "SNR that the file gives it"),
        _field("glitch_time", pa.float64(), "s", "its time by the file, from the first sample"),
        _field("tile_snr", pa.float64(), "", "Omicron SNR of the window's loudest tile"),
        _field("tile_time", pa.float64(), "s", "time of that tile, from the first sample"),
        _field("triggers", pa.int64(), "", "number of triggers in the window"),
        *(
            _field(name, pa.float64(), unit, meaning, nullable=True)
            for name, unit, meaning in (
                ("trigger_time", "s", "peak time of its trigger, from the first sample"),
                ("trigger_frequency", "Hz", "mean frequency of its trigger"),
                ("trigger_q", "", "Q of the trigger's loudest tile"),
                ("trigger_duration", "s", "duration of the trigger"),
                ("trigger_bandwidth", "Hz", "bandwidth of the trigger"),
                ("trigger_snr", "", "Omicron SNR of the trigger"),
            )
        ),
        _field(
            "picture", pa.binary(), "", "palette indices of the view, row by row", nullable=True
        ),
    ],
    metadata={"gwmorph.schema": "real_strain"},
)
# What one real glitch is taken for, by one way of comparing views.
NAMED = pa.schema(
    [
        _field("features", pa.string(), "", "encoder, or another way to compare pictures"),
        _field("name", pa.string(), "", "name of the glitch's data set"),
        _field("label", pa.string(), "", "class that the file gives it"),
        _field("nearest", pa.string(), "", "name of the nearest other glitch"),
        _field("nearest_label", pa.string(), "", "that one's class"),
        _field("named", pa.string(), "", "class by the five nearest simulated views"),
    ],
    metadata={"gwmorph.schema": "named"},
)
# Vectors of one encoder of all labelled pictures, in the order of the pictures.
COMPARED = pa.schema(
    [
        _field("data", pa.string(), "", "'seen', 'unseen', 'real', 'naming' or 'real_strain'"),
        _field("row", pa.int64(), "", "number of the picture in its data"),
        _EMBEDDING,
    ],
    metadata={"gwmorph.schema": "compared"},
)
ENCODER_QUALITY = pa.schema(
    [
        _field("features", pa.string(), "", "encoder, or another way to compare pictures"),
        _field("data", pa.string(), "", "'seen', 'unseen', 'real', 'naming' or 'real_strain'"),
        _field("figure", pa.string(), "", "what was measured"),
        _field("morphology", pa.string(), "", "of this class alone", nullable=True),
        _field("value", pa.float64(), "", "on all scored pictures"),
        _field("low", pa.float64(), "", "lower end of the 95 % bootstrap interval"),
        _field("high", pa.float64(), "", "upper end of the 95 % bootstrap interval"),
        _field("pictures", pa.int64(), "", "number of scored pictures"),
    ],
    metadata={"gwmorph.schema": "encoder_quality"},
)


def write_table(
    path: Path | str,
    schema: pa.Schema,
    rows: pa.Table | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write ``rows`` (a table, a mapping of columns, or a list of records) as Parquet.

    Raises
    ------
    TableError
        A column is missing, unknown, of another type, or holds nulls where none are allowed.
    StorageError
        The file cannot be written whole.
    """
    with table_writer(path, schema, metadata) as append:
        append(rows)


@contextmanager
def table_writer(
    path: Path | str, schema: pa.Schema, metadata: Mapping[str, str] | None = None
) -> Iterator[Callable[[Any], None]]:
    """Yield a function that appends rows, so that a long table never is in memory at once.

    Each call takes rows as `write_table` does and becomes one row group. The file appears
    under its name when the block ends well; without any call it is an empty table.

    Raises
    ------
    TableError, StorageError
        As `write_table`.
    """
    own = {"gwmorph.schema_version": SCHEMA_VERSION, **(metadata or {})}
    merged = {**(schema.metadata or {}), **{k.encode(): v.encode() for k, v in own.items()}}
    full = schema.with_metadata(merged)
    with (
        atomic_path(path) as partial,
        pq.ParquetWriter(partial, full, compression="zstd") as writer,
    ):
        yield lambda rows: writer.write_table(
            _to_table(path, schema, rows).replace_schema_metadata(merged)
        )


def _to_table(path: Path | str, schema: pa.Schema, rows: Any) -> pa.Table:
    try:
        if isinstance(rows, pa.Table):
            table = rows.select(schema.names).cast(schema)
        elif isinstance(rows, Mapping):
            if set(rows) != set(schema.names):
                raise KeyError(f"columns {sorted(rows)}, expected {sorted(schema.names)}")
            table = pa.table(dict(rows), schema=schema)
        else:
            table = pa.Table.from_pylist(list(rows), schema=schema)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise TableError(
            f"{path}: rows do not fit the schema {_name(schema)!r}: {error}"
        ) from error
    for field in schema:
        if not field.nullable and table.column(field.name).null_count:
            raise TableError(f"{path}: column {field.name!r} of {_name(schema)!r} holds nulls.")
    return table


def read_table(path: Path | str, schema: pa.Schema) -> pa.Table:
    """Read a table and check that it follows ``schema`` in this version.

    Raises
    ------
    TableError
        The file is missing, not Parquet, or follows another schema or version.
    """
    found = read_metadata(path)
    expected = {"gwmorph.schema": _name(schema), "gwmorph.schema_version": SCHEMA_VERSION}
    for key, value in expected.items():
        if found.get(key) != value:
            raise TableError(
                f"{path}: expected {key} = {value!r}, got {found.get(key)!r}. The table comes "
                "from another version or stage: remove it and run the workflow again."
            )
    return pq.read_table(path).select(schema.names)


def read_tables(paths: Iterable[Path | str], schema: pa.Schema) -> pa.Table:
    """Read several tables of one schema and join their rows in the order given."""
    tables = [read_table(path, schema).replace_schema_metadata(None) for path in paths]
    empty = schema.empty_table().replace_schema_metadata(None)
    return pa.concat_tables(tables or [empty], promote_options="default")


def embedding_matrix(embeddings: pa.Table) -> NDArray[np.float32]:
    """Return the vectors of an EMBEDDINGS table as float32 [rows, width]."""
    column = embeddings["embedding"].combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, column.type.list_size)


def embedding_column(vectors: NDArray[np.float32]) -> pa.FixedSizeListArray:
    """Return vectors float32 [rows, width] as the column ``embedding``."""
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, type=_vector(vectors.shape[1]))


def of_width(schema: pa.Schema, width: int) -> pa.Schema:
    """Return EMBEDDINGS, QUIET or COMPARED for vectors of another length than 384."""
    place = schema.get_field_index("embedding")
    return schema.set(place, schema.field(place).with_type(_vector(width)))


def read_metadata(path: Path | str) -> dict[str, str]:
    """Return the file-level metadata of a table, without pandas' and Arrow's own keys."""
    try:
        raw = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise TableError(
            f"{path}: not a readable Parquet table ({error}). Remove it and run again."
        ) from error
    return {k.decode(): v.decode() for k, v in raw.items() if k.startswith(b"gwmorph.")}


def shared_metadata(paths: Iterable[Path | str], keys: Iterable[str]) -> dict[str, str]:
    """Return the values of ``keys`` that all tables agree on.

    Raises
    ------
    TableError
        Two tables differ in one of the keys, so that their rows must not be compared.
    """
    shared: dict[str, str] = {}
    keys = list(keys)
    for path in paths:
        found = read_metadata(path)
        for key in keys:
            value = found.get(key, "")
            if shared.setdefault(key, value) != value:
                raise TableError(
                    f"{path}: {key} = {value!r}, but other tables of this run have "
                    f"{shared[key]!r}; their rows cannot be compared. Remove the older tables."
                )
    return shared


def _name(schema: pa.Schema) -> str:
    return schema.metadata[b"gwmorph.schema"].decode()
