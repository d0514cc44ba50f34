from dataclasses import replace

import pytest

from gwmorph.errors import StrainError
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.receipts import received_files, verified_files, write_receipts


def received(path, gps_start, rank=0):
    path.write_bytes(path.name.encode())
    file = StrainFile("H1", gps_start, 4096, 4096, str(path), rank=rank)
    return LocalFile.receipt(file, path, "gwosc")


def test_receipts_of_several_blocks_join_without_repeating_a_file(tmp_path):
    early, late = received(tmp_path / "early", 0), received(tmp_path / "late", 4096)
    second = received(tmp_path / "second", 0, rank=1)
    write_receipts(tmp_path / "a.json", [late])
    write_receipts(tmp_path / "b.json", [second, early, late])
    found = verified_files([tmp_path / "a.json", tmp_path / "b.json"])
    assert found == [early, second, late]


@pytest.mark.parametrize("text", ["", "[{}]", "3"])
def test_a_damaged_receipt_names_itself(tmp_path, text):
    receipt = tmp_path / "0.json"
    receipt.write_text(text)
    with pytest.raises(StrainError, match=r"0\.json: not a readable receipt.*Remove it"):
        verified_files([receipt])


def test_a_receipt_that_was_altered_names_itself(tmp_path):
    receipt = tmp_path / "0.json"
    write_receipts(receipt, [received(tmp_path / "strain.hdf5", 4096)])
    receipt.write_text(receipt.read_text().replace('"gps_start": 4096', '"gps_start": 4097'))
    with pytest.raises(StrainError, match=r"0\.json: not a readable receipt.*Remove it"):
        received_files([receipt])


@pytest.mark.parametrize("fault", ["gone", "changed"])
def test_strain_that_is_not_what_was_received_names_the_way_out(tmp_path, fault):
    file = received(tmp_path / "strain.hdf5", 0)
    receipt = tmp_path / "0.json"
    write_receipts(receipt, [file])
    if fault == "gone":
        (tmp_path / "strain.hdf5").unlink()
    else:
        (tmp_path / "strain.hdf5").write_bytes(b"Strain.hdf5")
    with pytest.raises(StrainError, match=rf"strain\.hdf5(?s:.)*remove {receipt} and run"):
        verified_files([receipt])


def test_receipts_follow_a_cache_that_was_moved(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "gwosc").mkdir(parents=True)
    file = received(old / "gwosc" / "strain.hdf5", 0)
    write_receipts(tmp_path / "0.json", [file], old)
    written = (tmp_path / "0.json").read_text()
    assert verified_files([tmp_path / "0.json"], old) == [file]
    old.rename(new)
    (found,) = verified_files([tmp_path / "0.json"], new)
    assert found.path == str(new / "gwosc" / "strain.hdf5")
    write_receipts(tmp_path / "1.json", [found], new)
    assert (tmp_path / "1.json").read_text() == written
    with pytest.raises(StrainError, match=r"strain\.hdf5(?s:.)*remove"):
        verified_files([tmp_path / "0.json"], old)


def test_receipts_can_be_read_without_their_files(tmp_path):
    early, late = received(tmp_path / "early", 0), received(tmp_path / "late", 4096)
    write_receipts(tmp_path / "a.json", [late, early])
    write_receipts(tmp_path / "b.json", [early])
    (tmp_path / "late").unlink()
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    assert received_files(paths) == [early, late]


def test_a_file_of_two_detectors_is_received_for_both(tmp_path):
    one = received(tmp_path / "both", 0)
    other = replace(one, detector="L1")
    write_receipts(tmp_path / "a.json", [one])
    write_receipts(tmp_path / "b.json", [other, one])
    assert received_files([tmp_path / "a.json", tmp_path / "b.json"]) == [one, other]
