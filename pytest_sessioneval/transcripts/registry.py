"""Which reader reads which file: the built-in ones in order, and those of third parties."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from pytest_sessioneval.errors import Place, TranscriptError, UnrecognisedError
from pytest_sessioneval.transcripts.digest import DIGEST_VERSION
from pytest_sessioneval.transcripts.formats.fields import one_line
from pytest_sessioneval.transcripts.loading import DEFAULT_LIMITS, LOADING_VERSION, load_document
from pytest_sessioneval.transcripts.pairing import PAIRING_VERSION
from pytest_sessioneval.transcripts.reader import (
    BrokenSession,
    Document,
    FileReading,
    FoundSession,
    Limits,
    Reader,
)

__all__ = ["BUILTIN_READERS", "Registry", "builtin_readers", "content_fingerprint"]

_CHUNK = 256 * 1024
_FORMATS = "pytest_sessioneval.transcripts.formats"

BUILTIN_READERS: tuple[str, ...] = (
    "sessioneval",
    "claude_code",
    "tau2_bench",
    "tau_bench",
    "anthropic",
    "openai_chat",
    "samples",
)
"""Modules of ``transcripts.formats``, each with its ``READER``; the most particular first."""


def builtin_readers() -> tuple[Reader, ...]:
    """Return the built-in readers, in the order they are asked."""
    return tuple(
        importlib.import_module(f"{_FORMATS}.{module}").READER for module in BUILTIN_READERS
    )


@dataclass(frozen=True)
class Registry:
    """Readers in the order they are asked; the first that detects its format reads the file.

    Readers of third parties stand before the built-in ones. Two readers of one
    name are a ``ValueError``.
    """

    readers: Sequence[Reader]

    def __post_init__(self) -> None:
        if len(self.versions) != len(self.readers):
            names = ", ".join(reader.name for reader in self.readers)
            raise ValueError(f"each reader needs a name of its own; the names are {names}")

    @property
    def versions(self) -> Mapping[str, int]:
        """Every reader's version by its name, in the order they are asked."""
        return MappingProxyType({reader.name: reader.version for reader in self.readers})

    @property
    def fingerprint(self) -> str:
        """What stored readings depend on: names, order and versions of all that reads."""
        parts = [LOADING_VERSION, PAIRING_VERSION, DIGEST_VERSION, list(self.versions.items())]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def read(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> FileReading:
        """Return the sessions of the file at ``path``.

        Lines that loading left out come first in ``skipped``; readers report
        only what they left out themselves. A session of more messages than
        ``limits`` allows is in ``broken``. Raises ``UnrecognisedError`` where
        no reader recognises the document and ``TranscriptError`` where nothing
        in the file can be read.
        """
        return self.read_document(load_document(path, limits), limits)

    def read_document(self, document: Document, limits: Limits = DEFAULT_LIMITS) -> FileReading:
        """Return the sessions of a document that is loaded already; see ``read``."""
        path = document.path
        reader = self.detect(document)
        if reader is None:
            raise UnrecognisedError(
                f"no session of a known format (tried: {', '.join(self.versions)})",
                place=Place(str(path)),
            )
        with _contained(reader, path):
            reading = reader.read(document, limits)
        skipped = tuple(dict.fromkeys((*document.skipped, *reading.skipped)))
        return _within(replace(reading, skipped=skipped), path, limits)

    def detect(self, document: Document) -> Reader | None:
        """Return the first reader whose format the document has, or null.

        Raises ``TranscriptError`` where a reader fails on it.
        """
        for reader in self.readers:
            with _contained(reader, document.path):
                if reader.detects(document):
                    return reader
        return None

    def owns(self, path: Path) -> bool:
        """Return whether ``path`` belongs to a session of another file: no item of its own."""
        return any(reader.owns(path) for reader in self.readers)

    def companions(self, path: Path) -> tuple[Path, ...]:
        """Return the other files that a session in ``path`` is read from, sorted."""
        found: set[Path] = set()
        for reader in self.readers:
            found.update(reader.companions(path))
        return tuple(sorted(found)) if found else ()


@contextmanager
def _contained(reader: Reader, path: Path) -> Iterator[None]:
    """Make any failure of a reader an error of the file: the run goes on without it."""
    try:
        yield
    except TranscriptError:
        raise
    except Exception as error:  # the boundary to readers: hostile files, other people's code
        raise TranscriptError(
            f"reader {reader.name} failed with {type(error).__name__}: {one_line(error)}",
            place=Place(str(path)),
        ) from error


def content_fingerprint(path: Path, companions: Iterable[Path] = ()) -> str:
    """Return the SHA-256 over the file's name and bytes and those of its companions.

    What collection knows a file by. The name counts because a session without
    a recorded id is named by it; the folder does not. Raises
    ``TranscriptError`` where a file cannot be read.
    """
    running = hashlib.sha256()
    _add_file(running, path.name, path)
    for member in sorted(companions):
        inside = member.is_relative_to(path.parent)
        name = member.relative_to(path.parent).as_posix() if inside else str(member)
        _add_file(running, name, member)
    return running.hexdigest()


def _add_file(running: hashlib._Hash, name: str, path: Path) -> None:
    """Add name and content so that no two lists of files give the same bytes.

    By file descriptor: collection does this for every file of every run.
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait for somebody to write to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise TranscriptError("is no regular file", place=Place(str(path)))
            content = hashlib.sha256()
            while chunk := os.read(descriptor, _CHUNK):
                content.update(chunk)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise TranscriptError(
            f"cannot be read: {error.strerror or error}", place=Place(str(path))
        ) from error
    running.update(name.encode("utf-8", "surrogateescape") + b"\0" + content.digest())


def _within(reading: FileReading, path: Path, limits: Limits) -> FileReading:
    """Return the reading with sessions beyond the message limit among the broken ones."""
    sound: list[FoundSession] = []
    broken = list(reading.broken)
    for found in reading.sessions:
        parts = found.transcript.subsessions
        count = len(found.transcript.messages) + sum(len(part.messages) for part in parts)
        if count <= limits.messages:
            sound.append(found)
            continue
        error = TranscriptError(
            f"session {one_line(found.transcript.session_id)}: {count:,} messages are more than "
            f"the limit of {limits.messages:,} messages per session",
            place=Place(str(path)),
        )
        if found.locator is None:
            raise error
        broken.append(BrokenSession(found.locator, error))
    return replace(reading, sessions=tuple(sound), broken=tuple(broken))
