"""Globs for ``[suite]`` ``sessions`` that tell the files with sessions from the others."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

__all__ = ["covering_globs"]

_JSON_SUFFIXES = {".json", ".jsonl", ".ndjson", ".traj"}
_MOST = 6

_Parts = tuple[str, ...]


def covering_globs(wanted: Collection[str], others: Collection[str]) -> tuple[str, ...]:
    """Return globs that match every file of ``wanted`` and none of ``others``; empty: none do.

    Both are paths relative to the suite, with forward slashes. As wide as they
    can be below the folder that all wanted files share, so that sessions
    recorded later are matched too. At most six. Files whose name does not say
    JSON are never covered: whatever a glob matches is expected to hold a session.
    """
    paths = [PurePosixPath(path) for path in wanted]
    suffixes = sorted({path.suffix for path in paths})
    if not paths or not _JSON_SUFFIXES.issuperset(suffixes):
        return ()
    if any("\n" in path or not _is_text(path) for path in wanted):
        return ()
    shared = _shared_folder(paths)
    found: list[str] = []
    for suffix in suffixes:
        found += _cover(
            "".join(f"{glob.escape(part)}/" for part in shared),
            suffix,
            [path.parts[len(shared) :] for path in paths if path.suffix == suffix],
            [
                path.parts[len(shared) :]
                for path in map(PurePosixPath, others)
                if path.suffix == suffix and path.parts[: len(shared)] == shared
            ],
        )
    return tuple(found) if len(found) <= _MOST else ()


def _cover(
    prefix: str, suffix: str, wanted: Collection[_Parts], others: Collection[_Parts]
) -> Iterator[str]:
    """Yield globs for what lies below one folder: all of it, else its own files and its folders."""
    if not others:
        yield f"{prefix}**/*{suffix}"
        return
    here = sorted(parts[0] for parts in wanted if len(parts) == 1)
    if here and not any(len(parts) == 1 for parts in others):
        yield f"{prefix}*{suffix}"
    else:
        yield from (prefix + glob.escape(name) for name in here)
    for folder in sorted({parts[0] for parts in wanted if len(parts) > 1}):
        inside = f"{prefix}{glob.escape(folder)}/"
        yield from _cover(inside, suffix, _below(folder, wanted), _below(folder, others))


def _below(folder: str, paths: Collection[_Parts]) -> list[_Parts]:
    return [parts[1:] for parts in paths if len(parts) > 1 and parts[0] == folder]


def _shared_folder(paths: Collection[PurePosixPath]) -> _Parts:
    return PurePosixPath(os.path.commonpath([path.parent for path in paths]) or ".").parts


def _is_text(path: str) -> bool:
    """Return whether the path can be written to a file: it may hold bytes that are no UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in path)
