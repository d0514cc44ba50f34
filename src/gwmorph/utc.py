"""GPS times as people write them."""


def utc(gps: float, decimals: int = 0) -> str:
    """Return a GPS time in seconds as ``2009-12-14 21:46:57``, UTC.

    It is rounded to ``decimals`` of a second, up to 6, as a GPS time beside it would be.
    """
    import lal  # it takes half a second, which who prints no time need not wait for

    whole, part = divmod(round(gps * 10**decimals), 10**decimals)
    year, month, day, hour, minute, second = lal.GPSToUTC(whole)[:6]
    text = f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
    return f"{text}.{part:0{decimals}}" if decimals else text
