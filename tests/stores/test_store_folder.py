"""The folder a store lies in, and that a store under version control is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from store_values import stored

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.folder import make_folder, refuse_tracked
from pytest_sessioneval.stores.sqlite import open_sqlite

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="no git executable")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return an empty git repository."""
    folder = tmp_path / "project"
    folder.mkdir()
    _git(folder, "init", "-q")
    return folder


def _git(folder: Path, *words: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)


def _make_store(file: Path) -> None:
    store = open_sqlite(file)
    store.put_opinions("run-1", [stored()])
    store.close()


def test_a_made_folder_ignores_itself(tmp_path: Path) -> None:
    """The folder is made together with a .gitignore of everything, and nothing else."""
    make_folder(tmp_path / "a" / ".sessioneval")
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert found == {"a", "a/.sessioneval", "a/.sessioneval/.gitignore"}
    assert (tmp_path / "a/.sessioneval/.gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    """A user's own folder gets no .gitignore."""
    make_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_made_folder_has_ordinary_permissions(tmp_path: Path) -> None:
    """The folder is as open as any other that this user makes."""
    make_folder(tmp_path / "store")
    (tmp_path / "ordinary").mkdir()
    assert (tmp_path / "ordinary").stat().st_mode == (tmp_path / "store").stat().st_mode


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Where a file is in the way, the message names the folder and what to do."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"file/\.sessioneval: .* cannot be made .*store"):
        make_folder(tmp_path / "file" / ".sessioneval")


@needs_git
def test_a_store_file_tracked_by_git_is_refused(repository: Path) -> None:
    """A store that came with a commit is not opened, even though its folder ignores it."""
    file = repository / ".sessioneval" / "store.db"
    _make_store(file)
    _git(repository, "add", "-f", ".sessioneval/store.db")
    with pytest.raises(StoreError, match=r"git tracks this file.*git rm -f \.sessioneval/store.db"):
        open_sqlite(file)


@needs_git
@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_tracked_log_beside_the_store_is_refused(repository: Path, suffix: str) -> None:
    """SQLite would apply a log that came with a commit to an honest store."""
    file = repository / ".sessioneval" / "store.db"
    _make_store(file)
    file.with_name(f"store.db{suffix}").write_bytes(b"forged")
    _git(repository, "add", "-f", f".sessioneval/store.db{suffix}")
    with pytest.raises(StoreError, match=f"store.db{suffix}: git tracks"):
        open_sqlite(file)


@needs_git
def test_a_link_does_not_hide_a_tracked_store(repository: Path) -> None:
    """A committed folder that ``.sessioneval`` links to is found out."""
    _make_store(repository / "forged" / "store.db")
    (repository / ".sessioneval").symlink_to("forged")
    _git(repository, "add", "-f", "forged/store.db")
    with pytest.raises(StoreError, match=r"forged/store\.db: git tracks"):
        open_sqlite(repository / ".sessioneval" / "store.db")


@needs_git
def test_an_untracked_store_in_a_work_tree_is_opened(repository: Path) -> None:
    """A store that no commit brought is used as it is."""
    file = repository / ".sessioneval" / "store.db"
    _make_store(file)
    _git(repository, "add", "-A")
    store = open_sqlite(file)
    assert list(store.opinions(["key-1"])) == ["key-1"]
    store.close()


@needs_git
def test_the_index_is_searched_where_git_cannot_say(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a git executable a tracked store is found all the same."""
    file = repository / "data" / "store.db"
    _make_store(file)
    _git(repository, "add", "-f", "data/store.db")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StoreError, match=r"data/store\.db: git tracks"):
        refuse_tracked(file)


@needs_git
def test_another_file_of_that_name_is_not_taken_for_the_store(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a git executable an untracked store is not refused for a tracked namesake."""
    _make_store(repository / "data" / "store.db")
    _make_store(repository / "mine" / "store.db")
    _git(repository, "add", "-f", "data/store.db")
    monkeypatch.setenv("PATH", "")
    refuse_tracked(repository / "mine" / "store.db")


@needs_git
def test_a_git_hooks_environment_does_not_mislead(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that point git at another repository, as hooks set them, are not followed."""
    file = repository / "store.db"
    _make_store(file)
    _git(repository, "add", "-f", "store.db")
    other = tmp_path / "other"
    other.mkdir()
    _git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    with pytest.raises(StoreError, match="git tracks"):
        refuse_tracked(file)


def test_outside_a_work_tree_nothing_is_asked(tmp_path: Path) -> None:
    """A store that lies in no git work tree is not checked any further."""
    if any((folder / ".git").exists() for folder in tmp_path.parents):
        pytest.skip("the temporary folder lies in a git work tree")
    _make_store(tmp_path / "store.db")
    refuse_tracked(tmp_path / "store.db")
