"""A small finished run of the real workflow, and copies of it to change and run again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from workflow_project import Project, build


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished run, in a path with a space; it must not be changed."""
    project = build(tmp_path_factory.mktemp("workflow") / "a finished run")
    project.make()
    return project


@pytest.fixture(scope="module")
def started(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A module's own copy of the finished run, to go on from."""
    return copied(finished, tmp_path_factory.mktemp("started") / "project")


@pytest.fixture
def unfinished(tmp_path: Path) -> Project:
    """A project in which nothing ran yet."""
    return build(tmp_path / "project")


@pytest.fixture
def emptied(copy: Callable[[], Project]) -> Project:
    """A copy of the finished run, with the same strain, from which every result is gone."""
    project = copy()
    for name in ("results", ".snakemake"):
        shutil.rmtree(project.folder / name)
    return project


@pytest.fixture
def copy(finished: Project, tmp_path: Path) -> Callable[[], Project]:
    """Return a function that copies the finished run, times of files included."""

    return lambda: copied(finished, tmp_path / "copy")


def copied(project: Project, folder: Path) -> Project:
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder, project.config)
