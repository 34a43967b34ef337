"""The folder a store file lies in: made with its ``.gitignore``, and never under version control.

Whoever may open a pull request may add files: a store file tracked by git
could bring scores that nobody gave. SQLite also reads the ``-wal`` and
``-journal`` files beside it, so the same holds for them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from pytest_sessioneval.errors import StoreError

__all__ = ["make_folder", "refuse_tracked"]

_GIT_TIMEOUT_S = 20.0
# Set while git runs a hook, and then they name another repository or index than the store's.
_GIT_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")


def make_folder(folder: Path) -> None:
    """Make the folder with a ``.gitignore`` of ``*`` in it, both at once; leave one that exists.

    Missing parents are made too, without a ``.gitignore``. Raises ``StoreError``.
    """
    if folder.is_dir():
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = folder.parent / f".{folder.name.lstrip('.')}-{secrets.token_hex(6)}"
        made.mkdir()
        try:
            (made / ".gitignore").write_text("*\n", encoding="utf-8")
            _put_in_place(made, folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise StoreError(
            f"{folder}: the store's folder cannot be made ({error.strerror or error}): make it "
            "writable, or name another store with --sessioneval-store"
        ) from error


def refuse_tracked(store: Path) -> None:
    """Raise ``StoreError`` when git tracks the store file or one that SQLite reads with it.

    Outside a git work tree nothing is asked. Without a usable git executable
    the index is searched for the file's name.
    """
    store = store.resolve()
    root = next((folder for folder in store.parents if (folder / ".git").exists()), None)
    if root is None:
        return
    files = [store.with_name(store.name + suffix) for suffix in ("", "-wal", "-journal")]
    names = [file.relative_to(root).as_posix() for file in files]
    tracked = _tracked_by_git(root, names)
    if tracked is None:
        tracked = _named_in_index(root, names)
    if tracked:
        name = tracked[0]
        raise StoreError(
            f"{root / name}: git tracks this file, so a commit could bring scores that no judge "
            f"gave: remove it (git rm -f {name}), or name another store with --sessioneval-store"
        )


def _put_in_place(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        # Another process was quicker: its folder is as good as ours.
        if not folder.is_dir():
            raise


def _tracked_by_git(root: Path, names: list[str]) -> list[str] | None:
    """Return those that git tracks; None when git cannot say."""
    git = shutil.which("git")
    if git is None:
        return None
    # A file system monitor named in the repository's configuration would be run.
    command = [git, "-c", "core.fsmonitor=false", "--literal-pathspecs"]
    environment = {name: value for name, value in os.environ.items() if name not in _GIT_PLACES}
    with suppress(OSError, subprocess.TimeoutExpired):
        answer = subprocess.run(  # noqa: S603 - fixed words and the store's own path
            [*command, "ls-files", "-z", "--", *names],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
        if answer.returncode == 0:
            return [os.fsdecode(name) for name in answer.stdout.split(b"\0") if name]
    return None


def _named_in_index(root: Path, names: list[str]) -> list[str]:
    """Return those that the index names; none when it cannot be read."""
    marker = root / ".git"
    try:
        if marker.is_file():
            words = marker.read_text(encoding="utf-8").partition("gitdir:")
            marker = root / words[2].strip()
        index = (marker / "index").read_bytes()
    except (OSError, UnicodeDecodeError):
        return []
    return [name for name in names if os.fsencode(name) + b"\0" in index]
