"""Keeps people's thumbs in the store: one per message, brought in, shown and taken out."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pytest_sessioneval.evaluation.thumbs import keep_thumbs
from pytest_sessioneval.reports.neutralise import csv_cell, one_line
from pytest_sessioneval.reports.plain_table import plain_table
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.feedback import read_feedback
from pytest_sessioneval.suites.model import FeedbackEntry

__all__ = ["add", "as_csv", "as_json_lines", "as_table", "import_files"]

_COLUMNS = tuple(FeedbackEntry.model_fields)
_SIGN = {1: "up", -1: "down"}


def add(store: Store, entry: FeedbackEntry) -> str:
    """Keep a thumb in place of an earlier one on the same message; return what was done."""
    before = {one.message_index: one for one in store.feedback([entry.session_id])}
    replaced = before.get(entry.message_index)
    keep_thumbs(store, [entry])
    place = f"message {entry.message_index} of {one_line(entry.session_id)}"
    instead = f", in place of thumbs {_SIGN[replaced.rating]}" if replaced else ""
    return f"kept: thumbs {_SIGN[entry.rating]} on {place}{instead}"


def import_files(store: Store, files: Sequence[str]) -> Iterator[str]:
    """Keep the thumbs of feedback files; yield a line per file.

    All files are read before anything is kept. Raises ``SuiteError`` with file
    and line of the first that is not accepted.
    """
    read = [(file, read_feedback(Path(file))) for file in files]
    for file, entries in read:
        known = {(one.session_id, one.message_index) for one in store.feedback(_ids(entries))}
        replaced = sum((one.session_id, one.message_index) in known for one in entries)
        keep_thumbs(store, entries)
        sessions = counted(len(_ids(entries)), "session")
        instead = f", {replaced} in place of earlier ones" if replaced else ""
        yield f"{one_line(file)}: kept {counted(len(entries), 'thumb')} on {sessions}{instead}"


def as_table(entries: Sequence[FeedbackEntry]) -> Iterator[str]:
    """Yield a table for people, a row per thumb, and how many there are of each."""
    if not entries:
        yield "no thumbs"
        return
    rows = [
        (
            entry.session_id,
            str(entry.message_index),
            _SIGN[entry.rating],
            _written(entry.at),
            entry.comment,
        )
        for entry in entries
    ]
    yield from plain_table(("session", "message", "thumb", "at", "comment"), rows, right="message")
    signs = Counter(_SIGN[entry.rating] for entry in entries)
    yield (
        f"{counted(len(entries), 'thumb')} on {counted(len(_ids(entries)), 'session')}: "
        f"{signs['up']} up, {signs['down']} down"
    )


def as_json_lines(entries: Sequence[FeedbackEntry]) -> str:
    """Return the thumbs as a feedback file, as ``import`` and ``[suite] feedback`` read it."""
    lines = (json.dumps(entry.model_dump(mode="json", exclude_none=True)) for entry in entries)
    return "".join(f"{line}\n" for line in lines)


def as_csv(entries: Sequence[FeedbackEntry]) -> str:
    """Return the thumbs for a spreadsheet; text that it would take for a formula is led by '."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for entry in entries:
        cells = (entry.session_id, entry.comment)
        session_id, comment = map(csv_cell, cells)
        writer.writerow(
            (session_id, entry.message_index, entry.rating, comment, _written(entry.at))
        )
    return text.getvalue()


def _ids(entries: Sequence[FeedbackEntry]) -> list[str]:
    return list(dict.fromkeys(entry.session_id for entry in entries))


def _written(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")
