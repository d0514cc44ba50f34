"""Which rules Snakemake asks whether they make a file."""

import json

import pytest
from workflow_project import FIRST, build

pytestmark = pytest.mark.workflow

# After all rules: what may make each of some files by its name's beginning and end.
LISTED = """
import json
from snakemake.output_index import OutputIndex
index = OutputIndex(list(workflow.rules))
found = {path: sorted(rule.name for rule in index.match(path)) for path in json.loads(%r)}
Path("asked.json").write_text(json.dumps([len(list(workflow.rules)), found]))
"""


def test_a_file_is_held_against_the_one_rule_that_may_make_it_whatever_the_run_is_called(tmp_path):
    project = build(tmp_path / "project").change(run={"name": "o3b.H1-L1_v2"})
    tail = f"{FIRST}-4096"
    makers = {
        f"strain/H1/{FIRST}.json": "collect",
        f"ledger/H1-GWMORPH_LEDGER-{tail}.parquet": "block",
        f"logs/block/H1-{FIRST}.log": "block",
        "clusters/window/clusters.parquet": "cluster",
    }
    folder = "results/o3b.H1-L1_v2"
    paths = json.dumps([f"{folder}/{path}" for path in makers])
    with (project.folder / "Snakefile").open("a") as file:
        file.write(LISTED % paths)
    project.make("--list-rules")
    rules, asked = json.loads((project.folder / "asked.json").read_text())
    assert rules > 50
    assert asked == {f"{folder}/{path}": [rule] for path, rule in makers.items()}
