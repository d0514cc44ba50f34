"""Moments as axes and tables name them: GPS seconds, and UTC beside them."""

import lal


def utc(gps: float) -> str:
    """Return ``2020-01-06 00:00:00``, UTC at GPS seconds, cut to whole ones."""
    year, month, day, hour, minute, second = lal.GPSToUTC(int(gps))[:6]
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"


def since(gps: int, unit: str = "h") -> str:
    """Return the label of an axis of time in ``unit`` that begins at GPS seconds."""
    return f"Time since GPS {gps} ({utc(gps)} UTC) [{unit}]"
