"""Transcripts for judging: as collection read them or read again, checked, redacted."""

from __future__ import annotations

import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from pathlib import Path

from pytest_sessioneval.errors import Place, TranscriptError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.transcripts.digest import digest, summarise
from pytest_sessioneval.transcripts.model import SessionSummary, Transcript
from pytest_sessioneval.transcripts.reader import FileReading, Limits
from pytest_sessioneval.transcripts.redaction import SECRETS, redact
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.transcripts.registry import Registry

__all__ = ["Readings", "TranscriptSource", "redacted_summary"]

_REMEMBERED = 4
_SMALL_BYTES = 256 * 1024
_KEPT_BYTES = 16 * 1024 * 1024


class Readings:
    """What collection read, the small files of it, until each is judged.

    Reading a file again takes as long as prompt and reply together. Bounded by
    the files' own size: at most 16 MiB, none over 256 KiB. A file that was
    touched meanwhile is read again.
    """

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[FileReading, tuple[int, int, int]]] = {}
        self._bytes = 0

    def keep(self, path: Path, reading: FileReading, status: os.stat_result) -> None:
        """Keep the reading of a file that had this status before it was read, if there is room."""
        size = status.st_size
        if size <= _SMALL_BYTES and self._bytes + size <= _KEPT_BYTES:
            self._bytes += size
            self._kept[path] = reading, _state(status)

    def get(self, path: Path) -> FileReading | None:
        """Return the file's reading, and keep it; None where it has to be read again."""
        kept = self._kept.get(path)
        if kept is None:
            return None
        reading, state = kept
        return reading if _state_of(path) == state else None

    def take(self, path: Path) -> FileReading | None:
        """Return the file's reading and let go of it; None where it has to be read again."""
        reading = self.get(path)
        self._kept.pop(path, None)
        return reading


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        return _state(os.stat(path))  # noqa: PTH116
    except OSError:
        return None


class TranscriptSource:
    """Gives members' transcripts, from any thread, with secrets replaced.

    Files of several sessions are read once for several of them: the last few
    are remembered until they are touched. ``readings`` are taken before a file
    is read again.
    """

    def __init__(
        self,
        registry: Registry,
        limits: Limits | None = None,
        readings: Readings | None = None,
    ) -> None:
        self._registry = registry
        self._collected = readings or Readings()
        self._limits = limits or Limits()
        self._reading = threading.Lock()
        self._counting = threading.Lock()
        self._readings: OrderedDict[Path, tuple[FileReading, tuple[int, int, int] | None]] = (
            OrderedDict()
        )
        self._redacted: dict[str, Counter[str]] = {}

    @property
    def readers(self) -> Mapping[str, int]:
        """Every reader's version by its name."""
        return self._registry.versions

    def load(self, member: Member, policy: RedactionPolicy = SECRETS) -> Transcript:
        """Return the member's transcript, redacted as its suite's policy says.

        Raises ``TranscriptError`` when the file cannot be read any more, or when
        it changed since it was collected.
        """
        if member.session.summary.locator is None:
            reading = self._read(member.path)
        else:
            with self._reading:
                reading = self._remembered(member.path)
        found = _found(member, reading)
        return self.redact(found, suite=member.session.suite, policy=policy)

    def peek(self, member: Member, policy: RedactionPolicy = SECRETS) -> Transcript:
        """Return the same without counting what is redacted: it is not going to a judge yet."""
        with self._reading:
            reading = self._collected.get(member.path)
            if reading is None and member.session.summary.locator is not None:
                reading = self._remembered(member.path)
        if reading is None:
            reading = self._registry.read(member.path, self._limits)
        return redact(_found(member, reading), policy).transcript

    def redact(
        self, transcript: Transcript, *, suite: str, policy: RedactionPolicy = SECRETS
    ) -> Transcript:
        """Return the transcript with secrets replaced, counted as that suite's."""
        result = redact(transcript, policy)
        with self._counting:
            self._redacted.setdefault(suite, Counter()).update(result.counts)
        return result.transcript

    def redacted(self, suite: str) -> dict[str, int]:
        """Return how many secrets were replaced in the suite's sessions, by kind, sorted."""
        with self._counting:
            return dict(sorted(self._redacted.get(suite, Counter()).items()))

    def _remembered(self, path: Path) -> FileReading:
        kept = self._readings.get(path)
        state = _state_of(path)
        if kept is None or kept[1] != state:
            kept = self._readings[path] = self._read(path), state
            if len(self._readings) > _REMEMBERED:
                self._readings.popitem(last=False)
        self._readings.move_to_end(path)
        return kept[0]

    def _read(self, path: Path) -> FileReading:
        return self._collected.take(path) or self._registry.read(path, self._limits)


def _found(member: Member, reading: FileReading) -> Transcript:
    for found in reading.sessions:
        if found.locator == member.session.summary.locator:
            if digest(found.transcript) != member.session.summary.digest:
                break
            return found.transcript
    raise TranscriptError(
        "the session changed while the run was going on; run again",
        place=Place(str(member.path)),
    )


def redacted_summary(
    transcript: Transcript, locator: str | None = None, policy: RedactionPolicy = SECRETS
) -> SessionSummary:
    """Return what collection keeps of a session, with secrets replaced in its words.

    It goes into store and reports; the digest is that of the transcript as recorded.
    """
    summary = summarise(transcript, locator)
    if not (summary.name or summary.metadata or (summary.outcome and summary.outcome.detail)):
        return summary
    header = transcript.model_copy(update={"messages": (), "subsessions": ()})
    header = redact(header, policy).transcript
    return summary.model_copy(
        update={"name": header.name, "metadata": header.metadata, "outcome": header.outcome}
    )
