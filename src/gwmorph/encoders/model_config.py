"""A model's config.json, as the model hub has it: numbers and names, and never code."""

from pathlib import Path
from typing import Any

from gwmorph.errors import WeightsError
from gwmorph.storage import parse_json

# With these transformers would import a Python file beside the weights, or compiled code of the
# hub: an attention of another name than its own is one of the hub's kernels.
_CODE = "auto_map"
_OWN_ATTENTION = (None, "eager", "sdpa")


def read_model_config(path: Path) -> dict[str, Any]:
    """Return what a config.json says.

    Raises
    ------
    WeightsError
        It cannot be read, is no JSON object, or names code to be run.
    """
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: not a model's configuration ({error}).") from error
    if not isinstance(found, dict):
        raise WeightsError(
            f"{path}: not a model's configuration (expected an object, got "
            f"{type(found).__name__})."
        )
    named = [
        key
        for key, value in found.items()
        if key == _CODE or (key.endswith("_implementation") and value not in _OWN_ATTENTION)
    ]
    if named:
        raise WeightsError(
            f"{path}: {', '.join(sorted(named))} names code that would be run, which is refused. "
            "Take it out if the network is one of those that are known here."
        )
    return found
