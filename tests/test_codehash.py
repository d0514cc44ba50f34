from pathlib import Path

import pytest

from gwmorph import config
from gwmorph.codehash import import_closure, stage_hash

FILES = {
    "__init__.py": "",
    "errors.py": "class E(Exception): ...",
    "unused.py": "",
    "deep/__init__.py": "",
    "deep/lower.py": "from ..errors import E",
    "deep/upper.py": "from . import lower\nfrom .lower import E",
    "lazy.py": "def f():\n    import lib.deep.upper as upper\n    return upper",
    "report.py": "import lib.errors",
    "config/__init__.py": "from lib.config import run",
    "config/run.py": "import lib.unused",
    "loop_a.py": "from lib import loop_b",
    "loop_b.py": "from lib import loop_a",
}


@pytest.fixture
def package(tmp_path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "lib"


def closure_of(text: str, package: Path) -> set[str]:
    script = package.parent / "script.py"
    script.write_text(text)
    return {path.relative_to(package).as_posix() for path in import_closure(script, package)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import numpy", set()),
        ("import lib", {"__init__.py"}),
        ("import lib.errors", {"__init__.py", "errors.py"}),
        ("from lib import report", {"__init__.py", "report.py", "errors.py"}),
        ("from lib.errors import E", {"__init__.py", "errors.py"}),
        (
            "from lib.deep import upper",
            {"__init__.py", "deep/__init__.py", "deep/upper.py", "deep/lower.py", "errors.py"},
        ),
        (
            "from lib.deep import lower",
            {"__init__.py", "deep/__init__.py", "deep/lower.py", "errors.py"},
        ),
        (
            "if True:\n    def f():\n        from lib.lazy import f",
            {
                "__init__.py",
                "lazy.py",
                *(f"deep/{n}.py" for n in ("__init__", "lower", "upper")),
                "errors.py",
            },
        ),
        *(
            (block, {"__init__.py", "errors.py"})
            for block in (
                "try:\n    import numpy\nexcept ImportError:\n    import lib.errors",
                "try:\n    import numpy\nfinally:\n    import lib.errors",
                "for i in range(3):\n    pass\nelse:\n    import lib.errors",
                "with open(f) as g:\n    import lib.errors",
                "match f:\n    case 1:\n        import lib.errors",
                "class A:\n    async def f():\n        import lib.errors",
            )
        ),
        ("from lib.config import Config", {"__init__.py"}),
        ("from lib import loop_a", {"__init__.py", "loop_a.py", "loop_b.py"}),
    ],
)
def test_closure_follows_every_form_of_import(package, text, expected):
    assert closure_of(text, package) == expected


def test_a_changed_module_changes_only_the_stages_that_import_it(package):
    scripts = {}
    for name, text in {
        "draw": "from lib import report",
        "strain": "from lib.deep import upper",
    }.items():
        scripts[name] = package.parent / f"{name}.py"
        scripts[name].write_text(text)

    def hashes():
        return {name: stage_hash(path, package) for name, path in scripts.items()}

    before = hashes()
    (package / "unused.py").write_text("x = 1")
    assert hashes() == before
    (package / "report.py").write_text("import lib.errors\nx = 1")
    after = hashes()
    assert after["draw"] != before["draw"]
    assert after["strain"] == before["strain"]
    (package / "errors.py").write_text("class E(ValueError): ...")
    last = hashes()
    assert last["draw"] != after["draw"]
    assert last["strain"] != after["strain"]


def test_what_a_log_says_reruns_nothing(package):
    script = package.parent / "script.py"
    script.write_text("from lib import joblog, progress")
    for name in ("joblog.py", "progress.py"):
        (package / name).write_text("")
    before = stage_hash(script, package)
    (package / "progress.py").write_text("x = 1")
    assert stage_hash(script, package) == before
    # But a job must have what they import.
    assert {path.name for path in import_closure(script, package)} >= {"joblog.py", "progress.py"}


def test_the_script_itself_counts(package):
    script = package.parent / "script.py"
    script.write_text("import lib")
    before = stage_hash(script, package)
    script.write_text("import lib\nprint(lib)")
    assert stage_hash(script, package) != before


def test_the_real_package_is_found_by_default(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from gwmorph import naming")
    names = {path.name for path in import_closure(script)}
    assert names == {"__init__.py", "naming.py"}


def test_the_configuration_holds_no_algorithm():
    # what exempts it from the hash: its models offer values, and nothing that computes
    for name, section in config.sections(config.Config):
        own = {key for key in vars(section) if not key.startswith("_")}
        validators = set(section.__pydantic_decorators__.model_validators)
        assert own <= {"model_config", *section.model_fields, *validators}, name
