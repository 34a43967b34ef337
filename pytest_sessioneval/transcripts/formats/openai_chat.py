"""OpenAI chat messages, as sent to and received from the chat completions endpoint.

Shapes: https://platform.openai.com/docs/api-reference/chat (read through the
types of the openai package, 3.54), with the older ``function_call`` and role
``function``. Wrappers: see ``formats.chat``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_sessioneval.transcripts.content import arguments_of, inline_media, media_at
from pytest_sessioneval.transcripts.formats.chat import (
    Conversation,
    Draft,
    conversations_of,
    read_conversations,
)
from pytest_sessioneval.transcripts.formats.fields import list_of, object_of, text_of, time_of
from pytest_sessioneval.transcripts.model import (
    JsonObject,
    Media,
    Message,
    MessageKind,
    Role,
    ToolCall,
)
from pytest_sessioneval.transcripts.reader import Document, FileReading, Limits

__all__ = ["READER", "OpenAIChatReader"]

_ROLES: dict[str, tuple[Role, MessageKind]] = {
    "system": ("system", "plain"),
    "developer": ("system", "instruction"),
    "user": ("user", "plain"),
    "assistant": ("assistant", "plain"),
    "tool": ("tool", "plain"),
    "function": ("tool", "plain"),
}
_TEXT_PARTS = {"text", "input_text", "output_text"}
_REASONING_PARTS = {"thinking", "reasoning"}


class OpenAIChatReader:
    """Reads lists of ``{"role", "content", "tool_calls"}``, bare or wrapped."""

    name = "openai-chat"
    version = 1

    def detects(self, document: Document) -> bool:
        """Return whether the first record is a message, or holds a list that begins with one."""
        return bool(conversations_of(document))

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Return one session per conversation; see ``formats.chat``."""

        def fill(conversation: Conversation, draft: Draft) -> None:
            for number in range(len(conversation.messages)):
                _add_message(conversation, number, draft, limits)

        return read_conversations(document, reader=self.name, version=self.version, fill=fill)

    def companions(self, path: Path) -> tuple[Path, ...]:  # noqa: ARG002
        """Return nothing: a session stands in one file."""
        return ()

    def owns(self, path: Path) -> bool:  # noqa: ARG002
        """Return false: no file is part of another's session."""
        return False


READER = OpenAIChatReader()


def _add_message(conversation: Conversation, number: int, draft: Draft, limits: Limits) -> None:
    recorded = conversation.messages[number]
    if not isinstance(recorded, dict):
        conversation.fail(number, f"an object is expected, found {type(recorded).__name__}")
    role_word = text_of(recorded.get("role"))
    if role_word is None or role_word not in _ROLES:
        draft.unknown[f"role {str(recorded.get('role'))[:40]}"] += 1
        return
    role, kind = _ROLES[role_word]
    text, reasoning, media = _content(conversation, number, recorded, draft)
    message = Message(
        index=len(draft.messages),
        role=role,
        kind=kind,
        text=text,
        reasoning=reasoning,
        media=media,
        tool_calls=() if role == "tool" else _tool_calls(conversation, number, recorded, limits),
        tool_name=text_of(recorded.get("name")) if role == "tool" else None,
        model=text_of(recorded.get("model")),
        at=time_of(recorded.get("timestamp") or recorded.get("created_at")),
    )
    if role == "tool":
        draft.add_result(message, text_of(recorded.get("tool_call_id")))
    else:
        draft.add(message)


def _content(
    conversation: Conversation, number: int, recorded: JsonObject, draft: Draft
) -> tuple[str, str, tuple[Media, ...]]:
    texts: list[str] = []
    reasonings: list[str] = []
    media: list[Media] = []
    content = recorded.get("content")
    if isinstance(content, str):
        texts.append(content)
    elif isinstance(content, list):
        for part in content:
            _add_part(part, texts, reasonings, media, draft)
    elif content is not None:
        conversation.fail(
            number,
            f"content is of type {type(content).__name__}; "
            "a string, a list of parts or null is accepted",
        )
    texts.append(text_of(recorded.get("refusal")) or "")
    for key in ("reasoning_content", "reasoning"):
        if thought := text_of(recorded.get(key)):
            reasonings.append(thought)
            break
    return _joined(texts), _joined(reasonings), tuple(media)


def _add_part(
    part: Any, texts: list[str], reasonings: list[str], media: list[Media], draft: Draft
) -> None:
    if isinstance(part, str):
        texts.append(part)
        return
    fields = object_of(part)
    kind = text_of(fields.get("type"))
    if kind in _TEXT_PARTS and isinstance(fields.get("text"), str):
        texts.append(fields["text"])
    elif kind == "refusal" and isinstance(fields.get("refusal"), str):
        texts.append(fields["refusal"])
    elif kind in _REASONING_PARTS:
        reasonings.append(text_of(fields.get(kind)) or text_of(fields.get("text")) or "")
    elif (medium := _medium(fields)) is not None:
        media.append(medium)
    else:
        draft.unknown[f"content part {str(kind)[:40]}"] += 1


def _medium(part: JsonObject) -> Media | None:
    kind = text_of(part.get("type"))
    held = part.get(str(kind))
    if kind in {"image_url", "input_image"}:
        held = held or part.get("image_url")
        address = text_of(held) or text_of(object_of(held).get("url"))
        return None if address is None else media_at(address, "image/*")
    if kind == "input_audio":
        encoded = text_of(object_of(held).get("data"))
        audio = f"audio/{text_of(object_of(held).get('format')) or '*'}"
        return None if encoded is None else inline_media(audio, encoded)
    if kind in {"file", "input_file"}:
        facts = object_of(held) or part
        address = text_of(facts.get("file_data")) or text_of(facts.get("file_id"))
        return None if address is None else media_at(address, "application/octet-stream")
    return None


def _tool_calls(
    conversation: Conversation, number: int, recorded: JsonObject, limits: Limits
) -> tuple[ToolCall, ...]:
    calls = list_of(recorded.get("tool_calls"))
    legacy = recorded.get("function_call")
    if isinstance(legacy, dict):
        calls = [*calls, {"function": legacy}]
    return tuple(_tool_call(conversation, number, call, limits) for call in calls)


def _tool_call(conversation: Conversation, number: int, call: Any, limits: Limits) -> ToolCall:
    fields = object_of(call)
    called = object_of(fields.get("function")) or object_of(fields.get("custom")) or fields
    name = text_of(called.get("name"))
    if name is None:
        conversation.fail(number, "a tool call without a name")
    arguments = called["arguments"] if "arguments" in called else called.get("input")
    return ToolCall(
        name=name,
        arguments=arguments_of(arguments, depth=limits.depth),
        call_id=text_of(fields.get("id")),
    )


def _joined(texts: list[str]) -> str:
    return "\n".join(text for text in texts if text)
