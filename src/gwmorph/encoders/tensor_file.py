"""Safetensors files of networks: tensors, and one entry of JSON that says what they are."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from gwmorph.errors import WeightsError
from gwmorph.storage import parse_json, write_bytes

ENTRY = "gwmorph"


def write_tensors(
    path: Path | str, tensors: Mapping[str, Tensor], told: Mapping[str, Any]
) -> None:
    """Write tensors, with ``told`` (JSON) as metadata. Equal tensors give equal bytes.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # One entry, since safetensors writes several in any order.
    write_bytes(path, save(plain, {ENTRY: json.dumps(told, sort_keys=True)}))


def read_tensors(
    path: Path | str, format_name: str, writer: str
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what a file tells of itself, and its tensors, as `write_tensors` was given them.

    Parameters
    ----------
    format_name
        What it must call its ``format``, so that no file is taken for another kind's.
    writer
        What writes such files, as errors name it.

    Raises
    ------
    WeightsError
        The file is missing, truncated, pickled, or of another format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            told = parse_json((file.metadata() or {}).get(ENTRY, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise WeightsError(
            f"{path}: cannot be read ({error}). Let it be read, or name another that `{writer}` "
            "wrote."
        ) from error
    # A header may say more than there is, and of types that torch has not.
    except (SafetensorError, ValueError, TypeError, LookupError, RuntimeError) as error:
        raise WeightsError(
            f"{path}: not a whole safetensors file ({error}). It is truncated, or a pickle under "
            "another name, which is refused. Copy or train it again."
        ) from error
    got = told.get("format") if isinstance(told, dict) else told
    if got != format_name:
        raise WeightsError(
            f"{path}: expected weights of format {format_name!r}, got {got!r:.80}. "
            f"This is another model's file: name one that `{writer}` wrote."
        )
    return told, tensors


def fill(path: Path | str, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a network the tensors of a file.

    Raises
    ------
    WeightsError
        They are another architecture's, or hold values that are not finite.
    """
    if wrong := unlike(network.state_dict(), tensors):
        raise WeightsError(
            f"{path}: another architecture: {len(wrong)} tensors are missing, unexpected or of "
            f"another shape than its metadata says ({', '.join(wrong[:3])}). Train it again."
        )
    require_finite(path, tensors.items())
    network.load_state_dict(dict(tensors), strict=False)


def unlike(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """Return the sorted names of what one side alone has, or in another shape.

    Whole numbers are the counters of batch norms, which older files lack and which say nothing of
    the network.
    """
    shapes, others = (
        {name: tensor.shape for name, tensor in tensors.items() if tensor.is_floating_point()}
        for tensors in (own, given)
    )
    names = shapes.keys() | others.keys()
    return sorted(name for name in names if shapes.get(name) != others.get(name))


def require_finite(path: Path | str, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Raise WeightsError if one of the named tensors of a file holds NaN or an infinity."""
    for name, tensor in tensors:
        if not torch.isfinite(tensor).all():
            raise WeightsError(
                f"{path}: tensor {name} holds values that are not finite. The file is damaged: "
                "copy it or make it again."
            )
