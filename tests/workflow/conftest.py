"""Small finished runs of the real workflow, and copies of them to change and run again."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from workflow_project import (
    LABELLED,
    Project,
    build,
    configuration,
    copied,
    labels_in_every_window,
    share_compiled,
)

_FINISHED = "a finished run"


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this session that all of its workers see."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def finished(shared: Path) -> Project:
    """A finished run, in a path with a space; it must not be changed."""
    project = Project(shared / _FINISHED, configuration())
    with made_once(project.folder) as missing:
        if missing:
            build(project.folder)
            project.make()
    return project


@pytest.fixture(scope="session")
def new(shared: Path) -> Callable[[Path], Project]:
    """Return a function that builds a project in which nothing ran yet."""

    def built(folder: Path) -> Project:
        project = build(folder)
        if _mark(shared / _FINISHED).exists():
            share_compiled(Project(shared / _FINISHED, project.config), project)
        return project

    return built


@pytest.fixture(scope="session")
def labelled(shared: Path, finished: Project) -> Project:
    """A finished run with labels, which name its window clusters; it must not be changed."""
    project = Project(shared / "a labelled run", finished.config).change(**LABELLED)
    with made_once(project.folder) as missing:
        if missing:
            copied(finished, project.folder)
            (project.folder / "labels.csv").write_text(labels_in_every_window())
            project.make()
    return project


@contextmanager
def made_once(folder: Path) -> Iterator[bool]:
    """Hold what makes a folder's content alone, and say whether it is still to be made.

    A worker waits for one that is at it already; what was left unfinished is removed.
    """
    done = _mark(folder)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = not done.exists()
        if missing:
            shutil.rmtree(folder, ignore_errors=True)
        yield missing
        done.touch()


def _mark(folder: Path) -> Path:
    """Return the file that says that a folder's content is whole."""
    return folder.with_name(f"{folder.name}.done")


@pytest.fixture(scope="module")
def started(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A module's own copy of the finished run, to go on from."""
    return copied(finished, tmp_path_factory.mktemp("started") / "project")


@pytest.fixture
def unfinished(new: Callable[[Path], Project], tmp_path: Path) -> Project:
    """A project in which nothing ran yet."""
    return new(tmp_path / "project")


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
