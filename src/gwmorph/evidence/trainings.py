"""Other trainings of a run's encoder: whether its clusters depend on the one that it has.

A network that is trained again, with another seed or on other signals, sees the same pictures in
another way. The sample's pictures are encoded with its weights, everything else being equal, and
the vectors clustered as the run's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gwmorph.config import EncoderConfig
from gwmorph.encoders.base import View
from gwmorph.encoders.registry import check_same_network, with_weights
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.run_pictures import Pictures
from gwmorph.tables.keys import row_keys

KEY = "validation.stability.trainings"
OWN = "the run's encoder"
_LIKE = {
    "indomain": "encoder.indomain.path",
    "dinov2": "encoder.weights.path",
    "autoencoder": "encoder.autoencoder.path",
}


@dataclass(frozen=True)
class SampledViews:
    """Some rows of a run's EMBEDDINGS and where their pictures are: see `shards.BlockOutputs`.

    ``tables`` are the shards that the rows are of.
    """

    view: View
    tables: tuple[Path, ...]
    rows: pa.Table
    pictures: Pictures

    def views(self) -> tuple[pa.Table, list[Path]]:
        """Return the rows without their vectors, and each row's picture."""
        keys = row_keys(self.rows)
        return self.rows.drop_columns("embedding"), [self.pictures.of(*key) for key in keys]


def check_training(config: EncoderConfig, path: str) -> None:
    """Raise unless ``path`` is weights of the network that ``config`` has, whole and of its sizes.

    Raises
    ------
    ConfigError
        The encoder has no weights, or its extra is not installed.
    WeightsError
        The weights are missing, damaged, or of another network.
    """
    other = with_weights(config, path)
    if not Path(path).exists():
        raise WeightsError(
            f"{KEY}: {path}: nothing is there. Name what `{_LIKE[config.name]}` could name, or "
            "take it out of the list."
        )
    try:
        check_same_network(config, other)
    except WeightsError as error:
        raise WeightsError(f"{KEY}, read as {_LIKE[config.name]}: {error}") from error


def require_distinct(weights: Iterable[tuple[str, str]]) -> None:
    """Raise unless all weights differ, since equal ones agree with themselves.

    ``weights`` are what to call each and its SHA-256, those of ``OWN`` first.

    Raises
    ------
    ConfigError
        Two are the same; the error names both.
    """
    named: dict[str, str] = {}
    for name, sha256 in weights:
        if sha256 in named:
            raise ConfigError(
                f"{KEY}: {name}: expected weights of another training, got those of "
                f"{named[sha256]} again (SHA-256 {sha256}): clusters would be compared with "
                "themselves. Train with another training.seed, or take it out of the list."
            )
        named[sha256] = name
