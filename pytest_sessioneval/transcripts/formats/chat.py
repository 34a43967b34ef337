"""Where the conversations of a chat log are: the wrappers that chat formats share.

A list of messages; an object that holds one under ``messages``, with or
without facts about the session beside it; several of either, in a list or one
per line; or one message per line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pytest_sessioneval.errors import Place, TranscriptError
from pytest_sessioneval.transcripts.content import locators_of
from pytest_sessioneval.transcripts.formats.fields import object_of, text_of, time_of
from pytest_sessioneval.transcripts.model import JsonObject, Message, Transcript
from pytest_sessioneval.transcripts.pairing import pair_results
from pytest_sessioneval.transcripts.reader import (
    BrokenSession,
    Document,
    FileReading,
    FoundSession,
    Record,
)

__all__ = ["Conversation", "Draft", "conversations_of", "read_conversations"]

_ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
_BODY = ("content", "tool_calls", "function_call", "refusal")
_SESSION_ID = ("session_id", "id", "conversation_id")
_FACTS = {"task_id", "trial", "agent_model", "model", "profile_id", "name", "title"}
_HEADER = {*_SESSION_ID, *_FACTS, "created_at", "last_active", "metadata"}
_SCALARS = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Conversation:
    """The recorded messages of one session, unread, and what stands beside them."""

    header: JsonObject
    """The object that holds the messages, without them; empty for a bare list."""
    messages: Sequence[Any]
    """The recorded messages; empty where a record beside others holds none."""
    lines: Sequence[int]
    """The line each message's record starts on; at least one."""
    path: Path
    """The file."""

    def fail(self, number: int, reason: str) -> NoReturn:
        """Raise ``TranscriptError`` about message ``number`` (from 0)."""
        raise TranscriptError(
            f"message {number}: {reason}", place=Place(str(self.path), self.lines[number])
        )


@dataclass(slots=True)
class Draft:
    """A conversation's messages as a reader makes them, before results are paired."""

    messages: list[Message]
    result_ids: dict[int, str | None]
    unknown: Counter[str]

    def add(self, message: Message) -> None:
        """Append a message."""
        self.messages.append(message)

    def add_result(self, message: Message, call_id: str | None) -> None:
        """Append a tool's result with the call id recorded with it."""
        self.result_ids[len(self.messages)] = call_id
        self.messages.append(message)


def conversations_of(document: Document) -> tuple[Conversation, ...]:
    """Return the document's conversations; empty where it is no chat log.

    The first record decides on the shape. A later one that does not fit it is
    a conversation without messages: a session that cannot be read.
    """
    records = _records(document)
    if not records:
        return ()
    path, first = document.path, records[0].value
    if _is_message(first):
        lines = [record.line for record in records]
        return (Conversation({}, [record.value for record in records], lines, path),)
    if _conversation(records[0], path) is None:
        return ()
    return tuple(
        _conversation(record, path) or Conversation({}, (), (record.line,), path)
        for record in records
    )


def read_conversations(
    document: Document,
    *,
    reader: str,
    version: int,
    fill: Callable[[Conversation, Draft], None],
) -> FileReading:
    """Return the document's sessions, each filled in by ``fill`` from its conversation.

    A conversation that cannot be read is in ``broken`` where others can be,
    else its ``TranscriptError`` is raised.
    """
    conversations = conversations_of(document)
    locators = locators_of([_session_id(conversation) for conversation in conversations])
    sessions: list[FoundSession] = []
    broken: list[BrokenSession] = []
    unknown: Counter[str] = Counter()
    for ordinal, conversation in enumerate(conversations, start=1):
        locator = locators[ordinal - 1]
        draft = Draft([], {}, Counter())
        try:
            fill(conversation, draft)
            _require_messages(conversation, draft)
        except TranscriptError as error:
            if locator is None:
                raise
            broken.append(BrokenSession(locator, error))
            continue
        unknown.update(draft.unknown)
        stem = document.path.stem
        fallback = stem if locator is None else f"{stem}#{ordinal}"
        sessions.append(FoundSession(_transcript(conversation, draft, fallback, reader), locator))
    if not sessions:
        raise broken[0].error
    return FileReading(
        reader, version, tuple(sessions), broken=tuple(broken), unknown=dict(unknown)
    )


def _records(document: Document) -> Sequence[Record]:
    """Return what may be messages or conversations: the records, or a list's elements."""
    if len(document.records) != 1:
        return document.records
    only = document.records[0]
    value = only.value
    if isinstance(value, list) and value and isinstance(value[0], dict | list):
        nested = [Record(element, only.line) for element in value]
        if _is_message(value[0]):
            return (only,)
        return nested
    return document.records


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and text_of(value.get("role")) in _ROLES
        and any(key in value for key in _BODY)
    )


def _conversation(record: Record, path: Path) -> Conversation | None:
    value = record.value
    messages = value.get("messages") if isinstance(value, dict) else value
    if not isinstance(messages, list) or not messages or not _is_message(messages[0]):
        return None
    header = object_of(value)
    header = {key: held for key, held in header.items() if key != "messages"}
    return Conversation(header, messages, [record.line] * len(messages), path)


def _session_id(conversation: Conversation) -> str | None:
    for key in _SESSION_ID:
        value = conversation.header.get(key)
        if text_of(value) or type(value) is int:
            return str(value)
    return None


def _require_messages(conversation: Conversation, draft: Draft) -> None:
    if draft.messages:
        return
    reason = "no message of a known role" if conversation.messages else "no list of messages"
    raise TranscriptError(reason, place=Place(str(conversation.path), conversation.lines[0]))


def _transcript(conversation: Conversation, draft: Draft, fallback: str, reader: str) -> Transcript:
    header = conversation.header
    trial, task_id = header.get("trial"), header.get("task_id")
    times = [message.at for message in draft.messages if message.at is not None]
    return Transcript(
        session_id=_session_id(conversation) or fallback,
        source=reader,
        messages=pair_results(draft.messages, draft.result_ids),
        task_id=str(task_id) if text_of(task_id) or type(task_id) is int else None,
        trial=trial if type(trial) is int else None,
        agent_model=text_of(header.get("agent_model")) or text_of(header.get("model")),
        profile_id=text_of(header.get("profile_id")),
        name=text_of(header.get("name")) or text_of(header.get("title")),
        created_at=time_of(header.get("created_at")) or (min(times) if times else None),
        last_active=max(times) if times else time_of(header.get("last_active")),
        metadata=_metadata(header),
    )


def _metadata(header: JsonObject) -> dict[str, str | int | float | bool | None]:
    beside = {key: value for key, value in header.items() if key not in _HEADER}
    facts = {**beside, **object_of(header.get("metadata"))}
    return {key: value for key, value in facts.items() if isinstance(value, _SCALARS)}
