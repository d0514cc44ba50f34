"""What all sections of the configuration are made of."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

Detector = Literal["H1", "L1", "V1", "K1", "G1"]
EncoderName = Literal["dct", "indomain", "dinov2"]


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
    """A section: unknown keys are refused, defaults are checked, values do not change."""

    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True)
