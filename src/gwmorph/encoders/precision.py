"""Which runtime and precision ``auto`` means, decided once for a run.

This module is read with the workflow, so it imports little.
"""

from pathlib import Path
from typing import Any, Literal

from gwmorph.config import EncoderConfig
from gwmorph.errors import ConfigError
from gwmorph.storage import read_json

_BF16_FLAGS = {"avx512_bf16", "amx_bf16"}
_INT8_FLAGS = {"avx512_vnni", "avx_vnni", "amx_int8"}
_KEYS = {"runtime", "precision"}


def resolve_auto(config: EncoderConfig, cpuinfo: Path = Path("/proc/cpuinfo")) -> EncoderConfig:
    """Return the configuration with ``auto`` replaced by what this machine is best at.

    OpenVINO is twice as fast as PyTorch at equal vectors; bf16 is twice as fast again where the
    processor multiplies it (``avx512_bf16`` or ``amx_bf16`` among its flags) and slower than
    float32 elsewhere. Without it int8 is twice as fast as float32 where the processor adds
    products of bytes in 32 bits (``has_int8``). Encoders without weights have no such choice.
    """
    if config.name != "dinov2":
        return config
    runtime = "openvino" if config.runtime == "auto" else config.runtime
    precision = config.precision
    if precision == "auto":
        precision = _fastest_faithful(cpuinfo) if runtime == "openvino" else "float32"
    return config.model_copy(update={"runtime": runtime, "precision": precision})


def _fastest_faithful(cpuinfo: Path) -> Literal["bf16", "int8", "float32"]:
    if has_bf16(cpuinfo):
        return "bf16"
    return "int8" if has_int8(cpuinfo) else "float32"


def has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Return whether the processor says that it multiplies bf16 itself."""
    return bool(_BF16_FLAGS & _cpu_flags(cpuinfo))


def has_int8(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Return whether the processor says that it adds products of bytes in 32 bits (VNNI).

    An older one adds pairs of them in 16 bits, which overflow: vectors are far off, and with
    AVX2 alone float32 is faster.
    """
    return bool(_INT8_FLAGS & _cpu_flags(cpuinfo))


def lacks_int8(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Return whether the processor lists what it can, and not what `has_int8` asks for."""
    flags = _cpu_flags(cpuinfo)
    return bool(flags) and not _INT8_FLAGS & flags


def other_precision(
    precision: str, cpuinfo: Path = Path("/proc/cpuinfo")
) -> Literal["float32", "bf16", "int8"] | None:
    """Return other numbers that this processor computes with; None where float32 is all it has."""
    if precision != "float32":
        return "float32"
    fastest = _fastest_faithful(cpuinfo)
    return None if fastest == "float32" else fastest


def settle_auto(config: EncoderConfig, record: Path) -> EncoderConfig:
    """Resolve ``auto`` as it was resolved when ``record`` was made, or as this machine does.

    So a run keeps its precision whichever machine goes on with it. Asking for something else
    is resolved anew, as it is when the file was removed. What to record is `settlement`'s.

    Raises
    ------
    ConfigError
        The record cannot be read.
    """
    if config.name != "dinov2":
        return config
    stored = _stored(record)
    if stored.get("asked") == _asked(config):
        return config.model_copy(update=stored["resolved"])
    return resolve_auto(config)


def settlement(config: EncoderConfig, settled: EncoderConfig) -> dict[str, Any] | None:
    """Return what the record of `settle_auto` holds as JSON, or None where there was no choice."""
    if config.name != "dinov2":
        return None
    return {"asked": _asked(config), "resolved": settled.model_dump(include=_KEYS)}


def _asked(config: EncoderConfig) -> dict[str, Any]:
    return config.model_dump(include={"name"} | _KEYS)


def _stored(record: Path) -> dict:
    if not record.exists():
        return {}
    stored = read_json(record)
    if not isinstance(stored, dict) or not set(stored.get("resolved", ())) <= _KEYS:
        raise ConfigError(f"{record}: not a record of a precision. Remove it and run again.")
    return stored


def _cpu_flags(cpuinfo: Path) -> set[str]:
    """Return the processor's flags as Linux lists them; none where they are not listed."""
    if not cpuinfo.is_file():
        return set()
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
