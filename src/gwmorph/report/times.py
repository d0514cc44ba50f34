"""Moments as axes and tables name them: GPS seconds, and UTC beside them."""

from gwmorph.utc import utc


def since(gps: int, unit: str = "h") -> str:
    """Return the label of an axis of time in ``unit`` that begins at GPS seconds."""
    return f"Time since GPS {gps} ({utc(gps)} UTC) [{unit}]"
