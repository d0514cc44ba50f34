"""What all sections of the configuration are made of."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

Detector = Literal["H1", "L1", "V1", "K1", "G1"]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
EncoderName = Literal["dct", "indomain", "dinov2", "autoencoder"]


def _require_distinct(values: Sequence[Any]) -> Sequence[Any]:
    repeated = [value for i, value in enumerate(values) if value in values[:i]]
    if repeated:
        raise ValueError(f"names {repeated[0]!r} twice")
    return values


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.items():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


# Marks a list in which every entry is made, read or counted on its own.
DISTINCT = AfterValidator(_require_distinct)


def key(default: Any, description: str, unit: str = "", **limits: Any) -> Any:
    """Return a key's field: default, meaning, unit, and limits that pydantic knows."""
    extra: JsonDict | None = {"unit": unit} if unit else None
    if isinstance(default, (list, dict)):
        return Field(
            default_factory=default.copy,
            description=description,
            json_schema_extra=extra,
            **limits,
        )
    return Field(default, description=description, json_schema_extra=extra, **limits)


class Section(BaseModel):
    """A section: unknown keys and numbers that are not finite are refused, also in lists.

    Defaults are checked, and values do not change.
    """

    model_config = ConfigDict(
        extra="forbid", validate_default=True, frozen=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_yes_or_no(cls, given: Any) -> Any:
        # No key is, and YAML's yes, no, on and off would pass for the numbers 1 and 0.
        for name, value in given.items() if isinstance(given, Mapping) else ():
            if any(isinstance(part, bool) for part in [value, *_listed(value)]):
                raise ValueError(f"{name}: a yes or no is no value of this key, got {value!r}")
        return given

    @model_validator(mode="before")
    @classmethod
    def _text_is_one_line(cls, given: Any) -> Any:
        # Texts stand in captions, logs and command lines, where a new line, or what a terminal
        # obeys, would begin something of its own.
        for name, value in given.items() if isinstance(given, Mapping) else ():
            for text in _texts(value):
                if _CONTROL.search(text):
                    raise ValueError(f"{name}: line breaks and control characters are no part of "
                                     f"a name, got {text!r}")  # fmt: skip
        return given
