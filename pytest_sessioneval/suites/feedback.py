"""Reads people's thumbs from JSON Lines files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_sessioneval.errors import Place, SuiteError
from pytest_sessioneval.suites.model import FeedbackEntry, Suite
from pytest_sessioneval.suites.tomlfile import read_text
from pytest_sessioneval.suites.wording import found, nearest

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
    # Not splitlines(): a JSON string may hold U+2028 and its like.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _entry(line, Place(name, number))


def _entry(line: str, place: Place) -> FeedbackEntry:
    try:
        record = json.loads(line, object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise SuiteError("this line is nested too deeply", place=place) from None
    except ValueError as error:
        raise SuiteError(f"this line is not JSON: {error}", place=place) from None
    if not isinstance(record, dict):
        raise SuiteError(
            f"this line is {found(record)}; accepted: an object with "
            f"{', '.join(FeedbackEntry.model_fields)}",
            place=place,
        )
    if isinstance(record.get("rating"), bool | float):  # JSON's true and 1.0 pass for 1 otherwise
        raise SuiteError(_not_accepted("rating", record["rating"]), place=place)
    try:
        return FeedbackEntry.model_validate_json(json.dumps(record), strict=True)
    except ValidationError as error:
        raise SuiteError(_reason(error), place=place) from None


def _reason(error: ValidationError) -> str:
    """Return the first thing that is wrong with a line."""
    first = error.errors()[0]
    if not first["loc"]:  # half a surrogate pair, or nesting beyond what the parser takes
        return f"this line is not accepted: {first['msg']}"
    key = str(first["loc"][0])
    if first["type"] == "missing":
        return f"this line lacks the key {key!r}"
    if first["type"] == "extra_forbidden":
        known = tuple(FeedbackEntry.model_fields)
        return f"unknown key {key!r}{nearest(key, known)}; accepted: {', '.join(known)}"
    return _not_accepted(key, first["input"])


def _not_accepted(key: str, value: object) -> str:
    return f"{key} is {found(value)}; accepted: {_ACCEPTED[key]}"


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for key, value in pairs:
        if key in record:
            raise ValueError(f"the key {key!r} is there twice")
        record[key] = value
    return record
