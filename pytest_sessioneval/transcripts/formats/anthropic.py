"""Anthropic messages: content blocks, with tool results inside user messages.

Shapes: https://docs.anthropic.com/en/api/messages (read through the types of
the anthropic package, 2.12). A message that holds results becomes several: one
of role tool per result, in order, and what the person wrote around them.
Wrappers: see ``formats.chat``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_sessioneval.transcripts.content import (
    arguments_of,
    inline_media,
    linked_media,
    media_at,
)
from pytest_sessioneval.transcripts.formats.chat import (
    Conversation,
    Draft,
    conversations_of,
    read_conversations,
)
from pytest_sessioneval.transcripts.formats.fields import (
    count_of,
    list_of,
    object_of,
    text_of,
    time_of,
)
from pytest_sessioneval.transcripts.model import (
    JsonObject,
    Media,
    Message,
    Role,
    ToolCall,
    Usage,
)
from pytest_sessioneval.transcripts.reader import Document, FileReading, Limits

__all__ = ["READER", "AnthropicReader"]

_ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
_OWN_BLOCKS = {"tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use"}
_MEDIA = {"image", "document"}


class AnthropicReader:
    """Reads ``{"system", "messages"}`` or a list of messages, with content blocks."""

    name = "anthropic"
    version = 1

    def detects(self, document: Document) -> bool:
        """Return whether it is a chat log that only the Anthropic interface would take."""
        return any(_is_anthropic(conversation) for conversation in conversations_of(document))

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Return one session per conversation; see ``formats.chat``."""

        def fill(conversation: Conversation, draft: Draft) -> None:
            _add_system(conversation, draft)
            for number in range(len(conversation.messages)):
                _add_message(conversation, number, draft, limits)

        return read_conversations(document, reader=self.name, version=self.version, fill=fill)

    def companions(self, path: Path) -> tuple[Path, ...]:  # noqa: ARG002
        """Return nothing: a session stands in one file."""
        return ()

    def owns(self, path: Path) -> bool:  # noqa: ARG002
        """Return false: no file is part of another's session."""
        return False


READER = AnthropicReader()


@dataclass(slots=True)
class _Part:
    """What the blocks of one message say up to a tool result, which stands for itself."""

    texts: list[str] = field(default_factory=list)
    reasonings: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.texts or self.reasonings or self.calls or self.media)


def _is_anthropic(conversation: Conversation) -> bool:
    messages = [message for message in conversation.messages if isinstance(message, dict)]
    if any("tool_calls" in message or "function_call" in message for message in messages):
        return False
    if any(text_of(message.get("role")) not in _ROLES for message in messages):
        return False
    if isinstance(conversation.header.get("system"), str | list):
        return True
    blocks = (block for message in messages for block in list_of(message.get("content")))
    return any(_is_own_block(object_of(block)) for block in blocks)


def _is_own_block(block: JsonObject) -> bool:
    kind = text_of(block.get("type"))
    return (
        kind in _OWN_BLOCKS
        or (isinstance(kind, str) and kind.endswith("_tool_result"))
        or (kind in _MEDIA and isinstance(block.get("source"), dict))
    )


def _add_system(conversation: Conversation, draft: Draft) -> None:
    system = conversation.header.get("system")
    text = system if isinstance(system, str) else _joined_text(list_of(system))
    if text:
        draft.add(Message(index=0, role="system", text=text))


def _add_message(conversation: Conversation, number: int, draft: Draft, limits: Limits) -> None:
    recorded = conversation.messages[number]
    if not isinstance(recorded, dict):
        conversation.fail(number, f"an object is expected, found {type(recorded).__name__}")
    role = _ROLES.get(str(recorded.get("role")))
    if role is None:
        draft.unknown[f"role {str(recorded.get('role'))[:40]}"] += 1
        return
    content = recorded.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        conversation.fail(
            number,
            f"content is of type {type(content).__name__}; "
            "a string or a list of blocks is accepted",
        )
    before = len(draft.messages)
    part = _Part()
    for block in content:
        fields = object_of(block)
        if _is_result(fields):
            _flush(part, role, recorded, draft)
            part = _Part()
            _add_result(fields, recorded, draft)
        elif not _add_block(fields, part, limits):
            draft.unknown[f"content block {str(fields.get('type'))[:40]}"] += 1
    if not part.is_empty or len(draft.messages) == before:
        _flush(part, role, recorded, draft, also_empty=True)
    _add_usage(recorded, role, draft, before)


def _is_result(block: JsonObject) -> bool:
    kind = text_of(block.get("type"))
    return isinstance(kind, str) and (kind == "tool_result" or kind.endswith("_tool_result"))


def _flush(
    part: _Part, role: Role, recorded: JsonObject, draft: Draft, *, also_empty: bool = False
) -> None:
    if part.is_empty and not also_empty:
        return
    draft.add(
        Message(
            index=len(draft.messages),
            role=role,
            text="\n".join(part.texts),
            reasoning="\n".join(part.reasonings),
            tool_calls=tuple(part.calls),
            media=tuple(part.media),
            model=text_of(recorded.get("model")),
            at=time_of(recorded.get("timestamp")),
        )
    )


def _add_result(block: JsonObject, recorded: JsonObject, draft: Draft) -> None:
    content = block.get("content")
    part = _Part()
    if isinstance(content, str):
        part.texts.append(content)
    elif isinstance(content, dict):  # a server tool's result: one object of its own kind
        part.texts.append(_compact(content))
    for inner in list_of(content):
        fields = object_of(inner)
        if not _add_block(fields, part, Limits()):
            part.texts.append(_compact(inner))
    draft.add_result(
        Message(
            index=len(draft.messages),
            role="tool",
            text="\n".join(part.texts),
            media=tuple(part.media),
            is_error=block.get("is_error") is True or _is_server_error(content),
            at=time_of(recorded.get("timestamp")),
        ),
        text_of(block.get("tool_use_id")),
    )


def _is_server_error(content: Any) -> bool:
    kind = object_of(content).get("type")
    return isinstance(kind, str) and kind.endswith("_tool_result_error")


def _add_block(block: JsonObject, part: _Part, limits: Limits) -> bool:
    """Add a block that is no result to the part; return whether its kind is known."""
    kind = text_of(block.get("type"))
    if kind == "text":
        part.texts += filter(None, [text_of(block.get("text"))])
    elif kind == "thinking":
        part.reasonings += filter(None, [text_of(block.get("thinking"))])
    elif kind == "redacted_thinking":
        part.reasonings.append("[redacted thinking]")
    elif kind in {"tool_use", "server_tool_use", "mcp_tool_use"}:
        part.calls.append(
            ToolCall(
                name=text_of(block.get("name")) or "(no name)",
                arguments=arguments_of(block.get("input"), depth=limits.depth),
                call_id=text_of(block.get("id")),
            )
        )
    elif kind in _MEDIA:
        part.media.append(_medium(block))
    else:
        return False
    return True


def _medium(block: JsonObject) -> Media:
    source = object_of(block.get("source"))
    kind = text_of(source.get("media_type")) or f"{block['type']}/*"
    data = text_of(source.get("data"))
    if data is not None:
        if source.get("type") == "text":
            return media_at(f"data:text/plain,{data}", kind)
        return inline_media(kind, data)
    address = text_of(source.get("url")) or text_of(source.get("file_id"))
    return linked_media(kind, address or _compact(source))


def _add_usage(recorded: JsonObject, role: Role, draft: Draft, before: int) -> None:
    """Put a response's usage on its last message: a response split by results counts once."""
    usage = object_of(recorded.get("usage"))
    own = [at for at in range(before, len(draft.messages)) if draft.messages[at].role == role]
    if not usage or not own:
        return
    cached = count_of(usage.get("cache_read_input_tokens"))
    parts = [
        count_of(usage.get("input_tokens")),
        count_of(usage.get("cache_creation_input_tokens")),
        cached,
    ]
    known = [count for count in parts if count is not None]
    draft.messages[own[-1]] = draft.messages[own[-1]].model_copy(
        update={
            "usage": Usage(
                input_tokens=sum(known) if known else None,
                output_tokens=count_of(usage.get("output_tokens")),
                cached_tokens=cached,
            )
        }
    )


def _joined_text(blocks: list[Any]) -> str:
    texts = (text_of(object_of(block).get("text")) for block in blocks)
    return "\n".join(text for text in texts if text)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
