from gwmorph.report.wording import counted


def test_one_is_singular_and_the_others_are_not():
    assert [counted(number, "event") for number in (0, 1, 2, 1000)] == [
        "0 events",
        "1 event",
        "2 events",
        "1,000 events",
    ]
