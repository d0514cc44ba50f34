"""The section ``conditioning``: from strain to whitened strain."""

from typing import Literal

from gwmorph.config.base import Section, key


class ConditioningConfig(Section):
    """From strain to whitened strain."""

    sample_rate: Literal[2048, 4096] = key(
        4096, "Rate of the analysis; faster files are decimated, slower ones refused.", "Hz"
    )
    psd_segment_s: Literal[2, 4] = key(
        4, "Length of the spectra whose median is the noise spectrum.", "s"
    )
    low_hz: float = key(20.0, "Lower edge of the pass band.", "Hz", ge=10, le=100)
    high_hz: float = key(
        1700.0,
        "Upper edge of the pass band; GWOSC's 4 kHz files are not to be trusted above 1700 Hz. "
        "Cut to 0.83 of Nyquist where that is lower.",
        "Hz",
        ge=200,
        le=8000,
    )
