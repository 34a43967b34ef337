"""Transcripts written in a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_sessioneval.transcripts.model import CallRef, JsonObject, Message, ToolCall, Transcript

__all__ = ["ToolTurn", "tool", "transcript"]


@dataclass(frozen=True, slots=True)
class ToolTurn:
    """A tool call and its result; see ``tool``."""

    name: str
    arguments: JsonObject
    result: str
    is_error: bool
    text: str


def tool(
    name: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    result: str = "ok",
    is_error: bool = False,
    text: str = "",
) -> ToolTurn:
    """Return a turn for ``transcript``: the agent calls a tool and gets its result."""
    return ToolTurn(name, dict(arguments or {}), result, is_error, text)


def transcript(
    *turns: tuple[str, str] | ToolTurn | Message,
    session_id: str = "session-1",
    **fields: Any,
) -> Transcript:
    """Return a transcript of turns: ``("user", "hi")``, ``tool("refund", {...})`` or messages.

    Messages are numbered in order and calls paired with their results;
    ``fields`` are further fields of ``Transcript``::

        transcript(
            ("user", "Where is my order W12?"),
            tool("get_order", {"id": "W12"}, result="shipped on Monday"),
            ("assistant", "It was shipped on Monday."),
        )
    """
    messages: list[Message] = []
    for turn in turns:
        at = len(messages)
        if isinstance(turn, Message):
            messages.append(turn.model_copy(update={"index": at}))
        elif isinstance(turn, ToolTurn):
            call = ToolCall(name=turn.name, arguments=turn.arguments, result=at + 1)
            messages += [
                Message(index=at, role="assistant", text=turn.text, tool_calls=(call,)),
                Message(
                    index=at + 1,
                    role="tool",
                    text=turn.result,
                    tool_name=turn.name,
                    is_error=turn.is_error,
                    answers=CallRef(message=at, ordinal=0),
                ),
            ]
        else:
            role, text = turn
            messages.append(Message.model_validate({"index": at, "role": role, "text": text}))
    return Transcript(
        session_id=session_id, messages=tuple(messages), **{"source": "testing", **fields}
    )
