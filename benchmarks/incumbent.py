"""The incumbent's way of a window, from samples to a vector.

Written from its parameters: 32 s with 4 s of padding, gwpy's whitening, band-pass and Q-transform,
a zoom to 256 x 256, a figure of matplotlib with axes, and DINOv2 (ViT-S/14 with registers; random
weights) at 518 x 518 in float32, by two threads.
"""

from collections.abc import Callable
from time import perf_counter

import numpy as np


def way_of_a_window() -> Callable[[np.ndarray, int], dict[str, float]]:
    """Return its way of window number i of strain, which returns the seconds of its stages."""
    import io

    import matplotlib as mpl

    mpl.use("agg")
    import torch
    from gwpy.timeseries import TimeSeries
    from matplotlib import pyplot as plt
    from PIL import Image
    from scipy.ndimage import zoom
    from transformers import Dinov2WithRegistersModel

    from encoders import weights_folder

    torch.set_num_threads(2)
    model = Dinov2WithRegistersModel.from_pretrained(weights_folder()).eval()
    mean, spread = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

    def way(values: np.ndarray, i: int) -> dict[str, float]:
        times = [perf_counter()]
        first = 64 + 32 * i
        around = values[(first - 4) * 4096 : (first + 36) * 4096]
        series = TimeSeries(around, sample_rate=4096, t0=first - 4)
        white = series.whiten().bandpass(20, 1700, fstop=(15, 1900)).crop(first, first + 32)
        plane = white.q_transform(
            qrange=(4, 64), frange=(20, 2048), logf=True, whiten=False
        ).value.T
        small = zoom(plane, (256 / plane.shape[0], 256 / plane.shape[1]), order=1)
        scaled = (small - small.min()) / (small.max() - small.min())
        times.append(perf_counter())
        figure, axes = plt.subplots(figsize=(6, 6), dpi=72)
        axes.imshow(scaled, cmap="cividis", origin="lower", aspect="auto")
        axes.set(xlabel="Time", ylabel="Frequency", title=f"{first}")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        plt.close(figure)
        times.append(perf_counter())
        picture = Image.open(buffer).convert("RGB").resize((518, 518))
        pixels = (np.asarray(picture, np.float32) / 255 - mean) / spread
        with torch.inference_mode():
            model(torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32)))
        times.append(perf_counter())
        return dict(zip(("spectrogram", "figure", "encoder"), np.diff(times), strict=True))

    return way
