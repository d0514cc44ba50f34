"""What was altered since it was written is refused: tables (`test_tables.py`), JSON, pictures."""

import json

import numpy as np
import pytest

from gwmorph import storage
from gwmorph.errors import StorageError
from gwmorph.report.html import picture
from gwmorph.report.palette import saved_figure
from gwmorph.spectra.pictures import PictureScale, png_bytes

CONTENT = {"b": [1.5, None, {"2": "é"}], "3": True, "a": 0.1 + 0.2}
INDICES = np.arange(64, dtype=np.uint8).reshape(8, 8)


def flips(content: bytes):
    """Yield the content with each of its bytes changed by a bit that varies."""
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1 << place % 7
        yield bytes(altered)


def test_sealed_json_comes_back_without_its_checksum(tmp_path):
    path = tmp_path / "a.json"
    storage.write_sealed_json(path, CONTENT)
    assert storage.read_json(path) == CONTENT
    assert json.loads(path.read_text())["crc32"]
    storage.write_sealed_json(path, [CONTENT, {"a": 1}])
    assert storage.read_json(path) == [CONTENT, {"a": 1}]
    storage.write_sealed_json(path, {2: None, 11: None})
    assert storage.read_json(path) == {"2": None, "11": None}


def test_a_bit_that_changes_in_sealed_json_changes_nothing_or_is_an_error(tmp_path):
    path = tmp_path / "a.json"
    storage.write_sealed_json(path, CONTENT)
    expected = json.loads(path.read_text())
    del expected["crc32"]
    for altered in flips(path.read_bytes()):
        path.write_bytes(altered)
        try:
            found = storage.read_json(path)
        except StorageError as error:
            assert "a.json: damaged" in str(error)
        else:  # in the name of the checksum
            extra = found.keys() - expected.keys()
            assert len(extra) <= 1
            assert {key: found[key] for key in found.keys() - extra} == expected


@pytest.mark.parametrize("name", ["a.png", "a.svg"])
def test_a_picture_that_was_altered_gets_on_no_page(name, tmp_path):
    path = tmp_path / name
    if path.suffix == ".png":
        path.write_bytes(png_bytes(INDICES, PictureScale("sqrt", 25.5, "cividis")))
    else:
        with saved_figure(path, 1.0, 0.5):
            pass
    content = path.read_bytes()
    assert "base64" in picture(path, "a picture")
    altered = [content[: len(content) // 2], b"", *flips(content)]
    for number, other in enumerate(altered):
        path.write_bytes(other)
        try:
            shown = picture(path, "a picture")
        except StorageError as error:
            assert f"{name}: a damaged picture" in str(error)
        else:  # a bit of white space around the checksum of an SVG
            assert "base64" in shown
            assert path.suffix == ".svg"
            assert number > len(altered) - 30
