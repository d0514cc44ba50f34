"""Where a table comes from, as metadata that the table carries."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gwmorph.seals import require_seal
from gwmorph.storage import content_hash, sha256_of_file


def lineage(parameters: Mapping[str, Any], input_hashes: Iterable[str]) -> dict[str, str]:
    """Return table metadata: hashes of a stage's configuration keys and of its inputs.

    ``parameters`` holds what JSON can hold; ``input_hashes`` are SHA-256 of the input files, in
    the order in which they were read.
    """
    return {
        "gwmorph.config_hash": content_hash(dict(parameters)),
        "gwmorph.inputs_hash": content_hash(list(input_hashes)),
    }


def hashes_of(paths: Iterable[Path | str]) -> list[str]:
    """Return the SHA-256 of each file.

    Raises
    ------
    StorageError
        A file cannot be read.
    TableError
        A table was altered since it was written.
    """
    return [_hash_of(path) for path in paths]


def _hash_of(path: Path | str) -> str:
    digest = sha256_of_file(path)
    require_seal(path)
    return digest
