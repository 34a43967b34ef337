"""The hint for somebody who pointed a plain ``pytest`` at a folder of sessions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.evaluation.walking import walk
from pytest_sessioneval.transcripts.reader import Limits
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

__all__ = ["hint_lines"]

_MOST_FILES = 40
_LIMITS = Limits(file_bytes=4 * 1024 * 1024)


def hint_lines(config: pytest.Config) -> Iterator[str]:
    """Yield how to judge the folders given, when sessions are found in them quickly."""
    registry = Registry(builtin_readers())
    for argument in config.args:
        folder = config.invocation_params.dir / argument.partition("::")[0]
        name = _found(folder, registry)
        if name is not None:
            shown = os.path.relpath(folder, config.invocation_params.dir)
            yield f"hint: {shown} holds recorded agent sessions ({name}). To judge them:"
            yield f"  pytest --sessioneval {shown}"
            return


def _found(folder: Path, registry: Registry) -> str | None:
    """Return the name of the first reader that recognises a file of the folder."""
    if not folder.is_dir():
        return None
    for candidate in islice(walk(folder), _MOST_FILES):
        if candidate.problem or registry.owns(candidate.path):
            continue
        try:
            return registry.read(candidate.path, _LIMITS).reader
        except TranscriptError:
            continue
    return None
