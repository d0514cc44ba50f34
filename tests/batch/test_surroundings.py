"""Locks of plugins, and recipes of containers, agree with the project that they are for."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONTAINERFILE = (ROOT / "containers" / "Containerfile").read_text()
APPTAINER = (ROOT / "containers" / "apptainer.def").read_text()
HOME = "/opt/gwmorph"
# None of their jobs may lie between two of one group: Snakemake would refuse all of it.
TARGETS = ("all", "timeslides", "calibrate", "events", "provenance", "validation", "scan")


def locked(name: str) -> dict[str, str]:
    text = (ROOT / "locks" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", text, re.MULTILINE))


@pytest.mark.parametrize("system", ["slurm", "htcondor"])
def test_a_plugin_is_locked_as_the_project_names_it_beside_what_runs_have(system):
    pins = locked(system)
    (named,) = PROJECT["optional-dependencies"][system]
    assert named in {f"{name}=={version}" for name, version in pins.items()}
    assert not pins.keys() & locked("base").keys()


def copied_to() -> dict[str, str]:
    """Return what the Containerfile copies, by where it puts it."""
    places = {}
    for sources, target in re.findall(r"^COPY (.+) (\S+)$", CONTAINERFILE, re.MULTILINE):
        for source in sources.split():
            is_folder = source.endswith("/")
            name = "" if is_folder else Path(source).name
            places[(Path(HOME) / target / name).as_posix()] = source.rstrip("/")
    return places


def commands(text: str) -> list[str]:
    """Return what is run while a container is built, in order."""
    joined = text.replace("\\\n", " ")
    lines = [
        part.strip()
        for line in joined.splitlines()
        for part in line.removeprefix("RUN ").split("&&")
    ]
    return [" ".join(line.split()) for line in lines if re.match(r"python -m pip|ln -s", line)]


def test_what_is_copied_is_there_and_the_same_for_both():
    places = copied_to()
    files = re.search(r"%files\n(.+?)\n\n", APPTAINER, re.DOTALL)[1]
    pairs = [line.split() for line in files.splitlines()]
    assert {target: source for source, target in pairs} == places
    assert [source for source in places.values() if not (ROOT / source).exists()] == []


def test_both_begin_with_the_same_python_that_the_project_is_for():
    (image,) = re.findall(r"^FROM (\S+)$", CONTAINERFILE, re.MULTILINE)
    assert re.findall(r"^From: (\S+)$", APPTAINER, re.MULTILINE) == [image]
    python = re.search(r"python:(\d+\.\d+)-", image)[1]
    assert PROJECT["requires-python"].startswith(f">={python}")


def test_both_install_the_locks_and_then_the_project():
    assert commands(CONTAINERFILE) == commands(APPTAINER)
    installed = " ".join(commands(APPTAINER))
    assert re.findall(r"--requirement locks/(\w+)\.txt", installed) == ["base", "slurm"]
    assert "pip install --no-cache-dir --no-deps --editable ." in installed


def test_what_is_copied_is_enough_to_read_the_workflow_whose_groups_are_possible(tmp_path):
    home = tmp_path / "home"
    for target, source in copied_to().items():
        place = home / Path(target).relative_to(HOME)
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy2
        copy(ROOT / source, place)
    (home / "profiles").symlink_to("workflow/profiles")
    work = tmp_path / "work"
    shutil.copytree(home / "config", work / "config")
    profile = yaml.safe_load((home / "workflow/profiles/slurm/config.yaml").read_text())
    grouped = [
        word
        for option in ("groups", "group-components")
        for word in (f"--{option}", *(f"{k}={v}" for k, v in profile[option].items()))
    ]
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(home / "Snakefile")]
    done = subprocess.run(
        [*snakemake, "--cores", "1", "--dry-run", "--quiet", *grouped, "--", *TARGETS],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(home / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "profiles/default" in done.stderr
