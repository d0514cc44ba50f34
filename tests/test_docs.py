"""What the documentation is made of, and the program that its tutorial ends with."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from filled import filled
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import write_table

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
generate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return dict(generate.pages())


def test_every_column_of_every_table_is_on_the_page_of_tables(pages):
    page = pages["tables.md"]
    assert page.count("### `") == len(set(re.findall(r"^### `(\w+)`", page, re.MULTILINE)))
    section = page.partition("### `clusters`")[2].partition("\n### ")[0]
    shown = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert shown == CLUSTERS.names
    assert (
        "| `trigger_time` | double or null | s | GPS time of an event view's trigger |" in section
    )


def test_every_command_is_on_the_page_of_the_command_line(pages):
    from gwmorph import cli

    (listed,) = (action for action in cli._parser()._actions if action.choices)
    shown = re.findall(r"^## `gwmorph (\S+)`", pages["command-line.md"], re.MULTILINE)
    assert shown == list(listed.choices)


def test_every_module_is_on_a_page_of_the_library(pages):
    shown = set(re.findall(r"automodule:: (\S+)", "".join(pages.values())))
    package = ROOT / "src" / "gwmorph"
    there = {
        ".".join(("gwmorph", *path.relative_to(package).with_suffix("").parts))
        for path in package.rglob("*.py")
        if path.name != "__init__.py"
        and path.relative_to(package).parts[0] not in generate.UNLISTED
    }
    assert shown == there


@pytest.mark.parametrize(
    ("folder", "written", "led"),
    [
        ("docs", "../config/README.md#every-key", "/generated/configuration.md#every-key"),
        ("docs/howto", "../../CHANGELOG.md", "/generated/changelog.md"),
        ("docs/howto", "../../src/gwmorph/tables/__init__.py", "/generated/tables.md"),
        ("docs/howto", "../validation.md#stability", "../validation.md#stability"),
        ("docs", "#a-heading", "#a-heading"),
        ("docs", "https://example.org/README.md", "https://example.org/README.md"),
    ],
)
def test_links_to_pages_elsewhere_are_led_to_those_made_of_them(folder, written, led):
    assert generate.with_links_to_generated(f"[x]({written})", folder) == f"[x]({led})"


def test_links_of_pages_elsewhere_lead_from_where_they_are_shown():
    text = "[a](docs/scanning.md#alarms) [b](config/README.md) [c](LICENSE)"
    assert generate.with_links_from(text, "") == (
        "[a](/scanning.md#alarms) [b](/generated/configuration.md) [c](../../LICENSE)"
    )


def test_the_program_of_the_tutorial_draws_its_figure(tmp_path):
    (program,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs" / "tutorial.md").read_text(), re.M | re.S
    )
    run = tmp_path / "results" / "demo"
    rows = [
        {"cluster": number % 2, "tile_frequency": 20.0 + number, "tile_snr": 8.0 + number}
        for number in range(12)
    ]
    write_table(run / "clusters" / "event" / "clusters.parquet", CLUSTERS, filled(CLUSTERS, *rows))
    table = run / "tables" / "event" / "clusters.csv"
    table.parent.mkdir(parents=True)
    table.write_text("cluster,named,supported,outside_umap\n0,blip,True,True\n1,,False,True\n")
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        check=True,
        env={"MPLBACKEND": "agg", "PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path)},
    )
    assert Image.open(tmp_path / "clusters.png").size == (1350, 750)
