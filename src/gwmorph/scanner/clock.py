"""What time it is, where strain is concerned."""


def gps_now() -> float:
    """Return the GPS time of this moment, s, to the second."""
    # It takes a third of a second to import, while blocks are being drawn.
    import lal

    return float(lal.GPSTimeNow())
