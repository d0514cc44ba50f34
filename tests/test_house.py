"""Files around the code that must agree with each other."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

import gwmorph
from closeness import near
from gwmorph import config
from gwmorph.codehash import import_closure

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "gwmorph"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ("base.txt", "dev.txt")
STAGES = {
    "strain": [
        "collect",
        "download",
        "event_catalog",
        "plan",
        "resolved_config",
        "simulate",
        "truth",
    ],
    "spectra": ["block"],
    "encoders": ["embed", "embed_admitted"],
    "clustering": ["cluster"],
    "evidence": [
        "ablation",
        "ablation_sample",
        "agreement",
        "anomaly",
        "anomaly_report",
        "chirps",
        "atlas",
        "clusterers",
        "comparison_recall",
        "comparison_windows",
        "distortion",
        "distortion_report",
        "drift",
        "encoder_quality",
        "encoder_table",
        "encoder_vectors",
        "explorer",
        "injection_windows",
        "known_events",
        "known_events_report",
        "known_spans",
        "labelled_strain",
        "labelled_views",
        "limits",
        "names",
        "named_table",
        "noise_counts",
        "noise_windows",
        "novelty",
        "novelty_report",
        "quiet",
        "quiet_of_run",
        "recall",
        "recall_figures",
        "recoloured",
        "redrawn",
        "reference",
        "retrained",
        "scan_blocks",
        "scan_report",
        "scan_verdict",
        "scores",
        "similarity",
        "slides",
        "slides_report",
        "stability",
        "statuses",
        "tile_triggers",
        "triggers",
        "truth_figure",
        "strain_quality",
    ],
    "learning": [
        "autoencode",
        "autoencoder_heads",
        "contrast",
        "feature_maps",
        "few_shot",
        "finetune_backbone",
        "finetune_scores",
        "labelled_pictures",
        "learning_views",
        "supervise",
        "supervised_report",
        "supervised_scores",
        "trigger_boosting",
        "chirp_bank",
        "chirp_network",
        "chirp_noise",
        "chirp_results",
        "chirp_scores",
        "chirp_signals",
        "chirp_windows",
        "training_noise_pairs",
        "training_pairs",
    ],
    "provenance": ["provenance_record"],
    "report": [
        "ablation_report",
        "autoencoder_report",
        "chirp_figures",
        "cluster_table",
        "clusterers_report",
        "event_table",
        "few_shot_report",
        "finetune_report",
        "galleries",
        "glitchgram",
        "losses",
        "map",
        "occupancy",
        "similarity_report",
        "stability_report",
        "status_map",
        "summary",
        "summary_page",
        "verdict",
    ],
}


CONFIG_MODELS = {model.__name__ for _, model in config.sections(config.Config)} | {"Config"}


def locked(name: str) -> dict[str, str]:
    text = (ROOT / "locks" / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_exactly_and_names_no_host(name):
    lines = [
        line.split("#")[0].strip()
        for line in (ROOT / "locks" / name).read_text().splitlines()
        if line.split("#")[0].strip()
    ]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9a-z.!]+", line) for line in lines), lines
    assert len({line.split("==")[0] for line in lines}) == len(lines)
    assert not [line for line in lines if re.match(r"nvidia|cuda|triton|gwmorph", line)]


def test_locks_agree_and_pin_the_torch_that_the_project_names():
    base, dev = locked("base.txt"), locked("dev.txt")
    assert base.items() <= dev.items()
    assert f"torch=={base['torch']}" in PROJECT["dependencies"]
    assert "transformers" not in base


def test_locks_hold_every_direct_dependency():
    extras = PROJECT["optional-dependencies"]
    named = {"base.txt": PROJECT["dependencies"], "dev.txt": extras["dinov2"] + extras["dev"]}
    for lock, requirements in named.items():
        names = {re.match(r"[A-Za-z0-9_-]+", entry)[0].lower() for entry in requirements}
        assert names - {"gwmorph"} <= locked(lock).keys()


@pytest.mark.parametrize("stage", STAGES)
def test_conda_environment_holds_what_its_stage_imports(stage):
    environment = yaml.safe_load((ROOT / "envs" / f"{stage}.yaml").read_text())
    pins = dict(pin.split("==") for pin in environment["dependencies"][-1]["pip"])
    assert "python=3.11" in environment["dependencies"]
    assert pins.items() <= locked("dev.txt").items()
    providers = packages_distributions()
    for script in STAGES[stage]:
        path = ROOT / "scripts" / f"{script}.py"
        for module in set().union(*(imported(file) for file in {path, *import_closure(path)})):
            names = {name.lower().replace("_", "-") for name in providers[module]}
            assert names & pins.keys(), f"{script} imports {module}, not in envs/{stage}.yaml"


def imported(path: Path) -> set[str]:
    """Top-level names of what a file imports from outside the library and the project."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    top = {name.partition(".")[0] for name in names}
    return top - sys.stdlib_module_names - {"gwmorph"}


def test_every_script_belongs_to_a_stage():
    scripts = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert scripts == {script for stage in STAGES.values() for script in stage}


def test_params_are_the_only_way_into_a_script():
    # What reruns a job and what it reads are then one list.
    for path in (ROOT / "scripts").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "snakemake":
                assert node.attr != "config", f"{path.name}:{node.lineno}"


def test_no_module_takes_a_default_of_the_configuration():
    # The hash of a stage's code leaves the models out, since all that it uses is in its params.
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "scripts").glob("*.py")]:
        if path.is_relative_to(PACKAGE / "config"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and not (node.args or node.keywords):
                assert ast.unparse(node.func) not in CONFIG_MODELS, f"{path}:{node.lineno}"


# A wing imports only from its own floor and those below; modules on their own join wings.
FLOORS = {
    "formats": 0,
    **dict.fromkeys(["spectra", "simulation"], 1),
    **dict.fromkeys(["strain", "plan"], 2),
    **dict.fromkeys(["encoders", "block"], 3),
    "morphology": 4,
    "evidence": 5,
    "learning": 6,
    "runs": 6,
    "scanner": 6,
    "report": 7,
    "provenance": 8,
}


@pytest.mark.parametrize("wing", [name for name in FLOORS if (PACKAGE / name).is_dir()])
def test_a_wing_imports_nothing_from_above(wing):
    for path in (PACKAGE / wing).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gwmorph."):
                imported_wing = node.module.split(".")[1]
                assert FLOORS.get(imported_wing, 0) <= FLOORS[wing], f"{path}: {node.module}"


def test_no_two_wings_import_each_other():
    wings = {path.parent for path in PACKAGE.glob("*/*.py")}
    used = {wing.name: wings_imported(wing) - {wing.name} for wing in wings}
    pairs = [(a, b) for a, found in used.items() for b in found if a in used.get(b, ())]
    assert not pairs


def wings_imported(wing: Path) -> set[str]:
    modules = {
        node.module
        for path in wing.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    return {module.split(".")[1] for module in modules if module.startswith("gwmorph.")}


def text_without_encoding(path: Path) -> list[int]:
    """Lines on which a file is read or written as text in whatever encoding the locale has."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and _handles_text(node)
        and "encoding" not in {keyword.arg for keyword in node.keywords}
    ]


def _handles_text(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name == "open":
        values = [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
        modes = [v.value for v in values if isinstance(v, ast.Constant)]
        binary = any(isinstance(mode, str) and "b" in mode for mode in modes)
        return not binary and ast.unparse(call.func) not in {"Image.open", "os.open"}
    return name in {"read_text", "write_text", "FileHandler"}


@pytest.mark.parametrize("folder", ["src", "scripts", "benchmarks"])
def test_text_is_read_and_written_in_utf_8_whatever_the_locale(folder):
    faults = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in (ROOT / folder).rglob("*.py")
        for line in text_without_encoding(path)
    }
    assert faults == set()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("Path(a).open()", True),
        ("Path(a).open('a')", True),
        ("open(a, mode='w')", True),
        ("path.open('wb')", False),
        ("Image.open(path)", False),
    ],
)
def test_the_search_for_text_finds_it(tmp_path, code, found):
    path = tmp_path / "a.py"
    path.write_text(code, encoding="utf-8")
    assert bool(text_without_encoding(path)) is found


def test_citation_and_package_tell_the_same_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_nothing_that_git_ignores_is_tracked():
    call = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    listed = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout == ""


PAGES = [
    *(ROOT / page for page in ("README.md", "CHANGELOG.md", "config/README.md")),
    *(ROOT / page for page in ("benchmarks/README.md", "src/gwmorph/encoders/indomain.md")),
    *(
        path
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if path.relative_to(ROOT / "docs").parts[0] not in ("_build", "generated")
    ),
]


def anchors(page: Path) -> set[str]:
    """Return the anchors that a code server gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page):
    for target, _, anchor in re.findall(
        r"\]\((?!\w+:)([^)#\s]*)(#([^)\s]+))?\)", page.read_text()
    ):
        path = page.parent.joinpath(target) if target else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


RULE_FILES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
IMPORT = re.compile(r"^(?:from \S+ )?import (.+)$", re.MULTILINE)


def imported_by(text: str) -> set[str]:
    return {name for found in IMPORT.findall(text) for name in found.split(", ")}


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_a_rule_file_imports_what_it_uses(path):
    # All files share one namespace: an import elsewhere would serve as well, until it goes.
    text = path.read_text()
    anywhere = set().union(*(imported_by(other.read_text()) for other in RULE_FILES))
    code = re.sub(
        r'"""[^"]*"""|"[^"\n]*"|#[^\n]*|\b\w+=|^ *(from|import) .*$', "", text, flags=re.M
    )
    used = {name for name in anywhere if re.search(rf"(?<![\w.]){name}\b", code)}
    assert used <= imported_by(text)


DEFINED = re.compile(r"^(?:def )?(\w+)(?= =|\()", re.MULTILINE)


def test_no_two_rule_files_define_the_same_name():
    # The one that is read last would be the other's, too, in every function that is called later.
    found = [name for path in RULE_FILES for name in set(DEFINED.findall(path.read_text()))]
    assert "VIEWS" in found
    assert "shards_of" in found
    assert sorted({name for name in found if found.count(name) > 1}) == []


# What a comparison accepts besides a share of the number, unless it says otherwise: 1e-12 and
# 1e-8. Strain is 1e-21.
TOLERANT = {"approx": "abs", "isclose": "atol", "allclose": "atol", "assert_almost_equal": "rtol"}


def silent_tolerances(source: str) -> list[int]:
    """Return the lines whose comparison has an absolute tolerance that it does not name."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return sorted(
        call.lineno
        for call in calls
        if (name := ast.unparse(call.func).rpartition(".")[2]) in TOLERANT
        and not ast.unparse(call.func).startswith("math.")
        and TOLERANT[name] not in {keyword.arg for keyword in call.keywords}
    )


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "src"])
def test_no_comparison_has_an_absolute_tolerance_that_it_does_not_name(folder):
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in silent_tolerances(path.read_text())
    ]
    assert not found, "use closeness.near, or name abs (pytest) or atol (NumPy)"


def test_a_silent_tolerance_is_found_in_every_spelling():
    for loose in (
        "x == pytest.approx(1e-21)",
        "x == approx(1e-21, rel=0.1)",
        "np.isclose(a, b)",
        "numpy.allclose(a, b, rtol=0.1)",
        "np.testing.assert_almost_equal(a, b)",
    ):
        assert silent_tolerances(f"import pytest\nassert {loose}") == [2], loose
    for tight in (
        "x == near(1e-21)",
        "x == pytest.approx(1e-21, abs=1e-25)",
        "np.isclose(a, b, atol=0)",
        "np.testing.assert_allclose(a, b)",
        "math.isclose(a, b)",
    ):
        assert not silent_tolerances(f"assert {tight}"), tight


def test_small_numbers_are_near_by_their_share_alone():
    assert near(1e-21, rel=0.1) == 1.05e-21
    assert near(1e-21, rel=0.1) != 1.2e-21
    assert near(1e-46) != 1.1e-46
    assert near([1e-21, 1.0]) != [2e-21, 1.0]


def test_every_configuration_that_comes_with_the_project_is_named():
    text = (ROOT / "config" / "README.md").read_text()
    files = [path.name for path in sorted((ROOT / "config").glob("*.yaml"))]
    assert files
    assert [file for file in files if f"| [`{file}`]({file}) |" not in text] == []


def test_words_are_explained():
    text = (ROOT / "docs" / "words.md").read_text()
    words = ("tile", "trigger", "medoid", "Omicron SNR", "event", "score")
    assert [word for word in words if f"\n| {word} | " not in text] == []


def definitions(kind):
    """Every class or function of the package that is imported, with where it stands."""
    package = Path(gwmorph.__file__).parent
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kind):
                yield f"{path.relative_to(package)}:{node.name}", node


def decorators(node):
    return [ast.unparse(decorator) for decorator in node.decorator_list]


def test_values_are_frozen():
    """They are shared, and keys of caches: nobody changes one under another's hands."""
    found = [
        place
        for place, node in definitions(ast.ClassDef)
        for decorator in decorators(node)
        if decorator.startswith("dataclass") and "frozen=True" not in decorator
    ]
    assert not found


def test_loops_over_samples_are_compiled():
    """Without types is what numba types; it gives the same numbers uncompiled, for ages."""
    found = [
        place
        for place, node in definitions(ast.FunctionDef)
        if node.returns is None and not any(d.startswith("compiled(") for d in decorators(node))
    ]
    assert not found


def reported(text: str) -> list[str]:
    """Return what stands between the brackets of each ``report(…)`` of a rule file."""
    found = []
    for match in re.finditer(r"=\s*report\(", text):
        depth, start = 1, match.end()
        for end in range(start, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if not depth:
                found.append(text[start:end])
                break
    return found


def test_all_that_the_report_shows_has_its_place_its_labels_and_its_caption():
    shown = [(path, part) for path in RULE_FILES for part in reported(path.read_text())]
    assert len(shown) > 30
    for path, part in shown:
        named = set(re.findall(r"^ *(\w+)=", part, re.MULTILINE))
        assert {"category", "caption", "labels"} <= named, f"{path.name}: {part}"
        caption = re.search(r'caption="(.+?)"', part)[1]
        assert (path.parent / caption).is_file(), f"{path.name}: {caption}"


def test_no_test_is_skipped_where_an_import_fails():
    """What `make env-dev` installs is there, or is broken: a skip would hide it."""
    found = [
        f"{path.name}:{node.lineno}"
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "importorskip"
    ]
    assert not found
