"""File names as the field writes them: ``<IFO>-GWMORPH_<WHAT>-<GPS>-<DUR>.<ext>``."""

import re
from dataclasses import dataclass

_SPAN = re.compile(
    r"(?P<detector>[A-Z]\d)-GWMORPH_(?P<what>[A-Z0-9_]+)-(?P<gps>\d+)-(?P<duration>\d+)"
    r"(?:\.(?P<extension>\w+))?"
)


@dataclass(frozen=True)
class SpanName:
    """The parts of a file name that covers a span of time; ``gps_start``, ``duration`` in s."""

    detector: str
    what: str
    gps_start: int
    duration: int
    extension: str


def span_name(detector: str, what: str, gps: int, duration: int, extension: str = "") -> str:
    """Return ``H1-GWMORPH_LEDGER-1262301184-4096.parquet`` and the like.

    ``gps`` and ``duration`` are whole seconds; without ``extension`` the name is a folder's.

    Raises
    ------
    ValueError
        A part does not fit the convention, so that the name could not be read back.
    """
    name = f"{detector}-GWMORPH_{what}-{gps}-{duration}{f'.{extension}' if extension else ''}"
    parse_span_name(name)
    return name


def window_name(detector: str, gps_start: int, duration: int) -> str:
    """Return ``H1-GWMORPH_WINDOW-1262301184-32.png``, the name of a window's picture.

    Raises
    ------
    ValueError
        As `span_name`.
    """
    return span_name(detector, "WINDOW", gps_start, duration, "png")


def event_name(detector: str, time: float) -> str:
    """Return ``H1-GWMORPH_EVENT-1262301190.421875000-4.png``, the name of an event view.

    ``time`` is the trigger's GPS time in seconds, which is the view's centre and, with the
    detector, its key; it is written to the nanosecond. 4 s is the view's longest crop.
    """
    return f"{detector}-GWMORPH_EVENT-{time:.9f}-4.png"


def parse_span_name(name: str) -> SpanName:
    """Return the parts of a name made by `span_name`.

    Raises
    ------
    ValueError
        The name does not follow the convention.
    """
    match = _SPAN.fullmatch(name)
    if match is None:
        raise ValueError(
            f"{name!r} is not named <IFO>-GWMORPH_<WHAT>-<GPS>-<DUR>.<ext>, "
            "for example H1-GWMORPH_LEDGER-1262301184-4096.parquet"
        )
    return SpanName(
        match["detector"],
        match["what"],
        int(match["gps"]),
        int(match["duration"]),
        match["extension"] or "",
    )
