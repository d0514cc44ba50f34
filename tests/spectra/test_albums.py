import numpy as np
import pytest

from gwmorph.errors import StorageError
from gwmorph.picture_files import picture_bytes, picture_names
from gwmorph.spectra.albums import Picture, kept_album
from gwmorph.spectra.pictures import PictureScale

SCALE = PictureScale("linear", 25.5, "cividis")
NAMES = ("H1-GWMORPH_PICTURES-1262301184-4096", "H1-GWMORPH_EVENTS-1262301184-4096")


def fill(album) -> None:
    for number in (3, 1, 2):
        shown = Picture(np.full((28, 28), number, np.uint8), SCALE, {"gps_start": number})
        album.add("window", f"{number}.png", shown)
        album.add("event", f"{number}.png", shown)
    album.drop_event("3.png")
    album.add("window", "1.png", shown)  # instead of the first


def test_folders_and_archives_get_the_same_pictures_and_make_way_for_each_other(tmp_path):
    folders = [tmp_path / name for name in NAMES]
    archives = [tmp_path / f"{name}.zip" for name in NAMES]
    found = []
    for places in (folders, archives, folders, archives):
        with kept_album(*places) as album:
            fill(album)
        assert sorted(tmp_path.iterdir()) == sorted(places)
        found.append(
            [{name: picture_bytes(path / name) for name in picture_names(path)} for path in places]
        )
    assert found[0] == found[1] == found[2] == found[3]
    assert [sorted(one) for one in found[0]] == [["1.png", "2.png", "3.png"], ["1.png", "2.png"]]


def test_archives_of_a_block_that_failed_are_not_there(tmp_path):
    archives = [tmp_path / f"{name}.zip" for name in NAMES]
    with pytest.raises(StorageError, match="planted"), kept_album(*archives) as album:
        fill(album)
        raise StorageError("planted")
    assert list(tmp_path.iterdir()) == []
