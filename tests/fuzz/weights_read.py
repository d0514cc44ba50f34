"""Readers of networks' weights, and of what a model's folder says of it."""

import json
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from fuzzing import ODD_VALUES, Reader, odd_copy, register, require
from gwmorph.config import WeightsConfig
from gwmorph.encoders.autoencoder import load_autoencoder, write_autoencoder
from gwmorph.encoders.autoencoder_network import Autoencoder, AutoencoderArchitecture
from gwmorph.encoders.weights import obtain_weights
from gwmorph.errors import WeightsError

_SMALL = AutoencoderArchitecture("crops", (1, 1, 1, 1, 1, 1, 1, 24), (1, 1, 1))


@lru_cache
def _weights() -> bytes:
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        write_autoencoder(path, Autoencoder(_SMALL), {"training": {"classes": ["blip"]}})
        return path.read_bytes()


def _network_proven(path: Path, found: Autoencoder) -> None:
    require(all(torch.isfinite(t).all() for t in found.state_dict().values()), "not finite")
    write_autoencoder(path, found, {})
    again = load_autoencoder(path).state_dict()
    for name, tensor in found.state_dict().items():
        require(torch.equal(again[name], tensor), f"{name}: written again, it is another")


def _split(content: bytes) -> tuple[Any, bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _joined(header: Any, data: bytes) -> bytes:
    head = json.dumps(header).encode(errors="replace")
    return len(head).to_bytes(8, "little") + head + data


@st.composite
def _odd_weights(draw: Any) -> bytes:
    header, data = _split(_weights())
    if draw(st.booleans()):
        told = json.loads(header["__metadata__"]["gwmorph"])
        told = draw(st.one_of(odd_copy(told), ODD_VALUES))
        return _joined({**header, "__metadata__": {"gwmorph": json.dumps(told)}}, data)
    if draw(st.booleans()):
        return _joined(draw(odd_copy(header)), data)
    place = draw(st.integers(0, len(data) - 4))
    return _joined(
        header, data[:place] + draw(st.binary(min_size=4, max_size=4)) + data[place + 4 :]
    )


register(
    Reader(
        "weights",
        ".safetensors",
        "networks' weights",
        lambda: [_weights()],
        load_autoencoder,
        _network_proven,
        _odd_weights(),
        (WeightsError,),
        in_c=True,
    )
)


def _read_folder(path: Path) -> Any:
    folder = path.parent / "model"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(path, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    try:
        return obtain_weights(WeightsConfig(path=str(folder)))
    except WeightsError as error:
        require("model.safetensors" in str(error), f"does not name the file: {error}")
        raise WeightsError(f"{path}: {error}") from error


def _folder_proven(path: Path, found: Any) -> None:
    from safetensors.numpy import load

    held = load(path.read_bytes())
    require(all(isinstance(value, np.ndarray) for value in held.values()), "no tensors")


register(
    Reader(
        "hub_weights",
        ".safetensors",
        "weights from a model hub",
        lambda: [_weights()],
        _read_folder,
        _folder_proven,
        _odd_weights(),
        (WeightsError,),
        in_c=True,
    )
)
