"""Files of trained chirp networks: weights, architecture, and what they look at."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from gwmorph.errors import WeightsError
from gwmorph.evidence.chirp_windows import Look
from gwmorph.learning.chirp_networks import NETWORKS, ChirpNetwork
from gwmorph.spectra.band import Band
from gwmorph.storage import write_bytes

_FORMAT = "gwmorph chirp network 1"
_ENTRY = "gwmorph"


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
    tensors = {n: t.contiguous() for n, t in trained.network.cpu().state_dict().items()}
    told = {
        "format": _FORMAT,
        "network": trained.name,
        "look": asdict(trained.look),
        **about,
    }
    # One entry, since safetensors writes several in any order.
    write_bytes(path, save(tensors, {_ENTRY: json.dumps(told, sort_keys=True)}))


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
    try:
        with safe_open(path, framework="pt") as held:
            told = json.loads((held.metadata() or {}).get(_ENTRY, "{}"))
            tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path}: not a whole file of weights ({error}).") from error
    if told.get("format") != _FORMAT or told.get("network") not in NETWORKS:
        raise WeightsError(
            f"{path}: expected a chirp network ({_FORMAT}), got {told.get('format')!r}."
        )
    if broken := [n for n, t in tensors.items() if not torch.isfinite(t.float()).all()]:
        raise WeightsError(f"{path}: {broken[0]} holds values that are not finite.")
    look = told["look"]
    look = Look(**{**look, "detectors": tuple(look["detectors"]), "band": Band(**look["band"])})
    network = NETWORKS[told["network"]](len(look.detectors), look.samples, 0.0)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f"{path}: weights of another architecture ({error}).") from error
    return Trained(network.eval(), told["network"], look)
