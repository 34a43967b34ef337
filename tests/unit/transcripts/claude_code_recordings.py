"""Real Claude Code sessions under test: which files, and what reads them in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_sessioneval.transcripts.formats.claude_code import READER
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.reader import FileReading, Limits

__all__ = [
    "FILES_AND_PROGRESS",
    "FIVE_AGENTS",
    "INLINE",
    "NESTED",
    "Read",
    "ReadOne",
    "reading_from",
    "records_of",
    "sessions_from",
]

NESTED = "entire-checkpoints-odd/task-subagents/10/a740e118e0/0/full.jsonl"
INLINE = "projects/viewer-sample-project/5c0375b4-57a5-4f26-b12d-d022ee4e51b7.jsonl"
FILES_AND_PROGRESS = "projects/moredip-samples/4b2030ed-5563-49ea-b703-6a002f2d3cc8.jsonl"
FIVE_AGENTS = "projects/moredip-samples/0ccf1a04-1b4c-43b6-8aa5-79e41db43a68.jsonl"

Read = Callable[[str], FileReading]
ReadOne = Callable[[str], Transcript]


def reading_from(folder: Path) -> Read:
    """Return what reads a file of that folder."""

    def reading(name: str) -> FileReading:
        document = load_document(folder / name)
        assert READER.detects(document)
        return READER.read(document, Limits())

    return reading


def sessions_from(folder: Path) -> ReadOne:
    """Return what reads the only session of a file of that folder."""
    read = reading_from(folder)

    def only(name: str) -> Transcript:
        (found,) = read(name).sessions
        assert found.locator is None
        return found.transcript

    return only


def records_of(path: Path) -> list[dict[str, Any]]:
    """Return the file's records as they stand there."""
    return [record.value for record in load_document(path).records]
