"""What fuzzing rests on: good files are accepted, and what is wrong is a finding.

`fuzz.py` reads thousands of inputs with each of these readers (``make fuzz``).
"""

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from readers import MODULES, NAMES, reader

from fuzzing import NotRightError, Reader, tried
from gwmorph.errors import TableError

PLAIN = Reader(
    "plain", ".txt", "any text", lambda: [b"a"], lambda path: path.read_text(),
    lambda path, found: None, st.binary(), (TableError,),
)  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
def test_good_files_are_accepted_and_halves_of_them_are_no_finding(module, tmp_path):
    for name in MODULES[module]:
        one = reader(name)
        for content in one.seeds():
            assert tried(one, tmp_path, content) == "accepted", name
        tried(one, tmp_path, one.seeds()[0][: len(one.seeds()[0]) // 2])


def test_every_reader_is_registered_under_its_name():
    assert [reader(name).name for name in NAMES] == list(NAMES)


def refusing(error):
    def read(path):
        raise error(path)

    return replace(PLAIN, read=read)


def test_a_clear_error_that_names_the_file_is_a_refusal(tmp_path):
    assert tried(refusing(lambda path: TableError(f"{path}: no")), tmp_path, b"") == "TableError"


def test_anything_else_is_a_finding(tmp_path):
    with pytest.raises(NotRightError, match="does not name the file"):
        tried(refusing(lambda path: TableError("no")), tmp_path, b"")
    with pytest.raises(KeyError):
        tried(refusing(KeyError), tmp_path, b"")
    with pytest.raises(UnicodeDecodeError):
        tried(PLAIN, tmp_path, b"\xff")

    def prove(path, found):
        raise NotRightError("another value")

    with pytest.raises(NotRightError, match="another value"):
        tried(replace(PLAIN, prove=prove), tmp_path, b"a")
