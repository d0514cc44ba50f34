"""Dataclasses from plain values (JSON), with every field looked at: its name, and its type."""

import json
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, TypeVar, cast

Kind = TypeVar("Kind")
# What a dataclass that is rebuilt has as ``__pydantic_config__``, else unknown fields pass.
STRICT = {"extra": "forbid", "strict": True, "allow_inf_nan": False}


def rebuilt(kind: type[Kind], content: Any) -> Kind:
    """Return a dataclass from plain values of its fields; lists become tuples where it says so.

    Raises
    ------
    ValueError
        A field is missing, unknown or of another type; the error names it.
    """
    from pydantic import ValidationError  # here: who only writes needs none of it

    try:
        return _adapter(cast("Hashable", kind)).validate_json(json.dumps(content))
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or kind.__name__
        raise ValueError(f"{place}: {fault['msg']}") from error


@lru_cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
