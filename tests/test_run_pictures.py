from pathlib import Path

import pytest

from gwmorph.run_pictures import Pictures

BLOCK = 1262301184


def test_a_picture_is_in_the_folder_of_its_window_s_block():
    folders = [
        Path(f"p/{detector}-GWMORPH_PICTURES-{gps}-4096")
        for detector in ("H1", "L1")
        for gps in (BLOCK, BLOCK + 4096)
    ]
    pictures = Pictures(folders, 32)
    window = pictures.of("L1", BLOCK + 4096 + 64, None)
    assert window == folders[3] / f"L1-GWMORPH_WINDOW-{BLOCK + 4160}-32.png"
    # An event may peak in the next block.
    event = pictures.of("H1", BLOCK + 4064, BLOCK + 4096.25)
    assert event == folders[0] / f"H1-GWMORPH_EVENT-{BLOCK + 4096}.250000000-4.png"
    with pytest.raises(KeyError):
        pictures.of("V1", BLOCK, None)


def test_a_picture_in_an_archive_has_its_name_there():
    pictures = Pictures([Path(f"p/H1-GWMORPH_PICTURES-{BLOCK}-4096.zip")], 32)
    found = pictures.of("H1", BLOCK + 64, None)
    assert found == Path(
        f"p/H1-GWMORPH_PICTURES-{BLOCK}-4096.zip/H1-GWMORPH_WINDOW-{BLOCK + 64}-32.png"
    )
