import shutil
import subprocess

import pytest

from gwmorph.provenance.checkout import describe_checkout

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder, *arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    call = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "a checkout"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a.py").write_text("1\n")
    (folder / ".gitignore").write_text("results/\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


def test_a_clean_checkout_is_its_commit(checkout):
    (checkout / "results").mkdir()
    (checkout / "results" / "ignored").touch()
    found = describe_checkout(checkout)
    assert found.commit == git(checkout, "rev-parse", "HEAD")
    assert found.is_clean is True


def test_changed_and_new_files_are_named(checkout):
    (checkout / "a.py").write_text("2\n")
    (checkout / "new name.py").touch()
    found = describe_checkout(checkout)
    assert found.changed == ("a.py", "new name.py")
    assert found.is_clean is False


def test_a_copy_without_git_says_so(tmp_path):
    found = describe_checkout(tmp_path)
    assert (found.commit, found.is_clean) == (None, None)
    assert found.why == "the workflow's folder is no git checkout"


def test_a_copy_inside_of_another_checkout_is_not_that_ones_commit(checkout):
    (checkout / "inside").mkdir()
    assert describe_checkout(checkout / "inside").commit is None


def test_a_checkout_before_its_first_commit_says_so(tmp_path):
    git(tmp_path, "init", "-q")
    found = describe_checkout(tmp_path)
    assert (found.commit, found.why) == (
        None,
        "the workflow's folder is a git checkout without a commit",
    )


def test_without_git_nothing_is_claimed(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert describe_checkout(checkout).why == "git is not installed"
