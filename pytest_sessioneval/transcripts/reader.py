"""What a transcript reader is: the seam that formats and third parties plug into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.model import Transcript

__all__ = [
    "BrokenSession",
    "Document",
    "FileReading",
    "FoundSession",
    "Limits",
    "Reader",
    "Record",
    "SkippedLine",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read; beyond it the file is an error that names the limit."""

    file_bytes: int = 256 * 1024 * 1024
    """Largest file."""
    line_bytes: int = 64 * 1024 * 1024
    """Longest line of a file of one record per line."""
    depth: int = 64
    """Deepest nesting of a JSON value."""
    messages: int = 50_000
    """Most messages of one session, its sub-agents' included."""


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value of a file and the line it starts on (from 1)."""

    value: Any
    line: int


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A line that was left out while the rest of the file is sound."""

    path: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file's JSON values, strictly parsed, before any reader has looked at them.

    ``kind`` is ``json`` when the whole file is one value (``records`` then has
    exactly one) and ``jsonl`` when it holds several, one after another.
    """

    path: Path
    kind: Literal["json", "jsonl"]
    records: Sequence[Record]
    skipped: tuple[SkippedLine, ...] = ()

    @property
    def value(self) -> Any:
        """The first value: all of a ``json`` document, the first record of a ``jsonl`` one."""
        return self.records[0].value


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that was read, and what names it in its file (null: it is alone there)."""

    transcript: Transcript
    locator: str | None = None


@dataclass(frozen=True, slots=True)
class BrokenSession:
    """A session that could not be read while others of its file could."""

    locator: str
    error: TranscriptError


@dataclass(frozen=True, slots=True)
class FileReading:
    """All that reading one file gave."""

    reader: str
    reader_version: int
    sessions: tuple[FoundSession, ...]
    broken: tuple[BrokenSession, ...] = ()
    skipped: tuple[SkippedLine, ...] = ()
    unknown: dict[str, int] = field(default_factory=dict)
    """Records of kinds the reader does not know, by kind: left out, counted, reported."""


class Reader(Protocol):
    """Turns documents of one format into transcripts.

    A reader holds no state. ``version`` is raised whenever the same bytes may
    give another transcript: stored digests then count as stale.
    """

    name: str
    version: int

    def detects(self, document: Document) -> bool:
        """Return whether the document has this format, by its content alone."""
        ...

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Return the document's sessions; raises ``TranscriptError`` when none can be read."""
        ...

    def companions(self, path: Path) -> Iterable[Path]:
        """Return the other files a session in ``path`` is read from, sorted."""
        ...

    def owns(self, path: Path) -> bool:
        """Return whether ``path`` is part of a session of another file: no item of its own."""
        ...
