"""The least that is a picture, for pages that hold pictures and look whether they are whole."""

import numpy as np

from gwmorph.spectra.pictures import PictureScale, png_bytes

PNG = png_bytes(np.zeros((2, 2), np.uint8), PictureScale("linear", 25.5, "cividis"))
SVG = b"<svg></svg>"
