"""Which packages a run was made with, beside those that its lock names."""

import re
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;#]+)", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """An installed package; ``locked`` is the version in the lock, None where it is not in it."""

    name: str
    version: str
    locked: str | None

    @property
    def is_locked(self) -> bool:
        """Whether it is the lock's version; a local part, as ``+cpu``, does not count."""
        return self.version.partition("+")[0] == self.locked


def installed_packages(lock: Path) -> list[Package]:
    """Return the packages of a lock file that are installed, by name.

    Of the lock's packages that are missing nothing ran.

    Raises
    ------
    OSError
        The lock cannot be read.
    """
    pins = {_plain(name): pin for name, pin in _PIN.findall(lock.read_text(encoding="utf-8"))}
    found = {_plain(one.name): one.version for one in distributions() if one.name}
    return [Package(name, found[name], pins[name]) for name in sorted(pins.keys() & found.keys())]


def _plain(name: str) -> str:
    """Return a package's name as all spellings of it compare (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
