"""What tests ask of a vector figure: that it is whole, small, the same again, and what it says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

LARGEST = 1_000_000


def size(path: Path) -> tuple[float, float]:
    """Return width and height of an SVG in inches."""
    root = ElementTree.fromstring(path.read_bytes())
    width, height = (float(root.attrib[name].removesuffix("pt")) / 72 for name in SIDES)
    return width, height


SIDES = ("width", "height")


def texts(path: Path) -> list[str]:
    """Return all texts of an SVG that matplotlib drew, which notes each beside its outlines."""
    found = re.findall(r"<!-- (.*?) -->", path.read_text(), re.DOTALL)
    return [text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for text in found]


def drawn_twice(path: Path, draw: Callable[..., None], *about: Any, **more: Any) -> list[str]:
    """Draw as an SVG and once more, hold what is asked of every figure, and return its texts."""
    contents = []
    for _ in range(2):
        draw(*about, path=path, **more)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert len(contents[0]) < LARGEST
    assert b"<dc:date>" not in contents[0]
    width, height = size(path)
    assert width >= 1.59 * height > 0
    return texts(path)
