"""YAML files, read strictly: where YAML lets the last of two equal keys win, both are refused."""

from pathlib import Path
from typing import Any

import yaml

from gwmorph.errors import ConfigError


class _StrictLoader(yaml.SafeLoader):
    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[tuple[str, str], yaml.Node] = {}
        for name, _ in node.value:
            if not isinstance(name, yaml.ScalarNode):
                continue
            earlier = first.setdefault((name.tag, name.value), name)
            if earlier is not name:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {name.value!r} stands in line "
                    f"{earlier.start_mark.line + 1} already; join the two",
                    problem_mark=name.start_mark,
                )
        return node


def load_yaml(path: Path | str) -> dict[str, Any]:
    """Read a YAML file into nested mappings.

    Raises
    ------
    ConfigError
        The file is missing, is not YAML (the error names the line), has a key twice in one
        mapping, or is not a mapping.
    """
    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8"), _StrictLoader)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error}).") from error
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{path}{_place(error)}: is not valid YAML: {error.problem}.") from error
    except (yaml.YAMLError, ValueError) as error:  # a byte that is no UTF-8, a date that is none
        raise ConfigError(f"{path}: is not valid YAML: {error}.") from error
    if not isinstance(content, dict):
        got = "nothing" if content is None else type(content).__name__
        raise ConfigError(f"{path}: expected sections with keys and values, got {got}.")
    return content


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
