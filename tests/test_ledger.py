import pyarrow as pa
import pytest

from closeness import near
from gwmorph import ledger
from gwmorph.ledger import MEANING, Livetime, Reason, analysed_row, excluded_row
from gwmorph.tables.block import LEDGER
from gwmorph.tables.parquet import read_table, write_table


def table(rows):
    return pa.Table.from_pylist(rows, schema=LEDGER)


def lost(detector, start, reason):
    return excluded_row(detector, start, 32, 0, reason=reason, detail="found at 12")


def test_every_reason_says_what_it_means():
    assert set(MEANING) == set(Reason)
    assert all(MEANING.values())


def test_rows_fit_the_ledger_schema(tmp_path):
    rows = [analysed_row("H1", 64, 32, 0), lost("H1", 96, Reason.NAN)]
    write_table(tmp_path / "ledger.parquet", LEDGER, rows)
    back = read_table(tmp_path / "ledger.parquet", LEDGER).to_pylist()
    assert [(r["status"], r["reason"], r["detail"]) for r in back] == [
        ("analysed", None, None),
        ("excluded", "nan", "found at 12"),
    ]


def test_livetime_is_the_union_of_windows_at_each_step():
    rows = table(
        [
            lost("H1", 0, Reason.CONTEXT),
            analysed_row("H1", 16, 32, 0),
            analysed_row("H1", 32, 32, 0),
            lost("H1", 48, Reason.GAP),
            lost("H1", 4096, Reason.CONTEXT),
            analysed_row("L1", 0, 32, 0),
        ]
    )
    found = ledger.livetimes(rows, {"H1": 500, "L1": 40, "V1": 7})
    # H1 windows cover [0, 80) and [4096, 4128); with context [16, 80); analysed [16, 64)
    assert found["H1"] == Livetime(500, 112, 64, 48)
    assert found["L1"] == Livetime(40, 32, 32, 32)
    assert found["V1"] == Livetime(7, 0, 0, 0)


def test_losses_are_counted_by_reason_and_as_a_fraction():
    rows = table(
        [
            analysed_row("H1", 0, 32, 0),
            lost("H1", 32, Reason.DQ),
            lost("H1", 64, Reason.NAN),
            lost("H1", 96, Reason.NAN),
            lost("L1", 0, Reason.ZEROS),
        ]
    )
    assert list(ledger.excluded_counts(rows, "H1").items()) == [("nan", 2), ("dq", 1)]
    assert ledger.excluded_fraction(rows, "H1") == near(0.75)
    assert ledger.excluded_counts(rows, "V1") == {}
    assert ledger.excluded_fraction(rows, "V1") == 0.0


def test_a_verdict_speaks_for_each_detector():
    rows = table(
        [
            *(analysed_row("H1", t, 32, 0) for t in range(0, 96, 32)),
            lost("H1", 96, Reason.DQ),
            analysed_row("L1", 0, 32, 0),
            lost("L1", 32, Reason.NAN),
            lost("L1", 64, Reason.NAN),
        ]
    )
    assert ledger.judge(rows, ["H1"], 0.25) == {
        "verdict": "passed",
        "max_excluded_fraction": 0.25,
        "excluded_fraction": {"H1": 0.25},
    }
    with pytest.raises(ledger.VerdictError, match=r"L1: 66\.7% of 3 windows: 2 nan") as failed:
        ledger.judge(rows, ["H1", "L1"], 0.25)
    assert "H1:" not in str(failed.value)
    assert "run.max_excluded_fraction allows 25.0%" in str(failed.value)
