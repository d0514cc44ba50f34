"""Readers of text that people write: segment lists, labels, events, releases' tables, YAML."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from hypothesis import strategies as st

from fuzzing import ODD_NUMBERS, ODD_TEXTS, ODD_VALUES, Reader, odd_copy, register, require, same
from gwmorph.config import leaves, load_yaml, parse_config
from gwmorph.config.parsing import Config
from gwmorph.errors import ConfigError, SegmentError, TableError
from gwmorph.evidence.catalog import read_catalog
from gwmorph.labels import read_labels
from gwmorph.learning.picture_sources import read_metadata_csv
from gwmorph.segments import LATEST_GPS, read_segments
from gwmorph.simulation.population import Population, load_population
from gwmorph.tables.known_events import CATALOG
from gwmorph.tables.labels import LABELS

ROOT = Path(__file__).resolve().parents[2]

# -- segments ---------------------------------------------------------------------------------

_ROWS = st.lists(st.lists(st.one_of(ODD_NUMBERS, ODD_TEXTS), max_size=5), max_size=5)
_CELLS = st.one_of(st.integers(0, 10**9), ODD_NUMBERS)


def _segments_proven(path: Path, found: Any) -> None:
    require(found, "no segment")
    for start, end in found:
        require(type(start) is int and type(end) is int, "edges that are no whole numbers")
        require(0 <= start < end <= LATEST_GPS, f"no GPS seconds: {start} to {end}")
    path.write_text("".join(f"{start} {end}\n" for start, end in found))
    same(read_segments(path), found, "written again")


register(
    Reader(
        "segments",
        ".txt",
        "segment lists, segwizard text and GWOSC's JSON",
        lambda: [
            b"# seg start stop duration\n0 1000 1010 10\n1 1010 1020 10\n",
            b"1000.0 1010 ; text\n2000\t2010\n",
            b'{"segments": [[1000, 1010], [2000, 2010.0]]}',
        ],
        read_segments,
        _segments_proven,
        st.one_of(
            _ROWS.map(lambda rows: "\n".join(" ".join(map(str, row)) for row in rows)),
            st.lists(st.tuples(_CELLS, _CELLS), max_size=4).map(json.dumps),
            ODD_VALUES.map(lambda value: json.dumps({"segments": value})),
            st.integers(1, 3000).map(lambda depth: '{"segments": ' + "[" * 50 * depth),
        ).map(lambda text: text.encode(errors="surrogatepass")),
        (SegmentError,),
    )
)

# -- tables that people keep as CSV -----------------------------------------------------------


def _csv(header: list[str], rows: list[list[Any]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    return out.getvalue().encode(errors="surrogatepass")


def _odd_csv(good: bytes) -> st.SearchStrategy[bytes]:
    header, *rows = csv.reader(io.StringIO(good.decode()))

    @st.composite
    def table(draw: Any) -> bytes:
        shown = [list(row) for row in draw(st.lists(st.sampled_from(rows), max_size=4))]
        for row in shown:
            for place in range(len(row)):
                if not draw(st.integers(0, 5)):
                    row[place] = str(draw(st.one_of(ODD_NUMBERS, ODD_TEXTS)))
        names = [
            name if draw(st.integers(0, 19)) else draw(st.one_of(ODD_TEXTS, st.just(name.upper())))
            for name in header
        ]
        if not draw(st.integers(0, 5)):
            shown.append([str(value) for value in draw(st.lists(ODD_TEXTS, max_size=20))])
        return _csv(names, shown, draw(st.sampled_from(",;\t")))

    return table()


_LABELS = _csv(
    ["GPStime", "ifo", "label", "confidence", "id", "snr", "peakFreq", "Q-value"],
    [
        [1126259462.42, "H1", "Chirp", 0.9, "abc", 24.0, 143.0, 8.5],
        [1126259500.5, "L1", "Blip", 1.0, "def", 12.5, 200.0, 5.6],
    ],
)
_LABEL_COLUMNS = {
    "detector": "ifo", "gps_time": "GPStime", "label": "label", "confidence": "confidence",
    "gravityspy_id": "id", "snr": "snr", "peak_frequency": "peakFreq",
    "central_frequency": "centralFreq", "bandwidth": "bandwidth", "duration": "duration",
    "amplitude": "amplitude", "q": "Q-value",
}  # fmt: skip


def _labels_proven(path: Path, found: pa.Table) -> None:
    require(found.schema.equals(LABELS), "another schema")
    found.validate(full=True)
    names = [name for name in found.column_names if not found[name].null_count]
    rows = zip(*(map(_written, found[name].to_pylist()) for name in names), strict=True)
    path.write_bytes(_csv([_LABEL_COLUMNS[name] for name in names], [list(row) for row in rows]))
    require(read_labels(path).equals(found), "written again, it is read as something else")


def _written(value: Any) -> str:
    return repr(value) if isinstance(value, float) else value


register(
    Reader(
        "labels",
        ".csv",
        "labels as Gravity Spy's CSV",
        lambda: [_LABELS, _LABELS.replace(b",", b";"), b"\xef\xbb\xbf" + _LABELS],
        read_labels,
        _labels_proven,
        _odd_csv(_LABELS),
        (TableError,),
    )
)

_EVENTS = _csv(
    ["name", "gps", "version", "catalog", "detectors"],
    [
        ["GW150914", 1126259462.4, 3, "GWTC-1-confident", "H1 L1"],
        ["GW150914", 1126259462.4, 2, "Initial", ""],
        ["GW170817", 1187008882.4, 1, "GWTC-1-confident", "['H1', 'L1', 'V1']"],
    ],
)


def _catalog_proven(path: Path, found: pa.Table) -> None:
    require(found.schema.equals(CATALOG), "another schema")
    found.validate(full=True)
    rows = [
        [row["name"], repr(row["gps_time"]), row["version"], row["release"],
         " ".join(row["detectors"] or ())]
        for row in found.to_pylist()
    ]  # fmt: skip
    require(all(0 < row["gps_time"] < LATEST_GPS for row in found.to_pylist()), "no GPS time")
    path.write_bytes(_csv(["name", "gps", "version", "catalog", "detectors"], rows))
    require(read_catalog(path).equals(found), "written again, it is read as something else")


register(
    Reader(
        "events",
        ".csv",
        "published events as GWOSC's CSV",
        lambda: [_EVENTS],
        read_catalog,
        _catalog_proven,
        _odd_csv(_EVENTS),
        (TableError,),
    )
)

_RELEASE = _csv(
    ["event_time", "ifo", "peak_frequency", "duration", "bandwidth", "snr", "gravityspy_id",
     "label", "sample_type"],
    [
        ["1126400000.5", "H1", "120.5", "0.25", "300", "11.5", "aaa", "Blip", "train"],
        ["1126500000.25", "L1", "60", "2", "80", "", "bbb", "Tomte", "test"],
    ],
)  # fmt: skip


def _release_proven(path: Path, found: Any) -> None:
    for name, one in found.items():
        require(name, "a glitch without an id")
        require(one.side in ("", "train", "validation", "test"), f"side {one.side!r}")
        numbers = [one.gps_time, *one.triggers]
        require(not any(map(math.isinf, numbers)), "an infinite number")


register(
    Reader(
        "release",
        ".csv",
        "what a release of labelled pictures says of its glitches",
        lambda: [_RELEASE],
        read_metadata_csv,
        _release_proven,
        _odd_csv(_RELEASE),
        (TableError,),
    )
)

# -- YAML -------------------------------------------------------------------------------------

_KEYS = [name for name, _ in leaves(Config)]
_SMALL = b"run:\n  name: demo\n  detectors: [H1]\nwindow: {duration_s: 32, stride_s: 16}\n"


def _nested(values: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for dotted, value in values:
        *above, last = dotted.split(".")
        place = out
        for name in above:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                break
        else:
            place[last] = value
    return out


def _yaml(value: Any) -> bytes:
    return yaml.safe_dump(value, allow_unicode=True).encode(errors="surrogatepass")


def _aliases(depth: int) -> bytes:
    """Return YAML that is twice as large with every line, once its aliases are followed."""
    lines = ["run: &a0 [x, x]"]
    lines += [f"run{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, depth)]
    return "\n".join(lines).encode()


def _read_config(path: Path) -> Config:
    return parse_config(load_yaml(path), str(path))


def _config_proven(path: Path, found: Config) -> None:
    path.write_bytes(_yaml(found.model_dump(mode="json")))
    same(_read_config(path), found, "written again")


register(
    Reader(
        "config",
        ".yaml",
        "configurations",
        lambda: [_SMALL, (ROOT / "config/gw150914.yaml").read_bytes()],
        _read_config,
        _config_proven,
        st.one_of(
            st.lists(st.tuples(st.sampled_from(_KEYS), ODD_VALUES), min_size=1, max_size=4)
            .map(_nested)
            .map(_yaml),
            ODD_VALUES.map(_yaml),
            st.integers(1, 200).map(lambda depth: b"run: " + b"[" * depth),
            st.integers(1, 40).map(_aliases),
        ),
        (ConfigError,),
    )
)


def _small_population() -> dict[str, Any]:
    whole = yaml.safe_load((ROOT / "config/population.yaml").read_text(encoding="utf-8"))
    name = sorted(whole["glitches"])[0]
    return {"glitches": {name: whole["glitches"][name]}, "binaries": whole["binaries"]}


def _population_proven(path: Path, found: Population) -> None:
    path.write_bytes(_yaml(found.model_dump(mode="json")))
    same(load_population(path), found, "written again")
    for glitches in found.glitches.values():
        for limits in glitches.parameters.values():
            require(limits.low <= limits.high, "a reversed range")


register(
    Reader(
        "population",
        ".yaml",
        "populations of simulated glitches",
        lambda: [_yaml(_small_population())],
        load_population,
        _population_proven,
        odd_copy(_small_population()).map(_yaml),
        (ConfigError,),
    )
)
