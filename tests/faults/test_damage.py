"""What `make faults` rests on: damage that is undone, and differences that are seen.

`faults.py` disturbs every rule of the workflow with it.
"""

import os

import pyarrow as pa
import pytest
from damage import DAMAGES, compared, damaged, files_of, one_of_each

from gwmorph.tables.parquet import write_table

SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False)], {"gwmorph.schema": "n"})


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_another_content_of_the_same_time_and_is_undone(tmp_path, damage):
    path = tmp_path / "a.txt"
    path.write_bytes(b"0123456789")
    os.utime(path, ns=(5, 7))
    with damaged(path, damage):
        assert path.read_bytes() != b"0123456789"
        assert path.stat().st_mtime_ns == 7
    assert path.read_bytes() == b"0123456789"
    assert path.stat().st_mtime_ns == 7


def test_of_files_that_differ_in_detector_and_numbers_one_is_harmed(tmp_path):
    for name in ("H1-TABLE-100-4096", "L1-TABLE-200-4096", "H1-OTHER-100-4096"):
        (tmp_path / name).write_text("x")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("H1-100.png", "H1-132.png", ".snakemake_timestamp"):
        (folder / name).write_text("x")
    assert len(list(files_of([folder]))) == 2
    chosen = one_of_each([tmp_path / "none", *sorted(tmp_path.iterdir())])
    assert [path.name for path in chosen] == [
        "H1-OTHER-100-4096",
        "H1-TABLE-100-4096",
        "H1-100.png",
    ]


def written(folder, numbers, inputs):
    folder.mkdir()
    path = folder / "n.parquet"
    write_table(path, SCHEMA, {"n": numbers}, {"gwmorph.inputs_hash": inputs})
    return {"n.parquet": path}


def test_differences_are_told_from_those_of_lineage_alone(tmp_path):
    expected = written(tmp_path / "a", [1, 2], "one")
    assert compared(written(tmp_path / "b", [1, 2], "one"), expected) == "equal"
    assert compared(written(tmp_path / "c", [1, 2], "two"), expected) == "lineage"
    assert compared(written(tmp_path / "d", [1, 3], "two"), expected) == "other bytes: n.parquet"
    assert compared({}, expected) == "other files: n.parquet"
