import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwmorph.naming import SpanName, event_name, parse_span_name, span_name, window_name


def test_names_are_as_the_field_writes_them():
    assert (
        span_name("H1", "LEDGER", 1262301184, 4096, "parquet")
        == "H1-GWMORPH_LEDGER-1262301184-4096.parquet"
    )
    assert span_name("L1", "PICTURES", 1262301184, 4096) == ("L1-GWMORPH_PICTURES-1262301184-4096")


@given(
    st.sampled_from(["H1", "L1", "V1", "K1", "G1"]),
    st.from_regex(r"[A-Z0-9_]+", fullmatch=True).filter(str.isascii),
    st.integers(0, 2_000_000_000),
    st.integers(0, 10_000_000),
    st.sampled_from(["", "png", "parquet", "json", "hdf5"]),
)
def test_parts_survive_the_name(detector, what, gps, duration, extension):
    name = span_name(detector, what, gps, duration, extension)
    assert parse_span_name(name) == SpanName(detector, what, gps, duration, extension)


@pytest.mark.parametrize(
    "parts",
    [
        ("h1", "LEDGER", 1, 2, "png"),
        ("H1", "led-ger", 1, 2, "png"),
        ("H1", "LEDGER", -1, 2, "png"),
        ("H1", "LEDGER", 1.5, 2, "png"),
        ("H1", "LEDGER", 1, 2, "a/b"),
    ],
)
def test_a_name_that_could_not_be_read_back_is_refused(parts):
    with pytest.raises(ValueError, match="<IFO>-GWMORPH_"):
        span_name(*parts)


def test_a_windows_picture_is_named_by_its_span():
    name = window_name("L1", 1262301184, 32)
    assert name == "L1-GWMORPH_WINDOW-1262301184-32.png"
    assert parse_span_name(name) == SpanName("L1", "WINDOW", 1262301184, 32, "png")


def test_an_event_is_named_by_its_trigger():
    assert event_name("L1", 1262301190.421875) == "L1-GWMORPH_EVENT-1262301190.421875000-4.png"


@given(st.lists(st.floats(1e9, 2e9), min_size=2, max_size=9, unique=True))
def test_events_of_different_times_have_different_names(times):
    assert len({event_name("H1", time) for time in times}) == len(times)
