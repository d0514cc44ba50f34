import pytest

from gwmorph.wording import cluster_label, counted, hourly, number, spoken


def test_one_is_singular_and_the_others_are_not():
    assert [counted(number, "event") for number in (0, 1, 2, 1000)] == [
        "0 events",
        "1 event",
        "2 events",
        "1,000 events",
    ]


def test_rates_have_three_digits_and_no_exponent():
    rates = [hourly(number, 7200) for number in (0, 1, 121, 123456)]
    assert rates == ["0 an hour", "0.5 an hour", "60.5 an hour", "61,728 an hour"]
    assert hourly(0, 0) == "no livetime"


def test_a_value_that_is_none_is_no_number():
    assert [number(value, "+.2f") for value in (1.234, -0.5)] == ["+1.23", "-0.50"]
    absent = (None, float("nan"), float("inf"))
    assert [number(value, ".1f") for value in absent] == [""] * 3
    assert number(None, ".1f", "none") == "none"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (8, "8 s"),
        (60.3, "60 s"),
        (119, "119 s"),
        (166, "2.8 min"),
        (720, "12 min"),
        (12240, "3.4 h"),
        (432000, "5 days"),
    ],
)
def test_spans_of_time_are_spoken(seconds, said):
    assert spoken(seconds) == said


@pytest.mark.parametrize(
    ("supported", "outside_umap", "said"),
    [(True, True, "3"), (False, True, "3?"), (True, False, "3*"), (False, False, "3?*")],
)
def test_a_cluster_in_doubt_is_marked(supported, outside_umap, said):
    assert cluster_label(3, supported, outside_umap) == said
