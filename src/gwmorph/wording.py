"""Numbers in words."""

import math
from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """Return ``1 window``, ``2 windows``, ``1,000 windows``: for nouns whose plural takes an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def cluster_label(number: int, supported: bool, outside_umap: bool) -> str:
    """Return ``3``, ``3?`` of a cluster that is unsupported, ``3*`` of one in UMAP alone."""
    return f"{number}{'' if supported else '?'}{'' if outside_umap else '*'}"


def spoken(seconds: float) -> str:
    """Return a span of time as one says it: ``8 s``, ``12 min``, ``3.4 h``, ``5 days``."""
    for longest, unit, noun in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if abs(seconds) < longest:
            value = seconds / unit
            return f"{value:.0f} {noun}" if abs(value) >= 10 else f"{value:.2g} {noun}"
    return counted(round(seconds / 86400), "day")


def number(value: float | None, form: str, none: str = "") -> str:
    """Return a value by a format such as ``.3f``; ``none`` where there is no finite one."""
    return none if value is None or not math.isfinite(value) else format(value, form)


def hourly(number: int, livetime_s: float) -> str:
    """Return ``60.3 an hour``, to three digits; there is no rate without livetime."""
    if not livetime_s:
        return "no livetime"
    rate = 3600 * number / livetime_s
    return f"{rate:,.0f} an hour" if rate >= 100 else f"{rate:.3g} an hour"


def aligned(rows: Sequence[Sequence[str]], sides: str) -> str:
    """Return a table in plain text, one line a row, its columns two spaces apart.

    ``sides`` has a ``<`` or ``>`` for each column: where its cells are moved to.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
