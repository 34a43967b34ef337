"""Where and with what a run is made."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_sessioneval import __version__
from pytest_sessioneval.evaluation.provenance import new_run_id, provenance

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _git(folder: Path, *arguments: str) -> str:
    given = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    done = subprocess.run([*given, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a work tree with one commit on a branch of a known name."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    _git(tmp_path, "init", "-q", "-b", "topic")
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    _git(tmp_path, "add", "a.txt")
    _git(tmp_path, "commit", "-q", "-m", "One")
    return tmp_path


def test_a_run_id_sorts_by_time() -> None:
    """Date and time in UTC, then six digits by chance."""
    assert re.fullmatch(r"20260102-030405-[0-9a-f]{6}", new_run_id(NOW))


def test_run_ids_of_one_second_differ() -> None:
    """Two runs may begin together."""
    assert 50 == len({new_run_id(NOW) for _ in range(50)})


def test_the_commit_is_told(tree: Path) -> None:
    """With its branch, and that nothing was changed."""
    made = provenance(tree)
    assert (_git(tree, "rev-parse", "HEAD"), "topic", False) == (
        made.git_commit,
        made.git_branch,
        made.git_dirty,
    )


def test_a_changed_file_makes_it_dirty(tree: Path) -> None:
    """The commit alone would not tell what ran."""
    (tree / "a.txt").write_text("b", encoding="utf-8")
    assert provenance(tree).git_dirty is True


def test_a_new_file_does_not(tree: Path) -> None:
    """The run's own folder is one."""
    (tree / "b.txt").write_text("b", encoding="utf-8")
    assert provenance(tree).git_dirty is False


def test_a_folder_within_the_tree_will_do(tree: Path) -> None:
    """The run's root need not be the repository's."""
    (tree / "deep").mkdir()
    assert "topic" == provenance(tree / "deep").git_branch


def test_a_tree_without_a_commit_has_none(tmp_path: Path) -> None:
    """Git's complaint is no commit."""
    _git(tmp_path, "init", "-q")
    made = provenance(tmp_path)
    assert (None, False) == (made.git_commit, made.git_dirty)


def test_no_work_tree_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of git's fields are null."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    made = provenance(tmp_path)
    assert (None, None, None) == (made.git_commit, made.git_branch, made.git_dirty)


def test_without_git_the_rest_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git evaluates all the same."""
    monkeypatch.setenv("PATH", str(tmp_path))
    made = provenance(tmp_path)
    assert (__version__, None) == (made.tool_version, made.git_commit)
    assert {"pytest", "pydantic"} <= made.packages.keys()
