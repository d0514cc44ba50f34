"""Files of trained networks: safetensors that say which architecture they are for.

Every kind of network has a format of its own, so that no file is taken for another kind's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from gwmorph.encoders.tensor_file import ENTRY, fill, read_tensors, unlike, write_tensors
from gwmorph.errors import WeightsError
from gwmorph.storage import parse_json, sha256_of_file

Network = TypeVar("Network", bound=nn.Module)


class Sizes(Protocol):
    """A dataclass with a network's sizes, among them the version of its code."""

    @property
    def version(self) -> int:
        """Number of the code that makes the network."""
        ...

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the sizes that `to_json` gave; ValueError or TypeError if they are no such."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        ...


@dataclass(frozen=True)
class NetworkFile(Generic[Network]):
    """What files of one kind of network have in common.

    Attributes
    ----------
    format
        What the metadata call it.
    key
        Section of the configuration with ``path`` and ``sha256``, as errors name it.
    writer
        What writes such files, as errors name it.
    instead
        How to do without a file, to be added to the error of a missing one.
    sizes
        Dataclass of the architecture.
    make
        From sizes to a network with any weights.
    """

    format: str
    key: str
    writer: str
    instead: str
    sizes: type[Any]
    make: Callable[[Any], Network]

    def write(
        self, path: Path | str, network: Network, sizes: Sizes, about: Mapping[str, Any]
    ) -> None:
        """Write a network, matrices in half precision, with ``about`` (JSON) as metadata.

        Equal networks give equal bytes.

        Raises
        ------
        StorageError
            The file cannot be written whole.
        """
        tensors = {
            name: tensor.half() if tensor.ndim > 1 else tensor
            for name, tensor in network.cpu().state_dict().items()
            if tensor.is_floating_point()
        }
        told = {"format": self.format, "architecture": sizes.to_json(), **about}
        write_tensors(path, tensors, told)

    def load(self, path: Path | str, sha256: str | None = None) -> Network:
        """Return the network of a file in float32, in evaluation mode.

        Raises
        ------
        WeightsError
            The file is missing, truncated, pickled, of another architecture or another SHA-256
            than expected, or holds values that are not finite.
        """
        path = Path(path)
        if not path.is_file():
            raise WeightsError(
                f"{self.key}.path = {path}: there is no such file. Train one with "
                f"`{self.writer}`{self.instead}."
            )
        found = sha256_of_file(path)
        if sha256 is not None and found != sha256:
            raise WeightsError(
                f"{path}: expected {self.key}.sha256 = {sha256}, got {found}. These are other "
                "weights: correct the key or the path beside it."
            )
        sizes, tensors = self._read(path)
        self._require_sizes(path, sizes, tensors)
        network = self.make(sizes)
        fill(path, network, tensors)
        return network.eval().requires_grad_(False)

    def training(self, path: Path | str, entry: str, said: str) -> dict[str, Any]:
        """Return what a file says of its training, ``entry`` among it.

        ``said`` is what that entry says, as errors name it.

        Raises
        ------
        WeightsError
            The file is missing, damaged or another model's, or does not say.
        """
        try:
            with safe_open(path, framework="pt") as file:
                told = parse_json((file.metadata() or {})[ENTRY])
            if told["format"] != self.format:
                raise ValueError(f"format {told['format']!r}, expected {self.format!r}")
            training: dict[str, Any] = told["training"]
            if entry not in training:
                raise KeyError(entry)
            return training
        except (SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
            raise WeightsError(
                f"{path}: cannot be read, or does not say {said} ({error!r}). Name "
                f"weights that `{self.writer}` wrote."
            ) from error

    def _read(self, path: Path) -> tuple[Any, dict[str, Tensor]]:
        metadata, tensors = read_tensors(path, self.format, self.writer)
        try:
            sizes = self._sizes_of(metadata["architecture"])
            return sizes, {name: tensor.float() for name, tensor in tensors.items()}
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise WeightsError(
                f"{path}: another architecture ({error}). It was written by another version of "
                "gwmorph: use that one, or train again."
            ) from error

    def _require_sizes(self, path: Path, sizes: Sizes, tensors: Mapping[str, Tensor]) -> None:
        """Check that the tensors are of these sizes, before memory is taken for the network.

        Raises
        ------
        WeightsError
            They are not, or there is no network of these sizes.
        """
        try:
            with torch.device("meta"):
                wrong = unlike(self.make(sizes).state_dict(), tensors)
        except (ValueError, TypeError, RuntimeError, ArithmeticError, LookupError) as error:
            raise WeightsError(
                f"{path}: there is no network of the sizes that it says ({error}). Train again."
            ) from error
        if wrong:
            raise WeightsError(
                f"{path}: another architecture: {len(wrong)} tensors are missing, unexpected or "
                f"of another shape than its metadata says ({', '.join(wrong[:3])}). Train again."
            )

    def _sizes_of(self, given: Mapping[str, Any]) -> Sizes:
        if set(given) != {field.name for field in fields(self.sizes)}:
            raise ValueError(f"sizes {sorted(given)}")
        known = self.sizes().version
        if given["version"] != known:
            raise ValueError(f"version {given['version']}, expected {known}")
        sizes: Sizes = self.sizes.from_json(given)
        return sizes
