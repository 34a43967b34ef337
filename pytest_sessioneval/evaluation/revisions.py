"""Files as they are in a git revision, read through the git executable.

Only plumbing is used (``rev-parse``, ``merge-base``, ``ls-tree``, ``cat-file``), which runs
no filter and no program that the repository's configuration could name.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_sessioneval.errors import SettingError

__all__ = ["Revision", "find_revision"]

_GIT_TIMEOUT_S = 60.0
_SINCE_FORK = "..."
_FILES = (b"100644 blob ", b"100755 blob ")
_AT_ONCE = 200
# Set while git runs a hook; they could name another repository than the folder's.
_GIT_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit, as seen from a folder of its working tree."""

    folder: Path
    """The folder, in the working tree."""
    inside: str
    """The same folder relative to the repository's root, with a slash at its end; empty: it."""
    asked: str
    """What the user typed, such as ``origin/main``."""
    commit: str
    """The commit's full hash."""
    origin: str
    """Where the user asked for it, for messages: ``--sessioneval-compare git:origin/main``."""

    def text(self, name: str) -> str | None:
        """Return the text of a file in the revision; None where it has no such file.

        ``name`` is relative to the folder, with forward slashes. Links are
        followed inside the repository. Raises ``SettingError`` for what is no
        readable text file.
        """
        place = posixpath.normpath(self.inside + name)
        if place.startswith(("../", "/")) or "\n" in place:
            raise SettingError(f"{self.origin}: {name} does not lie in the repository")
        wanted = f"{self.commit}:{place}\n".encode("utf-8", "surrogateescape")
        answer = _git(
            self.folder, self.origin, "cat-file", "--batch", "--follow-symlinks", ask=wanted
        )
        head, _, rest = answer.partition(b"\n")
        words = head.split(b" ")
        if words[-1] in {b"missing", b"ambiguous"} or words[0] in {b"dangling", b"notdir", b"loop"}:
            return None
        if words[0] == b"symlink":
            raise SettingError(f"{self.origin}: {place} is a link that leads out of the repository")
        if len(words) != 3 or words[1] != b"blob":  # noqa: PLR2004 - hash, type, size
            raise SettingError(f"{self.origin}: {place} is no file in that revision")
        try:
            return rest[: int(words[2])].decode("utf-8")
        except UnicodeDecodeError as error:
            raise SettingError(
                f"{self.origin}: {place} is no UTF-8 text (byte {error.start})"
            ) from None

    def export(self, folder: Path) -> None:
        """Write the files of the revision's folder, and of those in it, into an empty folder.

        Links and nested repositories are left out. Raises ``SettingError``.
        """
        listed = _git(self.folder, self.origin, "ls-tree", "-r", "-z", self.commit)
        entries = [entry.partition(b"\t") for entry in listed.split(b"\0")]
        files = [
            (about.rpartition(b" ")[2], PurePosixPath(os.fsdecode(name)))
            for about, _, name in entries
            if about.startswith(_FILES)
        ]
        for begin in range(0, len(files), _AT_ONCE):
            part = files[begin : begin + _AT_ONCE]
            wanted = b"".join(blob + b"\n" for blob, _ in part)
            rest = _git(self.folder, self.origin, "cat-file", "--batch", ask=wanted)
            for _, relative in part:
                head, _, rest = rest.partition(b"\n")
                if b" blob " not in head:
                    raise SettingError(
                        f"{self.origin}: {relative} of that revision is not in this clone; fetch "
                        "it whole (git fetch --refetch, without --filter)"
                    )
                size = int(head.rpartition(b" ")[2])
                if ".." not in relative.parts:  # a tree made by hand may name what it likes
                    path = folder / relative
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(rest[:size])
                rest = rest[size + 1 :]

    def place(self, name: str) -> str:
        """Return how messages name a file of the revision: ``1a2b3c4d5e6f:suite/baseline.json``."""
        return f"{self.commit[:12]}:{posixpath.normpath(self.inside + name)}"


def find_revision(folder: Path, asked: str, *, origin: str) -> Revision:
    """Return the revision that ``asked`` names in the repository the folder lies in.

    ``REF`` is any name git knows; ``REF...`` is where the branch that is checked
    out left it, as in ``git diff REF...``. Raises ``SettingError``, saying what
    to do, without a git executable, outside of a repository and for a revision
    that is not there.
    """
    name = asked.removesuffix(_SINCE_FORK)
    if not name or name.startswith("-") or "\0" in name:
        raise SettingError(
            f"{origin}: {name!r} names no revision; accepted: git:REF such as git:origin/main, and "
            "git:REF... for where the branch left REF"
        )
    places = _run(folder, origin, "rev-parse", "--show-toplevel", "--show-prefix")
    if places.returncode != 0:
        raise SettingError(
            f"{origin}: {folder} lies in no git working tree ({_reason(places)}); compare with a "
            "baseline or report.json file instead"
        )
    root, _, inside = os.fsdecode(places.stdout).removesuffix("\n").partition("\n")
    if asked.endswith(_SINCE_FORK):
        _commit(folder, root, name, origin)
        done = _run(folder, origin, "merge-base", "HEAD", name)
        if done.returncode != 0:
            raise SettingError(
                f"{origin}: {root} knows no commit that HEAD and {name!r} share; fetch the whole "
                "history (git fetch --unshallow; in GitHub Actions fetch-depth: 0 for the checkout)"
            )
        commit = done.stdout.decode().strip()
    else:
        commit = _commit(folder, root, name, origin)
    return Revision(folder=folder, inside=inside, asked=asked, commit=commit, origin=origin)


def _commit(folder: Path, root: str, name: str, origin: str) -> str:
    done = _run(folder, origin, "rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
    if done.returncode != 0:
        raise SettingError(
            f"{origin}: there is no revision {name!r} in {root}; fetch it first (git fetch origin; "
            "in GitHub Actions fetch-depth: 0 for the checkout), or name one that git log knows"
        )
    return done.stdout.decode().strip()


def _git(folder: Path, origin: str, *arguments: str, ask: bytes = b"") -> bytes:
    done = _run(folder, origin, *arguments, ask=ask)
    if done.returncode != 0:
        raise SettingError(f"{origin}: git {arguments[0]} failed: {_reason(done)}")
    return done.stdout


def _run(
    folder: Path, origin: str, *arguments: str, ask: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git")
    if git is None:
        raise SettingError(
            f"{origin}: there is no git executable on PATH; install git, or compare with a "
            "baseline or report.json file instead"
        )
    environment = {name: value for name, value in os.environ.items() if name not in _GIT_PLACES}
    try:
        return subprocess.run(  # noqa: S603 - fixed words, a hash and names that git looks up
            [git, "-C", str(folder), "-c", "core.fsmonitor=false", *arguments],
            input=ask,
            env=environment | {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingError(f"{origin}: git {arguments[0]} failed: {error}") from None


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[0].removeprefix("fatal: ") if said else f"git ended with {done.returncode}"
