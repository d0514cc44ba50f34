"""The record of a run as a page, and for a program."""

import json

from made import made_facts

from gwmorph.provenance.page import record_page


def test_the_page_says_what_each_rule_cost_and_the_total_as_the_last():
    section = record_page(made_facts()).partition("What it cost")[2].partition("BibTeX")[0]
    rows = [line for line in section.splitlines() if line.startswith("<tr><td")]
    assert rows == [
        '<tr><td class="words">block</td><td>2</td><td>150.2</td><td>90.5</td><td>60.0</td>'
        "<td>512</td></tr>",
        '<tr><td class="words">verdict</td><td>1</td><td>not seen</td><td>0.2</td><td>0.2</td>'
        "<td>not seen</td></tr>",
        '<tr><td class="words">total</td><td>3</td><td>150.2</td><td>90.7</td><td>60.0</td>'
        "<td>512</td></tr>",
    ]
    assert "several run at once" in section


def test_the_record_for_a_program_has_costs_with_their_units():
    costs = json.loads(json.dumps(made_facts().to_json()))["costs"]
    assert costs["by_rule"][1] == {
        "rule": "verdict",
        "jobs": 1,
        "wall_s": 0.2,
        "core_s": None,
        "longest_s": 0.2,
        "peak_mb": None,
    }
    assert costs["total"]["core_s"] == 150.25
