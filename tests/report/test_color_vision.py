"""Colours as people see them who lack one kind of cone."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from gwmorph.report.explorer.contents import NO_STATUS
from gwmorph.report.palette import cluster_color
from gwmorph.report.statuses import COLORS

# Machado, Oliveira and Fernandes (2009), severity 1, for linear red, green and blue.
LACKING = {
    "nothing": np.eye(3),
    "red": np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "green": np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "blue": np.array([
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip
# sRGB to XYZ, and the white point D65.
TO_XYZ = np.array([
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
])  # fmt: skip
WHITE = TO_XYZ.sum(axis=1)
# CIE 1976: 2.3 is just noticeable of large areas; dots of a few pixels need several times as much.
TOLD_APART = 14.0


def lab(color, lacking: str) -> np.ndarray:
    """Return L*, a*, b* of a colour as it is seen."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(LACKING[lacking] @ linear, 0, 1) / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one, other, lacking: str) -> float:
    return float(np.linalg.norm(lab(one, lacking) - lab(other, lacking)))


def test_white_and_black_are_a_hundred_apart():
    assert abs(apart("white", "black", "nothing") - 100) < 0.01


def test_red_and_green_are_near_without_green_cones_and_blue_is_not():
    red, green = "#c05050", "#808040"
    assert apart(red, green, "green") < 0.4 * apart(red, green, "nothing")
    assert apart(red, "#5050c0", "green") > 40


@pytest.mark.parametrize("lacking", LACKING)
def test_statuses_are_told_apart_by_everybody(lacking):
    said = {**COLORS, "none": NO_STATUS}
    for (one, a), (other, b) in combinations(said.items(), 2):
        assert apart(a, b, lacking) > TOLD_APART, (one, other)


@pytest.mark.parametrize("lacking", LACKING)
def test_the_first_nine_clusters_are_told_apart_by_everybody(lacking):
    """Not so all 27, which the page tells apart by names, the hover and filters."""
    colors = [cluster_color(number) for number in range(9)]
    assert min(apart(a, b, lacking) for a, b in combinations(colors, 2)) > TOLD_APART
