"""The hash of the code that a stage runs: its script and the modules that it imports.

Snakemake does not see a change in an imported module; with this hash among a rule's params, a
change reruns exactly the stages that import the module, directly or through others.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import gwmorph

PACKAGE = Path(gwmorph.__file__).parent
# The configuration's models hold values and no algorithm, and every value that a stage uses is
# among its rule's params: a new key must not rerun the stages that never heard of it.
_PARAMS_ONLY = "config"
# What a log says, and when, changes no result.
_LOGS_ONLY = {Path("joblog.py"), Path("progress.py")}


def stage_hash(script: Path | str, package: Path = PACKAGE) -> str:
    """Return 16 hexadecimal digits that change when the code of a stage changes.

    Parameters
    ----------
    script
        Python file of the stage.
    package
        Folder of the package whose modules count, but for those of the log; imports from
        elsewhere are pinned by the environment. Imports inside functions count, those computed at
        run time are not seen.

    Raises
    ------
    SyntaxError
        The script or a module that it imports is not valid Python.
    """
    digest = hashlib.sha256(Path(script).read_bytes())
    logs = {package / name for name in _LOGS_ONLY}
    for module in sorted(import_closure(Path(script), package) - logs):
        digest.update(module.relative_to(package).as_posix().encode())
        digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def import_closure(script: Path, package: Path = PACKAGE) -> set[Path]:
    """Return the files of ``package`` that importing ``script`` may execute, lazily or not."""
    closure: set[Path] = set()
    pending = [script]
    while pending:
        found = imported_files(pending.pop(), package) - closure
        closure |= found
        pending.extend(found)
    return closure


def imported_files(source: Path, package: Path) -> frozenset[Path]:
    """Return the files of ``package`` that ``source`` itself names, lazily or not."""
    return _imported_by(source.read_text(encoding="utf-8"), source, package)


@cache  # the same modules are met again in every stage
def _imported_by(code: str, source: Path, package: Path) -> frozenset[Path]:
    tree = ast.parse(code, filename=str(source))
    names = {name for node in _statements(tree) for name in _names_in(node, source, package)}
    found = {file for name in names for file in _files_of(name, package)}
    return frozenset(file for file in found if file.relative_to(package).parts[0] != _PARAMS_ONLY)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements inside a node; imports are never inside expressions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from _statements(child)


def _names_in(node: ast.AST, source: Path, package: Path) -> Iterator[str]:
    """Yield dotted names that ``node`` imports; ``from a import b`` may mean module ``a.b``."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = (package.name, *source.parent.relative_to(package).parts)
            base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _files_of(name: str, package: Path) -> Iterator[Path]:
    """Yield the module's file and every ``__init__.py`` that runs before it."""
    first, *parts = name.split(".")
    if first != package.name:
        return
    folder = package
    yield folder / "__init__.py"
    for part in parts:
        if (folder / f"{part}.py").is_file():
            yield folder / f"{part}.py"
            return
        folder = folder / part
        if not (folder / "__init__.py").is_file():
            return  # a name inside the module above, not a module
        yield folder / "__init__.py"
