"""Which files a pattern names."""

from pathlib import Path

import pytest

from gwmorph.errors import StrainError
from gwmorph.strain.patterns import matching_files


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    names = ("a.hdf5", "b.gwf", "deep/deeper/c.hdf5", "deep/notes.txt", "s[1].gwf", "s1.gwf")
    both = ("both/H-H1_X-1-4.gwf", "both/L-L1_X-1-4.gwf", "both/x.gwf")
    for name in names + both:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("patterns", "files"),
    [
        (["*.hdf5", "a*"], ["a.hdf5"]),
        (["**/*.hdf5"], ["a.hdf5", "deep/deeper/c.hdf5"]),
        (["deep/**"], ["deep/deeper/c.hdf5", "deep/notes.txt"]),
        (["s[1].gwf"], ["s[1].gwf"]),
        (["s[0-9].gwf"], ["s1.gwf"]),
        (["deep/deeper"], ["deep/deeper/c.hdf5"]),
        (["deep/deeper/"], ["deep/deeper/c.hdf5"]),
        (["both"], ["both/H-H1_X-1-4.gwf", "both/x.gwf"]),
        (["both/*"], ["both/H-H1_X-1-4.gwf", "both/L-L1_X-1-4.gwf", "both/x.gwf"]),
    ],
    ids=str,
)
def test_a_pattern_is_a_file_a_folder_or_a_glob(patterns: list[str], files: list[str]) -> None:
    assert matching_files("key", "H1", patterns) == files


def test_absolute_patterns_give_absolute_files(folder: Path) -> None:
    assert matching_files("key", "H1", [f"{folder}/**/c.*"]) == [f"{folder}/deep/deeper/c.hdf5"]


@pytest.mark.parametrize("pattern", ["none*", "none.hdf5", "d?ep", 300 * "x"])
def test_a_pattern_without_a_file_is_named(pattern: str) -> None:
    with pytest.raises(StrainError, match=r"^some\.key\.H1: no file matches '" + pattern[:2]):
        matching_files("some.key", "H1", [pattern])


def test_a_folder_without_strain_files_says_what_they_end_in() -> None:
    with pytest.raises(StrainError, match=r"'deep' \(a folder without \.gwf, \.h5"):
        matching_files("key", "H1", ["deep"])


@pytest.mark.parametrize("pattern", ["dang*", "dangling.gwf", "links"])
def test_a_link_that_leads_nowhere_is_named_with_its_end(folder: Path, pattern: str) -> None:
    (folder / "links").mkdir()
    for place in (folder, folder / "links"):
        (place / "dangling.gwf").symlink_to("moved/away.gwf")
    with pytest.raises(
        StrainError, match=r"key\.H1: .*dangling\.gwf is a link to moved/away\.gwf"
    ):
        matching_files("key", "H1", [pattern])
