from pathlib import Path

import pytest

from gwmorph.config import EncoderConfig
from gwmorph.encoders.precision import (
    has_int8,
    lacks_int8,
    other_precision,
    resolve_auto,
    settle_auto,
    settlement,
)
from gwmorph.errors import GwmorphError
from gwmorph.storage import write_json


def _config(**keys: str) -> EncoderConfig:
    return EncoderConfig(name="dinov2", weights={"path": "."}, **keys)  # type: ignore[arg-type]


def _cpu(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: fpu {flags} sse\n\nprocessor\t: 1\n")
    return path


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("avx512_bf16", "bf16"),
        ("amx_bf16 avx2", "bf16"),
        ("avx512_vnni avx512_bf16", "bf16"),
        ("avx2 avx_vnni", "int8"),
        ("avx512f avx512_vnni", "int8"),
        ("avx2 avx512f", "float32"),
        ("avx512_vbmi2 avx512_vp2intersect", "float32"),
    ],
)
def test_auto_follows_the_processor(tmp_path: Path, flags: str, precision: str) -> None:
    found = resolve_auto(_config(), _cpu(tmp_path, flags))
    assert (found.runtime, found.precision) == ("openvino", precision)


@pytest.mark.parametrize(
    ("flags", "has", "lacks"), [("avx2 avx_vnni", True, False), ("avx2 avx512f", False, True)]
)
def test_int8_needs_vnni(tmp_path: Path, flags: str, has: bool, lacks: bool) -> None:
    cpu = _cpu(tmp_path, flags)
    assert (has_int8(cpu), lacks_int8(cpu)) == (has, lacks)


@pytest.mark.parametrize(
    ("flags", "precision", "other"),
    [
        ("avx512_bf16 avx512_vnni", "float32", "bf16"),
        ("avx512_bf16 avx512_vnni", "bf16", "float32"),
        ("avx2 avx_vnni", "float32", "int8"),
        ("avx2 avx_vnni", "int8", "float32"),
        ("avx2", "float32", None),
    ],
)
def test_another_precision_is_one_that_the_processor_has(tmp_path, flags, precision, other):
    assert other_precision(precision, _cpu(tmp_path, flags)) == other


def test_a_processor_that_lists_nothing_is_not_said_to_lack_int8(tmp_path: Path) -> None:
    assert not has_int8(tmp_path / "none")
    assert not lacks_int8(tmp_path / "none")


def test_where_flags_are_not_listed_auto_is_float32(tmp_path: Path) -> None:
    assert resolve_auto(_config(), tmp_path / "none").precision == "float32"


def test_what_is_asked_for_stays(tmp_path: Path) -> None:
    cpu = _cpu(tmp_path, "avx512_bf16")
    assert resolve_auto(_config(precision="int8"), cpu).precision == "int8"
    reference = resolve_auto(_config(runtime="pytorch"), cpu)
    assert (reference.runtime, reference.precision) == ("pytorch", "float32")
    assert resolve_auto(EncoderConfig(), cpu) == EncoderConfig()


def test_a_run_keeps_what_was_settled(tmp_path: Path) -> None:
    record = tmp_path / "plan" / "encoder.json"
    first = settle_auto(_config(), record)
    assert first == resolve_auto(_config())
    assert not record.parent.exists()
    stored = settlement(_config(), first)
    # As if another machine had made the plan.
    other = "float32" if first.precision == "bf16" else "bf16"
    stored["resolved"]["precision"] = other
    write_json(record, stored)
    assert settle_auto(_config(), record).precision == other
    assert settle_auto(_config(precision="int8"), record).precision == "int8"
    assert settlement(EncoderConfig(), EncoderConfig()) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"resolved": {"name": "dct"}}'])
def test_a_record_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    record = tmp_path / "encoder.json"
    record.write_text(content)
    with pytest.raises(GwmorphError, match=r"encoder\.json: .*not .*Remove it"):
        settle_auto(_config(), record)
