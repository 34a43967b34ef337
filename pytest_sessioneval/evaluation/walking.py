"""Which files of a suite's folder may hold a session."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch, fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

from pytest_sessioneval.suites.discovery import find_suite_file
from pytest_sessioneval.transcripts.sample_columns import TABLE_SUFFIX, begins_like_samples

__all__ = ["Candidate", "Ignored", "as_text", "left_out_by_default", "passed_over", "walk"]

Ignored = Callable[[Path, bool], bool]
"""Says of a path, and whether it is a folder, that nothing in it counts."""

_JSON_SUFFIXES = {".json", ".jsonl", ".ndjson", ".traj"}
_LEFT_OUT = (
    *("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}"),
    "__pycache__",
)
"""Folders that pytest does not look into by default: its norecursedirs, and its leftovers."""
_Kind = Literal["folder", "file", "link", "special", "unlistable"]
_SNIFFED_BYTES = 256
_FIRST_LINE_BYTES = 4_096
_NO_TEXT = "has a name that is not UTF-8; rename it"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may hold a session.

    ``expected``: its name, a glob of the suite or the user says that it does, so
    that not being readable is an error. ``problem``: why it cannot be opened.
    """

    path: Path
    relative: str
    expected: bool
    problem: str = ""


def walk(
    root: Path,
    *,
    globs: Collection[str] = (),
    ignored: Ignored = lambda _path, _is_folder: False,
    named: Collection[Path] = (),
    only_named: bool = False,
) -> Iterator[Candidate]:
    """Yield the candidates below ``root``, by path.

    Hidden folders, links to folders and whatever ``ignored`` says are left out.
    Without globs a file is a candidate when its name says JSON, its first
    character could begin a JSON value, or it is a table with the columns of
    samples. ``named`` files are no exception, as a test module beside the
    sessions may be named too, but one that could hold JSON or samples and no
    session is an error. ``only_named``: nothing else is looked at.
    """
    inside = root.resolve()
    entries: Iterator[tuple[Path, _Kind]] = _entries(root, ignored, frozenset(named))
    if only_named:
        entries = ((path, _kind_of(path)) for path in sorted(named))
    for path, kind in entries:
        relative = path.relative_to(root).as_posix()
        chosen = bool(globs) and _matches(relative, globs)
        if globs and not chosen and path not in named and kind != "unlistable":
            continue
        promised = chosen or path.suffix in _JSON_SUFFIXES
        if kind not in {"file", "link"}:
            problem = _no_file(path, kind, promised=promised)
            if problem:
                yield Candidate(path, relative, expected=True, problem=problem)
            continue
        problem = _link_problem(path, inside) if kind == "link" else ""
        table = path.suffix.lower() == TABLE_SUFFIX
        expected = promised or (path in named and (table or _could_be_json(path)))
        if expected or (not problem and _could_be_sessions(path, table=table)):
            told = as_text(relative)
            if told != relative:
                yield Candidate(path, told, expected=True, problem=_NO_TEXT)
            else:
                yield Candidate(path, relative, expected=expected, problem=problem)


def left_out_by_default(folder: Path) -> bool:
    """Return whether pytest, told nothing else, does not look into the folder."""
    named = any(fnmatch(folder.name, pattern) for pattern in _LEFT_OUT)
    return named or os.path.isfile(folder / "pyvenv.cfg")  # noqa: PTH113 -- False, never an error


def passed_over(path: Path, is_folder: bool) -> bool:  # noqa: FBT001 - the shape of Ignored
    """Return whether a command passes over it: left out by default, or a suite of its own."""
    return is_folder and (left_out_by_default(path) or find_suite_file(path) is not None)


def as_text(name: str) -> str:
    """Return a file's name as text that can be written anywhere: ``?`` for bytes that are none."""
    return name.encode("utf-8", "replace").decode()


def _entries(
    folder: Path, ignored: Ignored, named: frozenset[Path]
) -> Iterator[tuple[Path, _Kind]]:
    entries = _entries_of(folder)
    if entries is None:
        yield folder, "unlistable"
        return
    for entry in entries:
        path = folder / entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if path not in named and (entry.name.startswith(".") or ignored(path, is_folder)):
            continue
        if is_folder:
            yield path, "folder"
            yield from _entries(path, ignored, named)
        elif entry.is_file(follow_symlinks=False):
            yield path, "file"
        elif not path.is_dir():  # else a link to a folder
            yield path, _kind_of(path)


def _entries_of(folder: Path) -> list[os.DirEntry[str]] | None:
    """Return what lies in the folder, by name; None when it cannot be listed."""
    try:
        with os.scandir(folder) as scan:
            return sorted(scan, key=lambda entry: entry.name)
    except OSError:
        return None


def _kind_of(path: Path) -> _Kind:
    """Return whether opening the path could wait for ever; a link to nothing is a link."""
    if path.exists() and not path.is_file():
        return "special"
    return "link" if path.is_symlink() else "file"


def _no_file(path: Path, kind: _Kind, *, promised: bool) -> str:
    """Return what is wrong with something that is no file; empty: nothing."""
    if kind == "unlistable":
        return "cannot be listed"
    if kind == "special":
        return "is no regular file (a pipe, a socket or a device)" if promised else ""
    empty = path.suffix in _JSON_SUFFIXES and not _entries_of(path)
    return "is a folder, not a file" if empty else ""


def _matches(relative: str, globs: Collection[str]) -> bool:
    parts = tuple(relative.split("/"))
    return any(
        parts == pattern or _parts_match(parts, pattern) for pattern in map(_parts_of, globs)
    )


@cache
def _parts_of(glob: str) -> tuple[str, ...]:
    return PurePosixPath(glob).parts  # drops what says nothing, such as a leading ./


def _parts_match(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a path matches a glob, folder by folder: one star never crosses into the next."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_parts_match(parts[at:], pattern[1:]) for at in range(len(parts) + 1))
    return (
        bool(parts) and fnmatchcase(parts[0], pattern[0]) and _parts_match(parts[1:], pattern[1:])
    )


def _link_problem(path: Path, inside: Path) -> str:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a link to nothing"
    if not target.is_relative_to(inside):
        return "is a link to a file outside of the suite's folder; copy the file instead"
    return ""


def _could_be_sessions(path: Path, *, table: bool) -> bool:
    """Whether a file begins like JSON, or as a table like one of samples."""
    return begins_like_samples(_head(path, _FIRST_LINE_BYTES)) if table else _could_be_json(path)


def _head(path: Path, size: int) -> bytes:
    """Return how a file begins; nothing where it cannot be opened."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def _could_be_json(path: Path) -> bool:
    """Whether a file with any name begins like a JSON object, or a list of them.

    ``[section]`` of an ini file does not, nor does the comment a program begins with.
    """
    head = _head(path, _SNIFFED_BYTES)
    head = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    while head.startswith(b"//"):
        head = head.partition(b"\n")[2].lstrip()
    inner = head.lstrip(b"[ \t\r\n")
    if inner.startswith(b"{"):
        return inner[1:].lstrip()[:1] in (b"", b'"', b"}")
    return head.startswith(b"[") and inner[:1] in (b"", b"]")
