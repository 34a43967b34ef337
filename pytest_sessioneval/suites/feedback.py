"""Reads people's thumbs from JSON Lines files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.json_lines import not_accepted, read_as, records
from pytest_sessioneval.suites.model import FeedbackEntry, Suite
from pytest_sessioneval.suites.tomlfile import read_text

__all__ = ["MAX_BYTES", "feedback_by_session", "feedback_for", "latest", "read_feedback"]

MAX_BYTES = 64 * 1024 * 1024
"""Largest feedback file: 64 MiB."""

_ACCEPTED = {
    "session_id": "a string",
    "message_index": "a whole number of at least 0",
    "rating": "1 or -1",
    "comment": "a string",
    "at": "a date and time such as 2026-11-21T19:04:00Z",
}


def read_feedback(path: Path) -> tuple[FeedbackEntry, ...]:
    """Return the file's thumbs, one per message: a later line replaces an earlier one.

    Each line is an object with ``session_id``, ``message_index`` (from 0),
    ``rating`` (1 or -1) and, if wished, ``comment`` and ``at``; empty lines are
    left out. Raises ``SuiteError`` with the line of the first that is not
    accepted.
    """
    text = read_text(path, what="feedback file", max_bytes=MAX_BYTES)
    return latest(_entries(text, str(path)))


def latest(entries: Iterable[FeedbackEntry]) -> tuple[FeedbackEntry, ...]:
    """Return one entry per session and message: the last one given, at the first one's place."""
    by_message = {(entry.session_id, entry.message_index): entry for entry in entries}
    return tuple(by_message.values())


def feedback_by_session(suite: Suite) -> dict[str, tuple[FeedbackEntry, ...]]:
    """Return the suite's thumbs by session id, each session's in order of its messages."""
    grouped: dict[str, list[FeedbackEntry]] = {}
    for entry in suite.feedback:
        grouped.setdefault(entry.session_id, []).append(entry)
    return {
        session_id: tuple(sorted(entries, key=lambda entry: entry.message_index))
        for session_id, entries in grouped.items()
    }


def feedback_for(suite: Suite, session_id: str) -> tuple[FeedbackEntry, ...]:
    """Return one session's thumbs in order of its messages; for many sessions, group them once."""
    return feedback_by_session(suite).get(session_id, ())


def _entries(text: str, name: str) -> Iterator[FeedbackEntry]:
    keys = f"an object with {', '.join(FeedbackEntry.model_fields)}"
    for place, record in records(text, name, accepted=keys):
        if isinstance(record.get("rating"), bool | float):  # JSON's true and 1.0 pass for 1
            wrong = not_accepted("rating", record["rating"], _ACCEPTED)
            raise SuiteError(wrong, place=place)
        yield read_as(FeedbackEntry, record, place, accepted=_ACCEPTED)
