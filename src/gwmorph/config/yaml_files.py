"""YAML files, read strictly: where YAML lets the last of two equal keys win, both are refused."""

from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from gwmorph.errors import ConfigError

# Far deeper than any configuration; PyYAML takes as long as the square of it.
_DEEPEST = 100


class _StrictLoader(yaml.SafeLoader):
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self._depth == _DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"what begins here is nested more than {_DEEPEST} deep",
                problem_mark=self.peek_event().start_mark,
            )
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

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


# A configuration has some hundred values; with aliases a short text can stand for any number.
_MOST_VALUES = 100_000


def _require_finite(node: yaml.Node | None) -> None:
    """Refuse what contains itself, or stands for very many values, by its aliases."""
    sizes: dict[int, int] = {}
    open_ones: set[int] = set()

    def size(one: yaml.Node) -> int:
        if not isinstance(one, yaml.CollectionNode):
            return 1
        if id(one) in open_ones:
            raise yaml.MarkedYAMLError(
                problem="what begins here contains itself", problem_mark=one.start_mark
            )
        if id(one) not in sizes:
            open_ones.add(id(one))
            parts = (
                chain.from_iterable(one.value) if isinstance(one, yaml.MappingNode) else one.value
            )
            sizes[id(one)] = 1 + sum(map(size, parts))
            open_ones.discard(id(one))
        if sizes[id(one)] > _MOST_VALUES:
            raise yaml.MarkedYAMLError(
                problem=f"what begins here stands for more than {_MOST_VALUES:,} values",
                problem_mark=one.start_mark,
            )
        return sizes[id(one)]

    if node is not None:
        size(node)


def load_yaml(path: Path | str) -> dict[str, Any]:
    """Read a YAML file into nested mappings.

    Raises
    ------
    ConfigError
        The file is missing, is not YAML (the error names the line), has a key twice in one
        mapping, or is not a mapping.
    """
    try:
        content = _content(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error}).") from error
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{path}{_place(error)}: is not valid YAML: {error.problem}.") from error
    # A byte that is no UTF-8, a date that is none, a mapping as a key, a sign that is no number.
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ConfigError(f"{path}: is not valid YAML: {error}.") from error
    if not isinstance(content, dict):
        got = "nothing" if content is None else type(content).__name__
        raise ConfigError(f"{path}: expected sections with keys and values, got {got}.")
    return content


def _content(text: str) -> Any:
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
        _require_finite(node)
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
