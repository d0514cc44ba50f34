"""Where a network is trained, and in which numbers."""

from dataclasses import dataclass

import torch

from gwmorph.learning.loop import choose_device, choose_precision


@dataclass(frozen=True)
class Machine:
    """Where a network is trained, and the numbers in which it multiplies matrices."""

    device: torch.device
    precision: torch.dtype

    def to_json(self) -> dict[str, str]:
        """Return plain values."""
        precision = str(self.precision).removeprefix("torch.")
        return {"device": self.device.type, "precision": precision}


def machine_of(device: str, precision: str, section: str) -> Machine:
    """Return what the keys ``device`` and ``precision`` of a section of the configuration say.

    Raises
    ------
    ConfigError
        As `gwmorph.learning.loop.choose_device` and `choose_precision`.
    """
    chosen = choose_device(device, section)
    return Machine(chosen, choose_precision(precision, chosen, section))
