"""The page and the figure of known events and chirps."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from vector import drawn_twice

from filled import filled
from gwmorph.evidence.known_events import NO_SPAN, NO_TRIGGER
from gwmorph.report.known_events import Found, draw_chirps, known_events_page
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.embeddings import embedding_column, of_width
from gwmorph.tables.known_events import CHIRPS, KNOWN_EVENTS, TOLD
from gwmorph.tables.validation import REFERENCE

START = 1262301184


def key(number: int) -> dict:
    start = START + 32 * number
    return {"detector": "H1", "gps_start": start, "trigger_time": start + 10.25}


def found(
    count: int = 12, chirps: int = 3, similarity: bool = True, classes: bool = True
) -> Found:
    rows = [
        key(i)
        | {
            "view": "event",
            "track": 3.0 - i,
            "similarity": 0.5 - 0.1 * i if similarity else None,
            "likeness": 4.0 - 2 * i,
            "chirp_mass": None if i == 5 else 10.0 + i,
        }
        for i in range(count)
    ]
    labels = ["chirp" if i < chirps else "koi_fish" for i in range(count)]
    reference = [key(i) | {"view": "event", "label": labels[i]} for i in range(count)]
    zeros = {name: 1.0 for name in REFERENCE.names if name.startswith("tile_")}
    vectors = embedding_column(np.ones((count, 2), np.float32))
    filled_rows = filled(
        pa.schema([field for field in REFERENCE if field.name != "embedding"]),
        *(row | zeros for row in reference),
    )
    known = filled_rows.append_column("embedding", vectors).cast(of_width(REFERENCE, 2))
    event = {"name": "GW1 & <b>", "kind": "event", "source": "GWTC-1"} | key(0)
    about = {"start": START + 10.0, "end": START + 10.0, "in_release": True}
    outcomes = [
        event | about | {"fate": "found", "snr": 12.3, "offset_s": 0.25},
        event | about
        | {"detector": "L1", "in_release": False, "fate": "missed", "reason": NO_TRIGGER,
           "trigger_time": None},
        event | {"name": "GW2", "start": 5.0, "end": 5.0, "fate": "not analysed",
                 "reason": NO_SPAN, "gps_start": None, "trigger_time": None},
    ]  # fmt: skip
    return Found(
        known=pa.Table.from_pylist(outcomes, schema=KNOWN_EVENTS),
        told=pa.Table.from_pylist(
            [{"detector": "H1", "told_s": 4000, "untold_s": 96},
             {"detector": "L1", "told_s": 4096, "untold_s": 0}], schema=TOLD
        ),
        chances={"H1": 0.0123, "L1": float("nan")},
        triggers=filled(TRIGGERS, *(key(i) | {"peak_time": key(i)["trigger_time"], "snr": 8.0 + i}
                                    for i in range(count))),
        chirps=pa.Table.from_pylist(rows, schema=CHIRPS),
        clusters=filled(CLUSTERS, *(key(i) | {"x": float(i), "y": float(i % 3), "cluster": i % 2}
                                    for i in range(count))),
        classes=known if classes else known.slice(0, 0),
    )  # fmt: skip


@pytest.fixture
def pictures(tmp_path: Path):
    path = tmp_path / "view.png"
    write_picture(path, np.zeros((8, 8), np.uint8), PictureScale("linear", 25.5, "cividis"))
    return lambda *_: path


def test_the_page_says_what_became_of_everything_known(pictures):
    text = known_events_page(found(), pictures, 5)
    assert "By event and detector: 1 found, 1 missed, 0 not analysed." in text
    assert "1 listed event outside the run&#x27;s span." in text
    assert "GW1 &amp; &lt;b&gt;" in text
    assert "<b>" not in text
    assert "GW2" not in text
    told = re.findall(r"<td>(H1|L1)</td><td>(yes|no)</td><td>1262301194.0</td>", text)
    assert told == [("H1", "yes"), ("L1", "no")]
    for cell in ("+0.250", "12.3", "0.012", NO_TRIGGER):
        assert f">{cell}</td>" in text
    assert "H1: of 96 s of 4,096 s of strain the files do not say" in text
    assert "L1: of" not in text
    assert "nan" not in text


def test_the_most_likely_chirps_are_listed_first_and_no_more_than_asked_for(pictures):
    text = known_events_page(found(), pictures, 4)
    likely = text.partition("Most like chirps")[2]
    assert likely.count("<img") == 4
    order = [likely.index(f"{START + 32 * i + 10.25:.3f}") for i in range(4)]
    assert order == sorted(order)
    assert "2 events of 12 above 0" in likely
    assert "By the track alone" not in likely
    assert known_events_page(found(), pictures, 0).count("<img") == 0


def test_the_page_says_where_the_track_alone_tells(pictures):
    assert "By the track alone" in known_events_page(found(similarity=False), pictures, 4)


def test_a_run_without_events_or_anything_known_says_so(pictures):
    nothing = found(count=0)
    empty = Found(
        KNOWN_EVENTS.empty_table(), nothing.told, {}, nothing.triggers, nothing.chirps,
        nothing.clusters, nothing.classes,
    )  # fmt: skip
    text = known_events_page(empty, pictures, 5)
    assert "Nothing is known to be in the run&#x27;s span." in text
    assert "There are no event views." in text


@pytest.mark.parametrize(
    "shown",
    [
        found(),
        found(similarity=False),
        found(classes=False),
        found(chirps=0),
        found(chirps=12),
        found(count=1),
        found(count=0),
    ],
    ids=["all", "track", "no classes", "no chirps", "chirps alone", "one", "none"],
)
def test_the_figure_is_drawn_whatever_is_known_and_equal_again(shown, tmp_path):
    said = drawn_twice(tmp_path / "a.svg", draw_chirps, shown)
    assert {"likeness to chirps", "By class, where it is known"} <= set(said)
