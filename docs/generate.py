"""Pages of the documentation that are made of code and of pages that lie elsewhere.

`python docs/generate.py` writes them into `docs/generated/`, which git ignores; `docs/conf.py`
does so before each build. What they are made of stays the one place where it is said.
"""

import argparse
import importlib
import os
import pkgutil
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import pyarrow as pa

import gwmorph
from gwmorph import cli, tables

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "generated"
# Pages that lie beside what they describe, and their names here.
ELSEWHERE = {
    "config/README.md": "configuration.md",
    "benchmarks/README.md": "benchmarks.md",
    "src/gwmorph/encoders/indomain.md": "model-card.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
# Files that generated pages are made of; who links to one of them is led to its page.
MADE_OF = {
    "src/gwmorph/__init__.py": "api.md",
    "src/gwmorph/tables/__init__.py": "tables.md",
    "src/gwmorph/cli.py": "command-line.md",
}
PAGE_OF = ELSEWHERE | MADE_OF
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
# What has a page of its own: keys in the configuration, columns in the tables.
UNLISTED = ("config", "tables")
# As wide as the page shows it without a bar to scroll with.
_HELP_COLUMNS = 88
# The wings of the library, in the order in which they may import each other.
WINGS = {
    "spectra": "From strain to pictures and triggers",
    "simulation": "Simulated detectors",
    "strain": "Where samples come from",
    "encoders": "From pictures to vectors",
    "morphology": "Clusters, similarity, status",
    "evidence": "What is tested, and how",
    "learning": "Training an encoder",
    "scanner": "New data as they come",
    "report": "Figures and pages",
}


def write_pages() -> None:
    """Write every generated page whose text has changed."""
    for name, text in pages():
        path = ROOT / "docs" / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """Yield name and text of each generated page."""
    for source, name in ELSEWHERE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        yield name, with_links_from(text, posixpath.dirname(source))
    yield "tables.md", table_schemas()
    yield "command-line.md", command_line()
    yield "api.md", api_index()
    yield "api-ground.md", api_page("The ground floor", modules(gwmorph, deep=False))
    for wing, what in WINGS.items():
        yield f"api-{wing}.md", api_page(what, modules(importlib.import_module(f"gwmorph.{wing}")))


def with_links_from(text: str, folder: str) -> str:
    """Return a page of ``folder`` with its links as they are from the generated pages."""

    def moved(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, found[1]))
        return f"]({_seen_from_docs(target, posixpath.join('docs', FOLDER))}{found[2] or ''})"

    return LINK.sub(moved, text)


def with_links_to_generated(text: str, folder: str) -> str:
    """Return a page in ``folder`` with links to pages elsewhere led to those generated of them."""

    def led(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, found[1]))
        if target not in PAGE_OF:
            return found[0]
        return f"]({_seen_from_docs(target, folder)}{found[2] or ''})"

    return LINK.sub(led, text)


def _seen_from_docs(target: str, folder: str) -> str:
    if target in PAGE_OF:
        return f"/{FOLDER}/{PAGE_OF[target]}"
    if target.startswith("docs/"):
        return f"/{target.removeprefix('docs/')}"
    return posixpath.relpath(target, folder)


def table_schemas() -> str:
    """Return the page of all declared tables: each column with type, unit and meaning."""
    lines = [
        "# Tables",
        "",
        "Every table is Parquet with a declared schema; the same units and meanings are in each "
        "file's own metadata. Null is allowed where the type says so. Where each lies: "
        "[what comes out](/outputs.md).",
        "",
    ]
    for module in modules(tables):
        declared = {
            value.metadata[b"gwmorph.schema"].decode(): value
            for value in vars(module).values()
            if isinstance(value, pa.Schema)
        }
        if declared:
            lines += [f"## {_one_line(module)}", ""]
        for name, schema in declared.items():
            lines += [
                f"### `{name}`",
                "",
                "| column | type | unit | meaning |",
                "|---|---|---|---|",
            ]
            lines += [_column(column) for column in schema] + [""]
    return "\n".join(lines)


def _column(column: pa.Field) -> str:
    said = {key.decode(): value.decode() for key, value in (column.metadata or {}).items()}
    kind = str(column.type).replace("element: ", "").replace("item: ", "").replace(" not null", "")
    null = " or null" if column.nullable else ""
    cells = [f"`{column.name}`", f"{kind}{null}", said.get("unit", ""), said.get("meaning", "")]
    # A bar would end the cell, and brackets of a type are no markup.
    escaped = (re.sub(r"([|<>*])", r"\\\1", cell) for cell in cells)
    return f"| {' | '.join(escaped)} |"


def command_line() -> str:
    """Return the page of the command `gwmorph`, as each command's own help has it."""
    with patch.dict(os.environ, COLUMNS=str(_HELP_COLUMNS)):
        return _command_line(cli._parser())


def _command_line(parser: argparse.ArgumentParser) -> str:
    (commands,) = (
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    )
    lines = ["# Command line", "", "```text", parser.format_help().rstrip(), "```", ""]
    for name, command in commands.choices.items():
        lines += [f"## `gwmorph {name}`", "", "```text", command.format_help().rstrip(), "```", ""]
    return "\n".join(lines)


def api_index() -> str:
    """Return the page from which every wing's page is reached."""
    names = ["api-ground", *(f"api-{wing}" for wing in WINGS)]
    return "\n".join(
        [
            "# Library",
            "",
            "`src/gwmorph/` knows nothing of Snakemake and takes arguments, no configuration "
            "file: all of it can be used from a notebook. Shapes, dtypes and units are in the "
            "docstrings. A wing imports only from those before it in this list.",
            "",
            "```{toctree}",
            ":maxdepth: 1",
            "",
            *names,
            "```",
            "",
        ]
    )


def api_page(what: str, listed: list[ModuleType]) -> str:
    """Return the page of a wing: every public function and class of its modules."""
    lines = [f"# {what}", ""]
    for module in listed:
        lines += [
            f"## {module.__name__}",
            "",
            "```{eval-rst}",
            f".. automodule:: {module.__name__}",
            "   :members:",
            "```",
            "",
        ]
    return "\n".join(lines)


def modules(package: ModuleType, deep: bool = True) -> list[ModuleType]:
    """Return the package's modules, of its own folder alone or of those below as well."""
    found = []
    for entry in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if entry.ispkg:
            folder = importlib.import_module(entry.name)
            short = entry.name.rpartition(".")[2]
            ground = short not in WINGS and short not in UNLISTED
            found += modules(folder) if deep or ground else []
        else:
            found.append(importlib.import_module(entry.name))
    return found


def _one_line(module: ModuleType) -> str:
    return (module.__doc__ or module.__name__).partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    write_pages()
