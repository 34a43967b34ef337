"""The hint for somebody who pointed a plain ``pytest`` at a folder of sessions.

Asked for in every run that collected nothing, so it looks before it imports.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_sessioneval.evaluation.walking import Candidate, Ignored

__all__ = ["hint_lines"]

_MOST_FILES = 40
_MOST_PATHS = 2_000
_MOST_BYTES = 4 * 1024 * 1024


def hint_lines(config: pytest.Config) -> Iterator[str]:
    """Yield how to judge the folders given, when sessions are found in them quickly."""
    for argument in config.args:
        folder = config.invocation_params.dir / argument.partition("::")[0]
        candidates = [
            candidate.path
            for candidate in islice(_walked(folder, config), _MOST_FILES)
            if not candidate.problem and candidate.path.stat().st_size <= _MOST_BYTES
        ]
        reader = _first_reader(candidates) if candidates else None
        if reader is not None:
            shown = os.path.relpath(folder, config.invocation_params.dir)
            yield f"hint: {shown} holds recorded agent sessions ({reader}). To judge them:"
            yield f"  pytest --sessioneval {shown}"
            return


def _walked(folder: Path, config: pytest.Config) -> Iterator[Candidate]:
    """Return what may hold a session; where there is nothing at all, nothing is imported."""
    if _is_empty(folder):
        return iter(())
    from pytest_sessioneval.evaluation.walking import walk

    return walk(folder, ignored=_soon_enough(config))


def _is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:  # a file, or a folder that may not be entered
        return True


def _soon_enough(config: pytest.Config) -> Ignored:
    """Return what leaves out folders pytest does not enter, and all there is after 2,000 paths."""
    left = iter(range(_MOST_PATHS))
    patterns: list[str] = config.getini("norecursedirs")

    def ignored(path: Path, is_folder: bool) -> bool:  # noqa: FBT001  the shape of Ignored
        if next(left, None) is None:
            return True
        return is_folder and any(fnmatch(path.name, pattern) for pattern in patterns)

    return ignored


def _first_reader(candidates: Sequence[Path]) -> str | None:
    """Return the name of the first reader that recognises one of the files."""
    from pytest_sessioneval.errors import TranscriptError
    from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

    registry = Registry(builtin_readers())
    for path in candidates:
        if registry.owns(path):
            continue
        try:
            return registry.read(path).reader
        except TranscriptError:
            continue
    return None
