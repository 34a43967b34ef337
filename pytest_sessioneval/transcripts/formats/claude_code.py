"""Claude Code session files: one JSON record per line, one session per file.

``~/.claude/projects/<folder>/<session id>.jsonl`` and copies of it (Entire
checkpoints keep them as ``full.jsonl`` beside a ``metadata.json``). Decisions:

- The conversation is the path to the last message; what was said before a
  compaction stays in it, and the summary that replaced it is marked.
- A file is one session even where the user forked it. Only ids without any
  link between them (files that were joined) make several.
- What the user went back on is left out and counted in the metadata as
  ``abandoned_records``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from pytest_sessioneval.errors import Place, TranscriptError
from pytest_sessioneval.transcripts.content import locators_of
from pytest_sessioneval.transcripts.formats.claude_code_agents import (
    AgentRecords,
    agent_files,
    agents_in_files,
    agents_in_progress,
    agents_inline,
    is_agent_file,
    subsessions_of,
)
from pytest_sessioneval.transcripts.formats.claude_code_messages import messages_of
from pytest_sessioneval.transcripts.formats.claude_code_tree import (
    Conversation,
    Entry,
    conversation,
    distinct_entries,
    split_sessions,
)
from pytest_sessioneval.transcripts.formats.fields import number_of, object_of, text_of
from pytest_sessioneval.transcripts.model import JsonObject, Message, Subsession, Transcript
from pytest_sessioneval.transcripts.reader import Document, FileReading, FoundSession, Limits

__all__ = ["KNOWN_RECORDS", "READER", "ClaudeCodeReader"]

KNOWN_RECORDS = frozenset(
    {
        "agent-name",
        "ai-title",
        "assistant",
        "attachment",
        "custom-title",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "pr-link",
        "progress",
        "queue-operation",
        "summary",
        "system",
        "tag",
        "user",
        "worktree-state",
    }
)
"""Types of records that are read, or known to hold nothing of the conversation."""

_LOOKED_AT = 16  # message records that detection looks at: one damaged record decides nothing
_CHECKPOINT = "full.jsonl"
_CHECKPOINT_METADATA = "metadata.json"
_METADATA_BYTES = 1024 * 1024
_TITLES = ("customTitle", "aiTitle")


class ClaudeCodeReader:
    """Reads Claude Code sessions with their sub-agents."""

    name = "claude-code"
    version = 1

    def detects(self, document: Document) -> bool:
        """Return whether one of the first message records has Claude Code's shape."""
        values = (record.value for record in document.records)
        messages = (
            value
            for value in values
            if isinstance(value, dict) and value.get("type") in ("user", "assistant")
        )
        return any(_is_claude_code(message) for message in islice(messages, _LOOKED_AT))

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Return the file's session (of joined files, their sessions)."""
        records = [r.value for r in document.records if isinstance(r.value, dict)]
        entries = distinct_entries(records)
        unknown = Counter(e.kind or "without type" for e in entries if e.kind not in KNOWN_RECORDS)
        files = agent_files(document.path)
        in_files, skipped = agents_in_files(files, limits)
        parts = [(part, conversation(part)) for part in split_sessions(entries)]
        parts = [(part, found) for part, found in parts if found.entries]
        transcripts = []
        for part, found in parts:
            is_last = part is parts[-1][0]
            transcripts.append(
                _transcript(document.path, part, found, in_files if is_last else [], unknown)
            )
        if not any(transcript.messages for transcript in transcripts):
            raise TranscriptError(
                "a Claude Code file without any message of user or agent",
                place=Place(str(document.path)),
            )
        locators = locators_of([transcript.session_id for transcript in transcripts])
        return FileReading(
            reader=self.name,
            reader_version=self.version,
            sessions=tuple(map(FoundSession, transcripts, locators)),
            skipped=tuple(skipped),
            unknown=dict(sorted(unknown.items())),
        )

    def companions(self, path: Path) -> Iterable[Path]:
        """Return the sub-agents' files with their sidecars, and a checkpoint's metadata."""
        found = agent_files(path)
        if path.name == _CHECKPOINT and _checkpoint(path):
            found.append(path.with_name(_CHECKPOINT_METADATA))
        return sorted(found)

    def owns(self, path: Path) -> bool:
        """Return whether the file is a sub-agent's, or a checkpoint's metadata."""
        if path.name == _CHECKPOINT_METADATA:
            session = path.with_name(_CHECKPOINT)
            return session.is_file() and bool(_checkpoint(session))
        return is_agent_file(path)


READER = ClaudeCodeReader()


def _is_claude_code(record: JsonObject) -> bool:
    """Return whether a record of type user or assistant has Claude Code's shape."""
    message = record.get("message")
    return (
        isinstance(record.get("sessionId"), str)
        and isinstance(message, dict)
        and message.get("role") in ("user", "assistant")
        and "content" in message
    )


def _transcript(
    path: Path,
    entries: Sequence[Entry],
    found: Conversation,
    in_files: Sequence[AgentRecords],
    unknown: Counter[str],
) -> Transcript:
    messages = messages_of(found.entries, unknown)
    agents = [
        *in_files,
        *agents_inline(entries, found.entries),
        *agents_in_progress(entries),
    ]
    subsessions = subsessions_of(found.entries, messages, agents, unknown)
    times = [m.at for m in _every_message(messages, subsessions) if m.at is not None]
    return Transcript(
        session_id=_session_id(path, found.entries),
        source=READER.name,
        messages=messages,
        subsessions=subsessions,
        agent_model=_agent_model(messages),
        name=_name(entries),
        created_at=min(times, default=None),
        last_active=max(times, default=None),
        metadata=_metadata(path, found),
    )


def _every_message(messages: Sequence[Message], subsessions: Iterable[Subsession]) -> list[Message]:
    return [*messages, *(message for part in subsessions for message in part.messages)]


def _session_id(path: Path, entries: Sequence[Entry]) -> str:
    """Return the id of the last message's session; a sub-agent's own file has its agent's id."""
    last = entries[-1]
    agent_id = text_of(last.record.get("agentId")) if last.is_sidechain else None
    return agent_id or last.session_id or path.stem


def _agent_model(messages: Sequence[Message]) -> str | None:
    """Return the model that wrote most of the agent's messages."""
    models = Counter(m.model for m in messages if m.role == "assistant" and m.model)
    return models.most_common(1)[0][0] if models else None


def _name(entries: Sequence[Entry]) -> str | None:
    """Return the title given by the user, else by the agent, else the last summary of its own.

    A summary describes the session that its leaf is in; files begin with
    summaries of other sessions.
    """
    for key in _TITLES:
        given = [t for entry in entries if (t := text_of(entry.record.get(key)))]
        if given:
            return given[-1]
    uuids = {entry.uuid for entry in entries if entry.uuid}
    summaries = [
        text_of(entry.record.get("summary"))
        for entry in entries
        if entry.kind == "summary" and text_of(entry.record.get("leafUuid")) in uuids
    ]
    return next((summary for summary in reversed(summaries) if summary), None)


def _metadata(path: Path, found: Conversation) -> dict[str, str | int | float | bool | None]:
    metadata: dict[str, str | int | float | bool | None] = {}
    for key, field in (("git_branch", "gitBranch"), ("version", "version")):
        values = [v for entry in found.entries if (v := text_of(entry.record.get(field)))]
        if values:
            metadata[key] = values[-1]
    if found.abandoned:
        metadata["abandoned_records"] = found.abandoned
    checkpoint = _checkpoint(path) if path.name == _CHECKPOINT else {}
    if checkpoint:
        metadata["checkpoint_id"] = text_of(checkpoint.get("checkpoint_id"))
        attribution = object_of(checkpoint.get("initial_attribution"))
        share = number_of(attribution.get("agent_percentage"))
        if share is not None:
            metadata["agent_percentage"] = share
    return metadata


def _checkpoint(session: Path) -> JsonObject:
    """Return the metadata of the Entire checkpoint that the file is, else nothing."""
    try:
        with session.with_name(_CHECKPOINT_METADATA).open("rb") as stream:
            value = object_of(json.loads(stream.read(_METADATA_BYTES)))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if "checkpoint_id" in value else {}
