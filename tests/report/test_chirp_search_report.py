"""Figures and page of a search for chirps: there, and the same bytes twice."""

import numpy as np
import pyarrow as pa
import pytest
from vector import drawn_twice

from gwmorph.evidence.chirp_evaluation import (
    Scored,
    auc_rows,
    confusion_rows,
    efficiency_rows,
    relative_rows,
    roc_rows,
)
from gwmorph.report.chirp_search import (
    draw_chirp_roc,
    draw_efficiency,
    write_chirp_page,
)
from gwmorph.tables.chirp_search import (
    CHIRP_CONFUSION,
    CHIRP_EFFICIENCY,
    CHIRP_FIGURES,
    CHIRP_ROC,
)

MATCH = {
    "templates": 12, "minimal_match": 0.97, "signals": 40, "recovered_least": 0.951,
    "recovered_1_in_100": 0.96, "recovered_median": 0.99, "below_minimal_match": 0.025,
}  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(1)
    held = {
        name: Scored(
            rng.normal(size=500), rng.normal(size=500),
            rng.normal(size=(40, 3)) + gain * np.arange(1, 4), rng.normal(size=3600),
            np.array([6.0, 8.0, 12.0]),
        )
        for name, gain in
        {"matched_filter": 1.5, "classic_unbounded": 1.3, "classic_softmax": 1.2}.items()
    }  # fmt: skip
    best = held["matched_filter"]
    figures = [row for name, one in held.items() for row in auc_rows(name, one, 20, 1)]
    figures += relative_rows(
        "classic_unbounded", held["classic_unbounded"], best, [0.01], (8, 12), 20, 1
    )
    return {
        "efficiency": pa.Table.from_pylist(
            [r for n, one in held.items() for r in efficiency_rows(n, one, [0.01], [10.0])],
            schema=CHIRP_EFFICIENCY,
        ),
        "roc": pa.Table.from_pylist(
            [row for name, one in held.items() for row in roc_rows(name, one)], schema=CHIRP_ROC
        ),
        "figures": pa.Table.from_pylist(figures, schema=CHIRP_FIGURES),
        "confusion": pa.Table.from_pylist(
            [row for name, one in held.items() for row in confusion_rows(name, one, [0.01])],
            schema=CHIRP_CONFUSION,
        ),
    }


def test_figures_are_drawn_the_same_twice(tmp_path, tables):
    path = tmp_path / "a.svg"
    assert "matched filter" in drawn_twice(path, draw_efficiency, tables["efficiency"])
    assert "matched filter" in drawn_twice(path, draw_chirp_roc, tables["roc"])


def test_the_page_has_every_number(tmp_path, tables):
    path = tmp_path / "a.html"
    write_chirp_page(tables["figures"], tables["confusion"], MATCH, path)
    text = path.read_text(encoding="utf-8")
    relative = tables["figures"].to_pylist()[-1]
    assert f"{relative['value']:.3f} ({relative['low']:.3f} to {relative['high']:.3f})" in text
    assert "12 templates" in text
    assert "2.5 % recover less" in text
    for row in tables["confusion"].to_pylist():
        assert f"{row['limit']:.5g}" in text
    assert "classic network, softmax" in text
