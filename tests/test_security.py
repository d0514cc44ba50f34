"""What SECURITY.md says of the source: nothing in it runs, unpacks or fetches what it should not.

The source is read, not run. A rule that finds nothing could be one that looks at nothing, so that
each is shown what it must find as well.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import audit

ROOT = Path(__file__).parents[1]
SOURCE = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").glob("*.py")])
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in SOURCE}

# What unpickles, or is a pickle in other clothes.
PICKLING = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "jsonpickle",
}
ARCHIVES = {"tarfile", "zipfile"}
# What looks into archives, and how it does so without unpacking them.
MAY_LOOK = {"src/gwmorph/picture_files.py": "pictures, by names that were asked for, in memory"}
NETWORK = {"requests", "urllib", "urllib3", "http", "socket", "ftplib", "pooch", "httpx", "httpx2",
           "huggingface_hub", "uvicorn"}  # fmt: skip
# Everything that asks a server, or is one, and why it may.
MAY_ASK = {
    "src/gwmorph/strain/hosts.py": "what may be asked",
    "src/gwmorph/strain/download.py": "files, from hosts that `hosts` allows",
    "src/gwmorph/strain/gwosc.py": "lists, from the configured server",
    "src/gwmorph/encoders/weights.py": "weights, from the configured hub",
    "src/gwmorph/scanner/receivers.py": "event records, to whom the user names",
    "src/gwmorph/scanner/server.py": "the live page",
}
# What imports a module by a name that is not written there.
MAY_IMPORT = {
    "src/gwmorph/__init__.py": "its own modules, when they are first used",
    "src/gwmorph/evidence/registry.py": "injections.modules, which the user configures",
    "src/gwmorph/learning/networks.py": "pytorchcv's, by names that are checked",
}
# What writes HTML; all other pages are made of what report/html.py returns.
MAY_WRITE_TAGS = {
    "src/gwmorph/report/html.py",
    "src/gwmorph/report/explorer/link.py",
    "src/gwmorph/report/scan.py",
    "src/gwmorph/report/timeslides.py",
    "src/gwmorph/provenance/page.py",
    "src/gwmorph/scanner/page.py",
}
TAG = re.compile(
    r"</?(a|b|br|code|div|em|form|h[1-6]|i|iframe|img|li|p|pre|script|span|strong|style|svg|table"
    r"|t[dhr]|tbody|thead|ul)\b",
    re.IGNORECASE,
)

Rule = Callable[[str, ast.AST], bool]


def name_of(node: ast.AST) -> str:
    """Return the dotted name of what is called or read, '' for what has none."""
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def keywords(node: ast.Call) -> dict[str | None, object]:
    return {
        word.arg: word.value.value if isinstance(word.value, ast.Constant) else ...
        for word in node.keywords
    }


def imports(node: ast.AST, modules: set[str]) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in modules for alias in node.names)
    if isinstance(node, ast.ImportFrom) and not node.level:
        # An error's class does nothing.
        errors = all(re.search(r"(Error|BadZipFile)$", alias.name) for alias in node.names)
        return (node.module or "").partition(".")[0] in modules and not errors
    return False


def unpickles(_: str, node: ast.AST) -> bool:
    if imports(node, PICKLING):
        return True
    if not isinstance(node, ast.Call):
        return False
    called, given = name_of(node.func), keywords(node)
    if re.fullmatch(r"(torch|th)\.load", called):
        return given.get("weights_only") is not True
    if re.fullmatch(r"(np|numpy)\.load", called):
        return given.get("allow_pickle") is not False
    return bool(
        re.search(r"(^|\.)(read_pickle|unsafe_load|full_load|jit\.load)$", called)
        or given.get("allow_pickle", False) is not False
        or (called == "yaml.load" and ast.unparse(node.args[-1]) != "_StrictLoader")
    )


def runs_text(where: str, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called, given = name_of(node.func), keywords(node)
    if called in ("eval", "exec", "compile", "__import__", "os.system", "os.popen"):
        return True
    if called.endswith("import_module"):
        return where not in MAY_IMPORT
    return "shell" in given or called.startswith(("os.exec", "os.spawn"))


def loads_code_of_a_hub(_: str, node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and name_of(node) == "torch.hub":
        return True
    if not isinstance(node, ast.Call):
        return False
    called, given = name_of(node.func), keywords(node)
    if given.get("trust_remote_code", False) is not False:
        return True
    if called.startswith("Auto") and called.endswith("from_pretrained"):
        return given.get("trust_remote_code") is not False
    return called.endswith("from_pretrained") and not (
        given.get("local_files_only") is True and given.get("use_safetensors") is True
    )


def unpacks(where: str, node: ast.AST) -> bool:
    unpacking = ("extract", "extractall", "unpack_archive")
    named = isinstance(node, ast.Attribute) and node.attr in unpacking
    return named or (where not in MAY_LOOK and imports(node, ARCHIVES))


def asks_a_server(where: str, node: ast.AST) -> bool:
    if where in MAY_ASK or (isinstance(node, ast.ImportFrom) and node.module == "urllib.parse"):
        return False
    return imports(node, NETWORK)


def writes_tags(where: str, node: ast.AST) -> bool:
    if where in MAY_WRITE_TAGS:
        return False
    if isinstance(node, ast.Call) and name_of(node.func).endswith("Html"):
        return True
    return isinstance(node, ast.Constant) and bool(
        isinstance(node.value, str) and TAG.search(node.value)
    )


RULES: dict[str, tuple[Rule, list[str]]] = {
    "no file is unpickled": (
        unpickles,
        ["import pickle", "from joblib import load", "torch.load(p)", "np.load(p)",
         "torch.load(p, weights_only=False)", "np.load(p, allow_pickle=True)",
         "pd.read_pickle(p)", "yaml.load(t, yaml.Loader)", "yaml.unsafe_load(t)",
         "torch.jit.load(p)", "read(p, allow_pickle=x)"],
    ),
    "no text is run": (
        runs_text,
        ["eval(t)", "exec(t)", "os.system(t)", "subprocess.run(t, shell=True)", "__import__(t)",
         "importlib.import_module(t)", "compile(t, '', 'exec')"],
    ),
    "no hub's code is loaded": (
        loads_code_of_a_hub,
        ["torch.hub.load(r, m)", "AutoModel.from_pretrained(f, local_files_only=True)",
         "Model.from_pretrained(f, use_safetensors=True)", "f(trust_remote_code=True)",
         "AutoModel.from_pretrained(f, trust_remote_code=x, local_files_only=True)"],
    ),
    "no archive is unpacked": (
        unpacks, ["import tarfile", "from zipfile import ZipFile", "shutil.unpack_archive(p)"],
    ),
    "no server is asked but where hosts are checked": (
        asks_a_server,
        ["import requests", "from urllib.request import urlopen", "import socket",
         "from huggingface_hub import snapshot_download"],
    ),
    "no page is written but of escaped pieces": (
        writes_tags, ["x = f'<td>{label}</td>'", "x = html.Html(label)", "x = '<SCRIPT>'"],
    ),
}  # fmt: skip


def found(rule: Rule, where: str, tree: ast.AST) -> Iterator[str]:
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }
    for node in ast.walk(tree):
        if id(node) not in docs and rule(where, node):
            yield f"{where}:{getattr(node, 'lineno', 0)}"


@pytest.mark.parametrize("what", RULES)
def test_source(what: str) -> None:
    rule, _ = RULES[what]
    assert [place for where, tree in TREES.items() for place in found(rule, where, tree)] == []


@pytest.mark.parametrize(
    ("what", "text"), [(what, text) for what, (_, texts) in RULES.items() for text in texts]
)
def test_rule_sees_what_it_is_for(what: str, text: str) -> None:
    rule, _ = RULES[what]
    assert list(found(rule, "src/gwmorph/other.py", ast.parse(text))), text


def test_exceptions_are_of_files_that_are_there() -> None:
    assert {*MAY_ASK, *MAY_IMPORT, *MAY_WRITE_TAGS} <= TREES.keys()


def test_the_rules_and_the_snakefile_run_no_text_either() -> None:
    for path in [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]:
        text = path.read_text()
        assert not re.search(r"\b(eval|exec|pickle|os\.system)\b *\(|import pickle", text), path
        assert not re.search(r"^ +(shell|run):", text, re.MULTILINE), path


def test_the_explorers_own_scripts_write_text_and_no_markup() -> None:
    page = ROOT / "src" / "gwmorph" / "report" / "explorer" / "page"
    own = [path for path in page.glob("*.js") if not path.name.endswith(".min.js")]
    assert len(own) > 5
    for path in own:
        found = re.search(
            r"(inner|outer|insertAdjacent)HTML|document\.write|\beval\(|new Function|fetch\(",
            path.read_text(),
        )
        assert found is None, (path.name, found)


# ----------------------------------------------------------------- the page that promises it

SECURITY = (ROOT / "SECURITY.md").read_text()
HELD = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SECURITY)


def test_each_promise_names_what_holds_it() -> None:
    promises = SECURITY.split("## What is promised")[1].split("\n## ")[0]
    entries = re.findall(r"^- \*\*.*?(?=^- |\Z)", promises, re.MULTILINE | re.DOTALL)
    assert len(entries) >= 10
    for entry in entries:
        assert re.search(r"`tests/[\w/]+\.py::\w+`", entry), entry


@pytest.mark.parametrize(("path", "name"), HELD)
def test_what_is_named_as_holding_a_promise_is_there(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in tests


def test_the_page_names_all_that_asks_a_server_and_all_that_imports_by_name() -> None:
    asking = [
        "source.gwosc.host",
        "source.gwosc.file_hosts",
        "encoder.weights.endpoint",
        "encoder.weights.hosts",
        "scan.receiver.address",
        "injections.modules",
    ]
    assert [key for key in asking if f"`{key}`" not in SECURITY] == []


# ----------------------------------------------------------------- known vulnerabilities


def reported(*packages: dict) -> dict:
    return {"dependencies": list(packages), "fixes": []}


GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2",
       "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["3"]}]}  # fmt: skip
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found"}


def test_an_audit_tells_what_is_bad_from_what_is_unknown() -> None:
    assert audit.findings(reported(GOOD, BAD)) == ["b 2: PYSEC-1 CVE-1; mended in 3"]
    assert audit.summary(reported(GOOD, BAD)).endswith(
        "1 known vulnerabilities in 2 of 2 packages."
    )
    assert "0 known vulnerabilities in 1 of 2 packages; nothing is known of 1" in audit.summary(
        reported(GOOD, UNKNOWN)
    )
    assert "none of 2 packages could be looked up" in audit.summary(reported(UNKNOWN, UNKNOWN))


@pytest.mark.parametrize(
    ("answer", "strict", "code"),
    [(reported(GOOD), True, 0), (reported(BAD), False, 0), (reported(BAD), True, 1),
     (reported(UNKNOWN), False, 0), (reported(UNKNOWN), True, 1), (None, False, 0),
     (None, True, 1)],
)  # fmt: skip
def test_an_audit_fails_only_where_it_is_to_be_strict(
    tmp_path: Path, answer: dict | None, strict: bool, code: int
) -> None:
    auditor = tmp_path / "pip-audit"
    said = "echo no network >&2" if answer is None else f"echo '{json.dumps(answer)}'"
    auditor.write_text(f"#!/bin/sh\n{said}\nexit 1\n")
    auditor.chmod(0o700)
    options = ["--strict"] if strict else []
    assert audit.main([str(auditor), str(tmp_path / "lock.txt"), *options]) == code
