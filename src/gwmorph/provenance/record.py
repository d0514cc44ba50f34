"""Writing a run's record: its crate, the lists of its files, its words and its code."""

import shutil
from pathlib import Path

from gwmorph.provenance.crate import write_crate
from gwmorph.provenance.facts import Facts, Product
from gwmorph.provenance.hashes import HashedFile, files_below, hash_files, lines_hash, write_hashes
from gwmorph.provenance.names import (
    CODE,
    COMMANDS,
    FACTS,
    INPUTS,
    MEANINGS,
    METADATA,
    OUTPUTS,
    OWN,
    PAGE,
    SOURCES,
    WORDS,
)
from gwmorph.provenance.page import record_page
from gwmorph.provenance.references import bibliography
from gwmorph.provenance.words import methods_page
from gwmorph.storage import write_bytes, write_json

# What of a checkout a run is made by, beside the package.
_CODE = (
    "Snakefile", "LICENSE", "CITATION.cff", "pyproject.toml", "README.md", "Makefile",
    "workflow", "scripts", "config", "envs", "locks", "profiles",
)  # fmt: skip
_NO_CODE = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", ".*")


def copy_code(checkout: Path, package: Path, folder: Path) -> None:
    """Copy the workflow and the package that made a run into its record, laid out as a checkout.

    A checkout with changes that no commit has is then kept, too.

    Raises
    ------
    OSError
        Something cannot be read or written.
    """
    for name in _CODE:
        source = checkout / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=_NO_CODE)
        elif source.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / name)
    shutil.copytree(package, folder / "src" / package.name, ignore=_NO_CODE)


def write_record(folder: Path, facts: Facts, hashed: list[HashedFile]) -> None:
    """Write all of a run's record but its code, which `copy_code` has brought there.

    Raises
    ------
    StorageError
        A file cannot be written.
    """
    write_hashes(folder / OUTPUTS, hashed)
    # One file may hold several detectors' strain.
    write_hashes(folder / INPUTS, {one.file.path: one.file for one in facts.inputs}.values())
    write_json(folder / FACTS, facts.to_json())
    rows = [f"{one.path}\t{one.sha256}\t{one.command}\n" for one in facts.products]
    write_bytes(folder / COMMANDS, "".join(["path\tsha256\tcommand\n", *rows]).encode())
    write_bytes(folder / WORDS, methods_page(facts).encode())
    write_bytes(folder / SOURCES, bibliography(facts).encode())
    write_bytes(folder / PAGE, record_page(facts).encode())
    kept = {meaning: _product(folder, name) for name, meaning in MEANINGS.items()}
    kept["The workflow, its scripts, its package and its locks"] = _code(folder)
    words = (
        f"What run {facts.run} of gwmorph read and made, with the code and the configuration that "
        "it was made with. `gwmorph verify` on this folder hashes all of it once more."
    )
    write_crate(folder / METADATA, facts, kept, words)
    own = files_below(folder, [METADATA, CODE, *MEANINGS])
    write_hashes(folder / OWN, hash_files(folder, own))


def _product(folder: Path, name: str) -> Product:
    file = hash_files(folder, [name])[0]
    return Product(name, file.sha256, file.size, 1, False, "")


def _code(folder: Path) -> Product:
    files = hash_files(folder, files_below(folder, [CODE]))
    return Product(CODE, lines_hash(files), sum(file.size for file in files), len(files), True, "")
