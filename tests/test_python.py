"""Every Python that the project runs on: said alike everywhere, and one lock for all."""

import re
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
SUPPORTED = re.search(r"^SUPPORTED := (.*)$", MAKEFILE, re.MULTILINE)[1].split()
# What the locks leave to the machine: CUDA's packages, which torch asks for by itself.
OF_TORCH = re.compile(r"nvidia-|cuda-|triton")


distribution = cache(metadata.distribution)


def test_every_place_names_the_same_versions():
    required = SpecifierSet(PROJECT["project"]["requires-python"])
    tried = [f"3.{minor}" for minor in range(8, 20)]
    assert [version for version in tried if f"{version}.0" in required] == SUPPORTED
    of_python = "Programming Language :: Python :: 3."
    named = [entry for entry in PROJECT["project"]["classifiers"] if entry.startswith(of_python)]
    assert [entry.rpartition(" ")[2] for entry in named] == SUPPORTED
    for page in ("README.md", "docs/tutorial.md", "docs/limits.md"):
        assert f"Python {SUPPORTED[0]} to {SUPPORTED[-1]}" in (ROOT / page).read_text(), page


def test_checks_and_lock_are_of_the_oldest():
    # What the newest alone can do is then refused by the linter and the type checker.
    oldest = SUPPORTED[0]
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    for lock in ("base.txt", "dev.txt"):
        assert f"pip-compile with Python {oldest}" in (ROOT / "locks" / lock).read_text()


def needed(version: str, extras: set[str]) -> dict[str, set[str]]:
    """What gwmorph needs with a Python: for each package the requirements that name it.

    The metadata of installed packages are walked as pip would, with their markers answered for
    `version` instead of for the Python that runs.
    """
    environment = {"python_version": version, "python_full_version": f"{version}.0"}
    found: dict[str, set[str]] = {}
    walked: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in PROJECT["project"]["dependencies"]]
    for extra in extras:
        options = PROJECT["project"]["optional-dependencies"][extra]
        waiting += [(requirement, "") for requirement in options]
    while waiting:
        text, extra = waiting.pop()
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if marker is not None and not marker.evaluate({**environment, "extra": extra}):
            continue
        if name == "gwmorph" or OF_TORCH.match(name):
            continue
        found.setdefault(name, set()).add(text)
        for wanted in {(name, ""), *((name, asked) for asked in requirement.extras)} - walked:
            walked.add(wanted)
            waiting += [(entry, wanted[1]) for entry in distribution(name).requires or ()]
    return found


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize(
    ("lock", "extras", "patch"), [("base", set(), 0), ("dev", {"dinov2", "dev"}, 5)]
)
def test_one_lock_serves(lock, extras, patch, version):
    # The documentation's theme wants 3.11.5, where Debian 12 has 3.11.2.
    text = (ROOT / "locks" / f"{lock}.txt").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))
    pins = {canonicalize_name(name): pin for name, pin in pins.items()}
    requirements = needed(version, extras)
    assert len(requirements) > 60
    assert requirements.keys() <= pins.keys()
    for name, texts in requirements.items():
        for requirement in map(Requirement, texts):
            assert requirement.specifier.contains(pins[name], prereleases=True), (name, texts)
        accepted = distribution(name).metadata["Requires-Python"] or ""
        assert f"{version}.{patch}" in SpecifierSet(accepted), name
