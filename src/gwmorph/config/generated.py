"""What the models generate into a checkout: defaults, JSON Schema, table of keys.

A test fails when the files differ from the models.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gwmorph.config.parsing import Config, leaves
from gwmorph.errors import ConfigError
from gwmorph.storage import write_bytes

_KEYS_MARKER = "<!-- keys: generated from src/gwmorph/config/ by `gwmorph config --write` -->"


def default_yaml() -> str:
    """Return ``config/config.yaml``: every key with its default, meaning and unit."""
    head = [
        "# The default run: simulated strain, no network. Every key is here.",
        "# Generated from src/gwmorph/config/ by `gwmorph config --write`; do not edit by hand:",
        "# put your changes into a file of your own and pass it with --configfile.",
    ]
    return "\n".join([*head, *_yaml_lines(Config, Config().model_dump(), 0)]) + "\n"


def _yaml_lines(model: type[BaseModel], values: Mapping[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field in model.model_fields.items():
        if depth == 0:
            yield ""
        yield f"{indent}# {_comment(field)}"
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield f"{indent}{name}:"
            yield from _yaml_lines(nested, values[name], depth + 1)
        else:
            yield f"{indent}{name}: {json.dumps(values[name])}"


def _comment(field: FieldInfo) -> str:
    unit = unit_of(field)
    return f"{field.description}{f' [{unit}]' if unit else ''}"


def unit_of(field: FieldInfo) -> str:
    """Return the unit of a key, or an empty string where it has none."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration file."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **Config.model_json_schema()}


def key_table() -> str:
    """Return the Markdown table of all keys for ``config/README.md``."""
    rows = ["| key | default | unit | meaning |", "|---|---|---|---|"]
    defaults = Config().model_dump()
    for name, field in leaves(Config):
        value: Any = defaults
        for part in name.split("."):
            value = value[part]
        rows.append(
            f"| `{name}` | `{json.dumps(value)}` | {unit_of(field)} | "
            f"{field.description}{_choices(field)} |"
        )
    return "\n".join(rows) + "\n"


def write_generated_files(root: Path) -> None:
    """Write what the models generate into a checkout: defaults, JSON Schema, table of keys.

    Raises
    ------
    ConfigError
        ``root`` is no checkout of gwmorph.
    """
    readme = root / "config" / "README.md"
    if not readme.is_file():
        raise ConfigError(f"{readme}: no such file; start this in a checkout of gwmorph.")
    prose, marker, _ = readme.read_text(encoding="utf-8").partition(_KEYS_MARKER)
    files = {
        "config/config.yaml": default_yaml(),
        "workflow/schemas/config.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        "config/README.md": f"{prose}{marker}\n{key_table()}",
    }
    for name, text in files.items():
        write_bytes(root / name, text.encode())


def _choices(field: FieldInfo) -> str:
    kinds = [field.annotation]
    if get_origin(field.annotation) in (Union, UnionType, Annotated):
        kinds = list(get_args(field.annotation))
    for kind in kinds:
        if get_origin(kind) is Literal:
            return f" One of {', '.join(f'`{value}`' for value in get_args(kind))}."
    return ""
