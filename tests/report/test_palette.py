import hashlib
import re
from pathlib import Path

import matplotlib as mpl
import pytest
from drawn import SCALE, pictures_of
from PIL import Image

from gwmorph.report import palette
from gwmorph.report.gallery import Heading, choose_examples, draw_gallery
from gwmorph.report.map import draw_map
from gwmorph.report.occupancy import draw_occupancy
from gwmorph.report.palette import saved_figure


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_same_rows_give_the_same_bytes_whatever_the_users_settings(tmp_path, run_tables):
    tables = run_tables()
    examples = choose_examples(0, tables.clusters, tables.summary, 5)
    pictures = pictures_of(tmp_path, 5)
    heading = Heading.of_cluster(0, supported=False, outside_umap=True)

    def draw(folder: Path) -> list[str]:
        draw_map(tables.clusters, "event", folder / "map.svg")
        draw_occupancy(tables.clusters, "event", tables.ledger, 1024, folder / "o.svg")
        draw_gallery(heading, "event", examples, pictures, SCALE, folder / "gallery.png")
        return [digest(path) for path in sorted(folder.iterdir())]

    first = draw(tmp_path / "first")
    with mpl.rc_context({"font.size": 31, "savefig.dpi": 40, "axes.facecolor": "red"}):
        assert draw(tmp_path / "second") == first


def test_figures_store_neither_date_nor_software(tmp_path, run_tables):
    draw_map(run_tables().clusters, "window", tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert set(image.info) <= {"dpi"}


def test_the_last_bits_of_a_place_are_no_part_of_a_vector_figure(tmp_path):
    drawn = []
    for moved in (0.0, 1e-13):
        with saved_figure(tmp_path / "a.svg", 8, 4) as figure:
            figure.set_layout_engine("none")
            figure.add_axes((0.2, 0.2 + moved, 0.6, 0.6)).plot([0, 3], [0, 3])
        drawn.append((tmp_path / "a.svg").read_text())
    assert drawn[0] == drawn[1]
    assert 'clip-path="url(#clip0)"' in drawn[0]
    assert '<clipPath id="clip0">' in drawn[0]


@pytest.mark.parametrize(("width", "height"), [(9, 5), (6, 9)])
def test_no_figure_is_too_high_for_the_viewer(tmp_path, width, height):
    with saved_figure(tmp_path / "f.png", width, height, dpi=20):
        pass
    with Image.open(tmp_path / "f.png") as image:
        assert image.height == 20 * height
        assert image.width == 20 * max(width, 1.6 * height)


def test_equal_vector_figures_have_equal_bytes_and_no_date(tmp_path):
    drawn = []
    for name in ("a.svg", "b.svg"):
        with saved_figure(tmp_path / name, 8, 4) as figure:
            axes = figure.subplots()
            axes.plot([0, 1], [0, 1])
            axes.bar([0], [1], hatch="///")
        drawn.append((tmp_path / name).read_bytes())
    assert drawn[0] == drawn[1]
    assert b"date" not in drawn[0].lower()
    assert b"matplotlib" not in drawn[0].lower().replace(b"matplotlib.axis", b"")


def test_every_vector_figure_is_drawn_twice_by_a_test():
    """All that draw one, so that none is left out of what `drawn_twice` holds them to."""
    report = Path(palette.__file__).parent
    drawing = re.compile(r"^def (draw_\w+)\((?:(?!^def ).)*?^    with saved_figure\(", re.M | re.S)
    found = [name for path in report.glob("*.py") for name in drawing.findall(path.read_text())]
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    held = set(re.findall(r"drawn_twice\(\s*[^,]+,\s*(draw_\w+)", tests))
    # A moment is drawn as a picture unless its reader asks for another kind.
    assert set(found) - held == {"draw_moment"}
    assert len(found) > 15
