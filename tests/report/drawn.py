"""Pictures to draw galleries from."""

from pathlib import Path

import numpy as np

from gwmorph.report.gallery import GalleryScale
from gwmorph.spectra.pictures import PictureScale, write_picture

SCALE = GalleryScale(32, 20, 1291, 25.5)


def pictures_of(folder: Path, count: int, shape: tuple[int, int] = (224, 224)) -> list[Path]:
    scale = PictureScale("linear", 25.5, "cividis")
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        write_picture(path, np.full(shape, number, dtype=np.uint8), scale)
    return paths
