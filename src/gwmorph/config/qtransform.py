"""The section ``qtransform``: the tiling and its normalisation."""

from pydantic import model_validator

from gwmorph.config.base import Section, key


class QTransformConfig(Section):
    """The tiling and its normalisation."""

    q_low: float = key(4.0, "Lowest Q of the tiling.", ge=4, le=100)
    q_high: float = key(64.0, "Highest Q of the tiling.", gt=4, le=256)
    f_low: float = key(
        20.0,
        "Lowest frequency of tiles and picture, cut to conditioning.low_hz.",
        "Hz",
        ge=10,
    )
    f_high: float = key(
        2048.0,
        "Highest frequency of tiles and picture, cut to the pass band and to the highest that the "
        "lowest Q reaches (1291 Hz for 4096 Hz data and Q from 4).",
        "Hz",
        gt=30,
    )
    mismatch: float = key(0.2, "Largest fractional energy loss between tiles.", gt=0.01, le=0.5)

    @model_validator(mode="after")
    def _ranges_rise(self) -> "QTransformConfig":
        for low, high in (("q_low", "q_high"), ("f_low", "f_high")):
            if getattr(self, high) <= getattr(self, low):
                raise ValueError(f"{high} must be greater than {low}")
        return self
