"""Every figure with an interval on the project's pages is one that a command measured."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "README.md",
    "docs/architecture.md",
    "docs/explorer.md",
    "docs/reading-the-map.md",
    "docs/scanning.md",
    "docs/significance.md",
    "docs/validation.md",
)
ENTRIES = {
    entry["name"]: entry
    for entry in json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
}
MINUS = "\N{MINUS SIGN}"
NUMBER = rf"[{MINUS}-]?\d+(?:\.\d+)?"
CLAIM = re.compile(rf"(?<![\d.])({NUMBER})(?: ?%)?[*\s]+\[({NUMBER}),\s({NUMBER})\]")
# Rows and columns of the README's table of encoders, and the entries that they are.
COLUMNS = ("dct_", "indomain_", "pixels_", "triggers_", "random_")
ROWS = {
    "top-1, 19 simulated classes": "top1_simulated",
    "top-1, 6 shapes never trained on": "top1_unseen",
    "top-1, real pictures, any window length": "top1_real",
    "top-1, real pictures, same length": "top1_real_same",
    "named right, real glitches from simulated views": "simulated_to_real_top1",
    "top-1, real glitches among themselves": "real_strain_top1",
    "clusters, 19 classes: AMI": "cluster_ami",
    "clusters, 19 classes: ARI": "cluster_ari",
    "largest cluster's share": "cluster_largest_share",
}
OWN_NAMES = {
    "indomain_simulated_to_real_top1": "simulated_to_real_top1",
    "indomain_real_strain_top1": "real_strain_top1",
    "indomain_cluster_ami": "event_cluster_ami",
    "indomain_cluster_ari": "event_cluster_ari",
    "indomain_cluster_largest_share": "event_cluster_largest_share",
}


def claims(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield value, low and high as they are written."""
    for found in CLAIM.finditer(text):
        yield found.groups()


def is_measured(claim: tuple[str, str, str]) -> bool:
    """Whether an entry says the same, to the digits given, as a share or in percent."""
    return any(
        all(
            written.replace(MINUS, "-") == f"{factor * entry[key]:.{digits(written)}f}"
            for written, key in zip(claim, ("value", "low", "high"), strict=True)
        )
        for entry in ENTRIES.values()
        if entry["low"] is not None
        for factor in (1, 100)
    )


def digits(written: str) -> int:
    return len(written.partition(".")[2])


@pytest.mark.parametrize("page", PAGES)
def test_figures_with_an_interval_are_those_of_the_benchmarks(page):
    found = {"{} [{}, {}]".format(*c) for c in claims(read(page)) if not is_measured(c)}
    assert not found, "measure again, correct the page, or give the figure a command"


def test_the_table_of_encoders_is_that_of_the_benchmarks():
    rows = {
        cells[0].strip(): [cell.strip().replace("*", "") for cell in cells[1:]]
        for line in read("README.md").splitlines()
        if line.startswith("| ") and len(cells := line.strip("|").split("|")) == 1 + len(COLUMNS)
    }
    assert rows.keys() >= ROWS.keys()
    for label, what in ROWS.items():
        for column, cell in zip(COLUMNS, rows[label], strict=True):
            entry = ENTRIES.get(OWN_NAMES.get(column + what, column + what))
            assert cell == ("" if entry is None else shown(entry, "[" in cell)), (label, column)


def shown(entry: dict, interval: bool) -> str:
    value = f"{entry['value']:.2f}"
    return f"{value} [{entry['low']:.2f}, {entry['high']:.2f}]" if interval else value


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


HALF_RECALL = {
    "blip, 2 to 10 ms": ["blip"],
    "sine-Gaussian, Q 2 / 4 / 8 / 32 / 100": [f"sine_gaussian_q{q}" for q in (2, 4, 8, 32, 100)],
    "tomte / koi fish": ["tomte", "koi_fish"],
    "binary, 30 + 30 / 10 + 10 / 1.4 + 1.4": ["chirp_30_30", "chirp_10_10", "chirp_1.4_1.4"],
    "arches / whistle / noise burst": ["arches", "whistle", "noise_burst"],
    "wandering line / comb": ["wandering_line", "comb"],
}


@pytest.mark.parametrize("label", HALF_RECALL)
def test_the_table_of_half_recall_is_that_of_the_benchmarks(label):
    (line,) = [line for line in read("README.md").splitlines() if line.startswith(f"| {label} |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
    for cell, statistic in zip(cells, ("loudest_tile", "window_vector", "score"), strict=True):
        expected = [half_recall(name, statistic) for name in HALF_RECALL[label]]
        assert cell == " / ".join(expected), statistic


def half_recall(morphology: str, statistic: str) -> str:
    entry = ENTRIES[f"half_recall_{morphology}_{statistic}"]
    where = entry["unit"].split()[0]
    value = entry["value"]
    return f"{where} {value:.0f}" if where in ("below", "beyond") else f"{value:.1f}"
