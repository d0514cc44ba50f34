"""The pictures that each encoder takes, known without importing any encoder."""

from gwmorph.config import EncoderName
from gwmorph.encoders.base import Size
from gwmorph.errors import ConfigError

# dct needs 384 coefficients in their order, the others two of their crops beside each other.
SMALLEST: dict[EncoderName, int] = {"dct": 22, "indomain": 112, "autoencoder": 112}
PATCH = 14  # of dinov2


def check_size(name: EncoderName, size: Size) -> None:
    """Raise ConfigError unless an encoder takes pictures of ``size`` (height, width) in pixels."""
    keys, got = "picture.height and picture.width", f"{size[0]} x {size[1]}"
    if name == "dinov2" and (size[0] % PATCH or size[1] % PATCH):
        raise ConfigError(
            f"{keys}: dinov2 needs multiples of {PATCH} pixels, got {got}; the nearest are "
            f"{_nearest(size[0])} x {_nearest(size[1])}."
        )
    if min(size) < (least := SMALLEST.get(name, 0)):
        raise ConfigError(f"{keys}: the {name} encoder needs at least {least} pixels, got {got}.")


def _nearest(pixels: int) -> int:
    return max(1, round(pixels / PATCH)) * PATCH
