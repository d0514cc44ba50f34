"""Which code a run was made with: its commit, and whether that is all there was."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkout:
    """The state of the folder that holds the workflow.

    ``commit`` is None where ``why`` says why there is none to be known; ``changed`` are the files
    that differ from it, or are not in it.
    """

    commit: str | None
    changed: tuple[str, ...] = ()
    why: str | None = None

    @property
    def is_clean(self) -> bool | None:
        """Whether the folder holds the commit and nothing else; None where none is known."""
        return None if self.commit is None else not self.changed


def describe_checkout(folder: Path) -> Checkout:
    """Return the commit of the workflow's folder; a folder inside of another checkout has none."""
    git = shutil.which("git")
    if git is None:
        return Checkout(None, why="git is not installed")
    top = _said(git, folder, "rev-parse", "--show-toplevel")
    if top is None or Path(top.strip()).resolve() != folder.resolve():
        return Checkout(None, why="the workflow's folder is no git checkout")
    commit = _said(git, folder, "rev-parse", "--verify", "HEAD")
    status = _said(git, folder, "status", "--porcelain", "-z", "--no-renames")
    if commit is None or status is None:
        return Checkout(None, why="the workflow's folder is a git checkout without a commit")
    changed = tuple(sorted(entry[3:] for entry in status.split("\0") if entry))
    return Checkout(commit.strip(), changed)


def _said(git: str, folder: Path, *arguments: str) -> str | None:
    """Return what git prints, or None where it refuses."""
    # A record takes no lock that a running git may need.
    call = [git, "--no-optional-locks", "-C", str(folder), *arguments]
    done = subprocess.run(call, capture_output=True, check=False)
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
