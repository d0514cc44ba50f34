import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gwmorph import picture_files
from gwmorph.errors import StorageError, TableError
from gwmorph.picture_files import (
    container,
    containers_in,
    picture_bytes,
    picture_exists,
    picture_names,
    picture_source,
    remove_other,
    write_archive,
)
from gwmorph.spectra.pictures import PictureScale, png_bytes, read_picture

SCALE = PictureScale("linear", 25.5, "cividis")


def pngs(count: int = 5) -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    return {
        f"{number}.png": png_bytes(rng.integers(0, 256, (28, 28), dtype=np.uint8), SCALE)
        for number in range(count)
    }


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "H1-GWMORPH_EVENTS-1262301184-4096.zip"
    write_archive(path, pngs())
    return path


def test_an_archive_has_what_a_folder_has(tmp_path, archive):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".snakemake_timestamp").touch()
    for name, content in pngs().items():
        (folder / name).write_bytes(content)
    assert picture_names(archive) == picture_names(folder) == sorted(pngs())
    for name in pngs():
        assert picture_exists(archive / name) and picture_exists(folder / name)
        assert picture_bytes(archive / name) == picture_bytes(folder / name)
        packed, plain = read_picture(archive / name), read_picture(folder / name)
        np.testing.assert_array_equal(packed[0], plain[0])
        assert packed[1] == plain[1]
    assert picture_source(folder / name) == folder / name


def test_it_is_the_same_bytes_in_any_order_and_others_can_open_it(tmp_path, archive):
    write_archive(tmp_path / "b.zip", dict(reversed(pngs().items())))
    assert (tmp_path / "b.zip").read_bytes() == archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert [(one.compress_type, one.date_time) for one in opened.infolist()] == [
            (zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0))
        ] * 5
    assert {path.name for path in tmp_path.iterdir()} == {archive.name, "b.zip"}


def test_a_block_without_events_has_an_empty_archive(tmp_path):
    write_archive(tmp_path / "none.zip", {})
    assert picture_names(tmp_path / "none.zip") == []
    assert not picture_exists(tmp_path / "none.zip" / "a.png")


def test_a_missing_picture_is_named_with_its_archive(archive):
    assert not picture_exists(archive / "9.png")
    for name in ("9.png", ".."):
        with pytest.raises(TableError, match=rf"{archive.name}: has no picture {name}.* again"):
            picture_bytes(archive / name)


def test_a_missing_archive_is_named(tmp_path):
    assert not picture_exists(tmp_path / "a.zip" / "9.png")
    with pytest.raises(TableError, match=r"a\.zip: cannot be read"):
        picture_bytes(tmp_path / "a.zip" / "9.png")


def test_every_bit_that_falls_is_noticed_by_the_picture_s_checksum(archive):
    content = archive.read_bytes()
    place = content.index(pngs()["2.png"]) + 40
    archive.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(TableError, match=rf"{archive.name}: its picture 2\.png is damaged.*CRC"):
        read_picture(archive / "2.png")
    # The others are as they were.
    assert picture_bytes(archive / "3.png") == pngs()["3.png"]


@pytest.mark.parametrize("left", [0.0, 0.3, 0.999])
def test_an_archive_cut_short_is_an_error_even_to_ask_what_it_has(archive, left):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(left * len(content))])
    for ask in (picture_bytes, picture_exists):
        with pytest.raises(TableError, match=rf"{archive.name}: not a whole ZIP archive"):
            ask(archive / "2.png")


def test_an_archive_that_is_written_again_is_read_again(tmp_path):
    path = tmp_path / "a.zip"
    for content in (b"one", b"two", b"three"):
        write_archive(path, {"0.png": content})
        assert picture_bytes(path / "0.png") == content


def test_what_others_packed_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.png", bytes(100_000))
    with pytest.raises(TableError, match=r"a\.zip: its picture 'a\.png' is compressed"):
        picture_bytes(path / "a.png")
    with zipfile.ZipFile(path, "w") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("a.png", b"one")
        opened.writestr("a.png", b"two")
    with pytest.raises(TableError, match="two pictures of one name"):
        picture_names(path)


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a/b.png", "a/", "..", ".", ""])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    path = tmp_path / "a.zip"
    write_archive(path, {name: b"content"})
    for ask in (picture_names, lambda path: picture_bytes(path / "b.png")):
        with pytest.raises(TableError, match=r"a\.zip: its picture .* has no plain name"):
            ask(path)


def test_a_picture_said_to_be_larger_than_its_archive_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    write_archive(path, {"a.png": b"content"})
    # Both sizes of the archive's directory, which follows "PK\1\2" by 20 bytes.
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\1\2") + 20
    content[place : place + 8] = struct.pack("<II", 1 << 30, 1 << 30)
    path.write_bytes(content)
    with pytest.raises(TableError, match="more than the archive's"):
        picture_bytes(path / "a.png")


def test_threads_read_one_archive_and_few_stay_open(tmp_path, monkeypatch):
    many = pngs(40)
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"{number}.zip")
        write_archive(paths[-1], many)
    asked = [(path, name) for name in many for path in paths]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda key: picture_bytes(key[0] / key[1]), asked))
    assert found == [many[name] for _, name in asked]
    assert picture_files._opened.cache_info().currsize <= 8


def test_a_folder_may_be_called_as_an_archive_is(tmp_path):
    folder = tmp_path / "release.zip"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"content")
    assert picture_bytes(folder / "a.png") == b"content"
    assert picture_exists(folder / "a.png")
    assert picture_names(folder) == ["a.png"]


def test_a_block_s_pictures_are_found_in_either(tmp_path):
    folder = tmp_path / "H1-GWMORPH_EVENTS-1262301184-4096"
    folder.mkdir()
    (tmp_path / ".H1-x.zip.00.part").touch()
    assert container(folder) == folder
    assert containers_in(tmp_path) == [folder]
    archive = tmp_path / f"{folder.name}.zip"
    write_archive(archive, {})
    remove_other(archive)
    assert container(folder) == archive
    assert containers_in(tmp_path) == [archive]
    remove_other(archive)  # there is none
    remove_other(folder)
    assert containers_in(tmp_path) == []


def test_pictures_that_cannot_be_removed_are_named(tmp_path, monkeypatch):
    folder = tmp_path / "H1-GWMORPH_EVENTS-1262301184-4096"
    folder.mkdir()

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(picture_files.shutil, "rmtree", refuse)
    with pytest.raises(StorageError, match=rf"{folder.name}: cannot be removed .* run again"):
        remove_other(tmp_path / f"{folder.name}.zip")
