"""Records of a Claude Code conversation as messages of a transcript.

One response of the agent spans several records with one ``message.id`` (one
per content block): they become one message, and its usage, which grows from
record to record, is the last one. Results of tools ride in records of type
user: each becomes a message of role tool. What the harness wrote in the
user's or the agent's name is told apart from what they wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pytest_sessioneval.transcripts.content import arguments_of, inline_media, linked_media
from pytest_sessioneval.transcripts.formats.claude_code_tree import Entry
from pytest_sessioneval.transcripts.formats.fields import (
    count_of,
    list_of,
    number_of,
    object_of,
    text_of,
    time_of,
)
from pytest_sessioneval.transcripts.model import (
    JsonObject,
    Media,
    Message,
    MessageKind,
    Role,
    ToolCall,
    Usage,
)
from pytest_sessioneval.transcripts.pairing import pair_results

__all__ = ["SYNTHETIC", "messages_of"]

SYNTHETIC = "<synthetic>"
"""The model named in messages that the harness wrote in the agent's place."""

_PREFIXES: tuple[tuple[str, MessageKind], ...] = (
    ("[Request interrupted", "interrupt"),
    ("<command-", "command"),
    ("<local-command-caveat", "instruction"),
    ("<local-command-", "command"),
    ("<bash-", "command"),
    ("<task-notification", "notification"),
    ("<system-reminder", "instruction"),
    ("<ide_", "instruction"),
)
_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
_IGNORED = ("redacted_thinking",)


def messages_of(entries: Sequence[Entry], unknown: Counter[str]) -> tuple[Message, ...]:
    """Return the messages of one agent's records, in their order, calls and results linked.

    A record that holds nothing (blank text, a thinking block with a signature
    only) gives no message. Content blocks of unknown types are left out and
    counted in ``unknown`` as ``block:<type>``.
    """
    drafts: list[_Draft] = []
    responses: dict[tuple[str, str | None], _Draft] = {}
    for entry in entries:
        if entry.message.get("role") == "assistant" or entry.kind == "assistant":
            _read_response(entry, drafts, responses, unknown)
        else:
            _read_input(entry, drafts, unknown)
    kept = [draft for draft in drafts if draft.holds_something]
    result_ids = {
        position: draft.result_of for position, draft in enumerate(kept) if draft.role == "tool"
    }
    return pair_results([draft.as_message() for draft in kept], result_ids)


@dataclass(slots=True)
class _Draft:
    """A message while its parts are being collected."""

    role: Role
    kind: MessageKind = "plain"
    texts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    call_ids: set[str] = field(default_factory=set)
    media: list[Media] = field(default_factory=list)
    result_of: str | None = None
    is_error: bool = False
    model: str | None = None
    usage: Usage | None = None
    at: datetime | None = None

    @property
    def holds_something(self) -> bool:
        return bool(self.role == "tool" or self.texts or self.reasoning or self.calls or self.media)

    def as_message(self) -> Message:
        return Message(
            index=0,
            role=self.role,
            kind=self.kind,
            text="\n".join(self.texts),
            reasoning="\n".join(self.reasoning),
            tool_calls=tuple(self.calls),
            media=tuple(self.media),
            is_error=self.is_error,
            model=self.model,
            usage=self.usage,
            at=self.at,
        )


def _read_response(
    entry: Entry,
    drafts: list[_Draft],
    responses: dict[tuple[str, str | None], _Draft],
    unknown: Counter[str],
) -> None:
    """Add the record to the draft of its response, or begin one."""
    response_id = text_of(entry.message.get("id"))
    begun = _begun_response(entry)
    draft = (
        begun if response_id is None else responses.setdefault((response_id, begun.model), begun)
    )
    if draft is begun:
        drafts.append(begun)
    if draft.role == "assistant":
        draft.usage = _usage(entry.message.get("usage")) or draft.usage
    for block in _blocks(entry.message.get("content")):
        kind = block.get("type")
        if kind == "thinking":
            _append_text(draft.reasoning, block.get("thinking"))
        elif kind in _CALLS:
            _append_call(draft, block)
        elif not _append_content(draft, block):
            _count(unknown, block)


def _begun_response(entry: Entry) -> _Draft:
    model = text_of(entry.message.get("model"))
    if model == SYNTHETIC:
        return _Draft("system", "notification", at=time_of(entry.record.get("timestamp")))
    return _Draft("assistant", model=model, at=time_of(entry.record.get("timestamp")))


def _read_input(entry: Entry, drafts: list[_Draft], unknown: Counter[str]) -> None:
    """Add a message of role tool per result, and one of role user for what else is there."""
    at = time_of(entry.record.get("timestamp"))
    said = _Draft("user", at=at)
    kinds: list[MessageKind] = []
    for block in _blocks(entry.message.get("content")):
        if block.get("type") == "tool_result":
            drafts.append(_result(block, at, unknown))
        elif not _append_content(said, block):
            _count(unknown, block)
        elif block.get("type") == "text" and _visible(block.get("text")):
            kinds.append(_kind_of_text(block["text"]))
    said.kind = _kind(entry, kinds)
    drafts.append(said)


def _result(block: JsonObject, at: datetime | None, unknown: Counter[str]) -> _Draft:
    draft = _Draft(
        "tool",
        result_of=text_of(block.get("tool_use_id")),
        is_error=block.get("is_error") is True,
        at=at,
    )
    for part in _blocks(block.get("content")):
        if not _append_content(draft, part):
            _count(unknown, part)
    return draft


def _kind(entry: Entry, kinds: Sequence[MessageKind]) -> MessageKind:
    """Return what a message in the user's name really is."""
    if entry.record.get("isCompactSummary") is True:
        return "compaction"
    notified = "task-notification" in (
        object_of(entry.record.get("origin")).get("kind"),
        object_of(entry.queued).get("commandMode"),
    )
    if notified:
        return "notification"
    if kinds and "plain" not in kinds:
        return kinds[0]
    return "instruction" if entry.record.get("isMeta") is True else "plain"


def _kind_of_text(text: str) -> MessageKind:
    beginning = text.lstrip()[:40]
    return next((kind for prefix, kind in _PREFIXES if beginning.startswith(prefix)), "plain")


def _append_content(draft: _Draft, block: JsonObject) -> bool:
    """Add text or media to the draft; return whether the block's type is known."""
    kind = block.get("type")
    if kind == "text":
        _append_text(draft.texts, block.get("text"))
    elif kind in ("image", "document"):
        draft.media.append(_media(block))
    else:
        return kind in _IGNORED
    return True


def _append_text(texts: list[str], text: Any) -> None:
    if _visible(text):
        texts.append(text)


def _append_call(draft: _Draft, block: JsonObject) -> None:
    call_id = text_of(block.get("id"))
    if call_id in draft.call_ids:
        return
    if call_id is not None:
        draft.call_ids.add(call_id)
    draft.calls.append(
        ToolCall(
            name=text_of(block.get("name")) or "(no name)",
            arguments=arguments_of(block.get("input")),
            call_id=call_id,
        )
    )


def _media(block: JsonObject) -> Media:
    source = object_of(block.get("source"))
    kind = text_of(source.get("media_type")) or str(block.get("type"))
    data = source.get("data")
    if isinstance(data, str):
        return inline_media(kind, data)
    return linked_media(kind, text_of(source.get("url") or source.get("file_id")) or "")


def _usage(recorded: Any) -> Usage | None:
    """Return the tokens of a response; null where none are recorded (interrupted requests).

    The API counts cached prompt tokens apart: they are added to ``input_tokens``.
    """
    usage = object_of(recorded)
    parts = [
        count_of(usage.get(name))
        for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    ]
    read = Usage(
        input_tokens=None if parts[0] is None else sum(part or 0 for part in parts),
        output_tokens=count_of(usage.get("output_tokens")),
        cached_tokens=parts[2],
        cost_usd=number_of(usage.get("cost_usd")),
    )
    return None if read == Usage() else read


def _blocks(content: Any) -> list[JsonObject]:
    """Return the content as blocks: a string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [
        {"type": "text", "text": block} if isinstance(block, str) else block
        for block in list_of(content)
        if isinstance(block, str | dict)
    ]


def _visible(text: Any) -> bool:
    return isinstance(text, str) and not text.isspace() and text != ""


def _count(unknown: Counter[str], block: JsonObject) -> None:
    unknown[f"block:{text_of(block.get('type')) or 'without type'}"] += 1
