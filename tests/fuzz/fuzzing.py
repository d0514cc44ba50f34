"""What fuzzing a reader of outside bytes means: an input is refused, or proven right.

A reader may refuse a file by one of its own errors, which names the file. What it accepts must be
right, which its ``prove`` shows by another way than the reading: written again it is read as the
same, or its schema holds. Anything else is a finding.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from gwmorph.errors import GwmorphError

READERS: dict[str, "Reader"] = {}
Content = st.SearchStrategy[bytes]


class NotRightError(AssertionError):
    """A file was accepted whose content is not right, or was refused without being named."""


@dataclass(frozen=True)
class Reader:
    """One reader of outside bytes.

    Attributes
    ----------
    name : of the reader, as tables of results have it.
    suffix : of the file that it reads.
    reads : what it reads, for people.
    seeds : return good inputs; they must be accepted.
    read : read a file.
    prove : raise NotRightError, or fail in any way, where what was read is not right.
    odd : inputs that are whole as files of their kind, and odd inside.
    errors : by which the reader may refuse a file.
    in_c : whether the bytes meet a parser in C, which may take the process with it.
    """

    name: str
    suffix: str
    reads: str
    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], Any]
    prove: Callable[[Path, Any], None]
    odd: Content
    errors: tuple[type[Exception], ...] = (GwmorphError,)
    in_c: bool = False
    dictionary: tuple[str, ...] = field(default=())

    @property
    def file_name(self) -> str:
        """Name under which inputs are read; errors must say it."""
        return f"outside{self.suffix}"


def register(reader: Reader) -> None:
    """Add a reader to ``READERS``."""
    READERS[reader.name] = reader


def tried(reader: Reader, folder: Path, content: bytes) -> str:
    """Read one input; return "accepted", or the name of the error by which it is refused.

    Whatever else is raised is a finding.
    """
    path = folder / reader.file_name
    path.write_bytes(content)
    try:
        found = reader.read(path)
    except reader.errors as error:
        require(reader.file_name in str(error), f"does not name the file: {error}")
        return type(error).__name__
    reader.prove(path, found)
    return "accepted"


def require(holds: object, what: str) -> None:
    """Raise NotRightError unless something holds."""
    if not holds:
        raise NotRightError(what)


def same(first: Any, second: Any, what: str) -> None:
    """Raise NotRightError unless two values are equal."""
    require(first == second, f"{what}: {first!r} and {second!r}")


# -- odd content ------------------------------------------------------------------------------

ODD_NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([2**31, 2**31 - 1, 2**63, -(2**63), 10**400, 1e300, 0.5, -0.0]),
    st.integers(),
    st.floats(),
)
ODD_TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "H1", "nan", "inf", "1e400", "1_0", "٣", "../x", "\x00", "a\nb", "é"]
    ),
    st.text(max_size=12),
)
ODD_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), ODD_NUMBERS, ODD_TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(ODD_TEXTS, inner, max_size=4)
    ),
    max_leaves=8,
)


def odd_copy(good: Any) -> st.SearchStrategy[Any]:
    """Return copies of a JSON value in which a part is gone, repeated or something else."""

    @st.composite
    def changed(draw: Any) -> Any:
        return _changed(draw, good, depth=0)

    return changed()


def _changed(draw: Any, value: Any, depth: int) -> Any:  # noqa: PLR0911
    if isinstance(value, Mapping) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        what = draw(st.integers(0, 7))
        if what == 0:
            return {name: part for name, part in value.items() if name != key}
        if what == 1:
            return {**value, draw(ODD_TEXTS): draw(ODD_VALUES)}
        return {**value, key: _changed(draw, value[key], depth + 1)}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(value) - 1))
        what = draw(st.integers(0, 7))
        if what == 0:
            return value[:place] + value[place + 1 :]
        if what == 1:
            return [*value, value[place]]
        return [*value[:place], _changed(draw, value[place], depth + 1), *value[place + 1 :]]
    if isinstance(value, str) and value and not draw(st.integers(0, 3)):
        place = draw(st.integers(0, len(value) - 1))
        return value[:place] + draw(ODD_TEXTS) + value[place + 1 :]
    return draw(ODD_VALUES)
