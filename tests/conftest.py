"""Fixtures that every test may use."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from browsing import launched

# How long an example takes is the machine's business, and no test's.
settings.register_profile("gwmorph", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gwmorph")

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that workers end together."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real strain; set ``GWMORPH_DATA`` to point elsewhere."""
    folder = Path(os.environ.get("GWMORPH_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "strain").is_dir():
        pytest.skip(f"no real strain at {folder}; set GWMORPH_DATA to a folder that has it")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A browser to look at pages with."""
    with launched() as one:
        yield one


@pytest.fixture(autouse=True)
def environment_is_put_back() -> Iterator[None]:
    """Undo what the command line sets for its process, which here is that of all tests.

    Nothing else is touched: libraries' threads may read the environment meanwhile.
    """
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    for name in (name for name, text in before.items() if os.environ.get(name) != text):
        os.environ[name] = before[name]


@pytest.fixture(autouse=True)
def warnings_are_heard() -> None:
    """Undo what a library that an earlier test ran did to loggers: tests look for warnings."""
    logging.disable(logging.NOTSET)
    logging.getLogger().setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "gwmorph":
            logger = logging.getLogger(name)
            logger.disabled, logger.propagate = False, True
