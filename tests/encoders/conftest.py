"""A random model in the hub's format."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of a ViT-S/14 with registers with random weights: true in form, useless in fact."""
    # Takes seconds, and most tests here need no model.
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.Dinov2WithRegistersConfig(
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=6,
        patch_size=14,
        image_size=518,
        num_register_tokens=4,
    )
    folder = tmp_path_factory.mktemp("random_model")
    transformers.Dinov2WithRegistersModel(config).save_pretrained(folder)
    yield folder
    (folder / "model.safetensors").unlink()
