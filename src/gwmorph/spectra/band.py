"""The pass band that strain is filtered to, and that tiles are laid in."""

from dataclasses import dataclass

_HIGHEST_OF_NYQUIST = 0.83


@dataclass(frozen=True)
class Band:
    """Pass band in Hz.

    Below ``low_hz`` the response falls by 100 dB down to 0.6 · ``low_hz``; above ``high_hz``,
    which is cut to 0.83 of Nyquist, it falls to nothing within 8 %.
    """

    low_hz: float
    high_hz: float

    def upper(self, sample_rate: int) -> float:
        """Return the upper edge in Hz at a sample rate in Hz."""
        return min(self.high_hz, _HIGHEST_OF_NYQUIST * sample_rate / 2)
