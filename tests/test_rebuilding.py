"""Dataclasses from plain values."""

from dataclasses import asdict, dataclass

import pytest

from gwmorph.rebuilding import STRICT, rebuilt


@dataclass(frozen=True)
class Span:
    __pydantic_config__ = STRICT

    start: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    __pydantic_config__ = STRICT

    span: Span
    share: float | None


def test_what_was_plain_is_as_it_was():
    one = Outer(Span(3, ("a", "b")), 0.5)
    assert rebuilt(Outer, asdict(one)) == one


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"span": {"start": 1.5}}, r"span\.start: "),
        ({"span": {"start": True}}, r"span\.start: "),
        ({"span": {"start": "1"}}, r"span\.start: "),
        ({"span": {}}, r"span\.start: "),
        ({"span": {"start": 1, "names": "ab"}}, r"span\.names: "),
        ({"span": {"start": 1, "more": 2}}, r"span\.more: "),
        ({"more": 1}, "more: "),
    ],
)
def test_a_field_that_is_something_else_is_named(change, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        rebuilt(Outer, {"span": {"start": 1}, "share": None, **change})


@pytest.mark.parametrize("content", [None, [], "span", 3])
def test_what_has_no_fields_is_refused(content):
    with pytest.raises(ValueError, match=r"^Outer: "):
        rebuilt(Outer, content)
