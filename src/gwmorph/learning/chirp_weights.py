"""Files of trained chirp networks: weights, architecture, and what they look at."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gwmorph.encoders.tensor_file import fill, read_tensors, write_tensors
from gwmorph.errors import WeightsError
from gwmorph.evidence.chirp_windows import Look
from gwmorph.learning.chirp_networks import NETWORKS, ChirpNetwork
from gwmorph.spectra.band import Band

_FORMAT = "gwmorph chirp network 1"


@dataclass(frozen=True)
class Trained:
    """A network in evaluation mode, the name of its architecture, and what it looks at."""

    network: ChirpNetwork
    name: str
    look: Look


def write_chirp_network(path: Path | str, trained: Trained, about: Mapping[str, Any]) -> None:
    """Write a trained network, with ``about`` (JSON) as metadata. Equal networks, equal bytes.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    """
    told = {
        "format": _FORMAT,
        "network": trained.name,
        "look": asdict(trained.look),
        **about,
    }
    write_tensors(path, trained.network.state_dict(), told)


def load_chirp_network(path: Path | str) -> Trained:
    """Return the network of a weights file.

    Raises
    ------
    WeightsError
        The file is missing, truncated, of something else or of another architecture, or holds
        values that are not finite.
    """
    if not Path(path).is_file():
        raise WeightsError(
            f"{path}: there is no such file. Train a chirp network with `snakemake chirp_search`."
        )
    told, tensors = read_tensors(path, _FORMAT, "snakemake chirp_search")
    if told["network"] not in NETWORKS:
        raise WeightsError(
            f"{path}: a chirp network {told['network']!r}, expected one of "
            f"{', '.join(NETWORKS)}. Train it again."
        )
    look = told["look"]
    look = Look(**{**look, "detectors": tuple(look["detectors"]), "band": Band(**look["band"])})
    network = NETWORKS[told["network"]](len(look.detectors), look.samples, 0.0)
    fill(path, network, tensors)
    return Trained(network.eval(), told["network"], look)
