"""The form in which a transcript is shown: labelled messages of blocks, line by line.

A transcript is hostile text. Every physical line is prefixed with the label of
its message (``M12|``) and, where it is not what was said, with the kind of
block (``M12.call0|``), so that no text can pass for another message, for a
call that was made or for an elision.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from pytest_sessioneval.transcripts.model import (
    CallRef,
    Media,
    Message,
    MessageKind,
    Role,
    ToolCall,
)

__all__ = ["Block", "BlockKind", "ShownMessage", "blocks_of", "call_label", "label_of"]

BlockKind = Literal["text", "reasoning", "call", "media", "elision", "quote"]

_OUR_WORDS: frozenset[BlockKind] = frozenset({"elision", "media"})
_UNSAFE = re.compile(r"[^\w.:/-]+")
_LONGEST_NAME = 60
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a message, shown as one run of lines."""

    kind: BlockKind
    text: str
    ordinal: int = 0
    """Which call of the message, from 0, where it is one."""

    @property
    def marker(self) -> str:
        """What stands between label and bar: nothing for text, else the kind of block."""
        if self.kind == "text":
            return ""
        return f".call{self.ordinal}" if self.kind == "call" else f".{self.kind}"


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """One message as it is shown, or a run of messages that is left out."""

    label: str
    """What a quote cites: ``M12``, or ``A1.M3`` for a sub-agent's message."""
    index: int
    """The message's index in its own agent's transcript."""
    role: Role
    """Who speaks."""
    blocks: tuple[Block, ...]
    """What is shown, in order; elisions among it."""
    agent_id: str | None = None
    """The sub-agent; null: the main agent's transcript."""
    kind: MessageKind = "plain"
    """See ``Message.kind``."""
    tool_name: str | None = None
    """For role tool: the tool, where it is known."""
    answers: str | None = None
    """For role tool: the label of the call it answers, such as ``M11.call0``."""
    is_error: bool = False
    """For role tool: marked as an error."""
    last: int | None = None
    """For a run that is left out: index of its last message, else null."""
    last_label: str | None = None
    """For a run that is left out: label of its last message, else null."""

    @property
    def text(self) -> str:
        """All that is shown of it, elisions included."""
        return "\n".join(block.text for block in self.blocks)

    @property
    def recorded(self) -> tuple[Block, ...]:
        """The blocks that hold recorded text: all but our own words."""
        return tuple([block for block in self.blocks if block.kind not in _OUR_WORDS])

    @property
    def is_shortened(self) -> bool:
        """Whether it is shown, and something of it is left out."""
        return self.last is None and any(block.kind == "elision" for block in self.blocks)

    @property
    def quotable(self) -> tuple[str, ...]:
        """What a quote may be taken from: the recorded text shown, split where some is left out."""
        stretches = [""]
        for block in self.blocks:
            if block.kind == "elision":
                stretches.append("")
            elif block.kind == "quote":
                stretches += [block.text, ""]
            elif block.kind != "media":
                stretches[-1] += f"\n{block.text}" if stretches[-1] else block.text
        return tuple(stretch for stretch in stretches if stretch)

    def lines(self) -> list[str]:
        """Return a heading and every physical line with its prefix, without line ends."""
        lines = [] if self.last is not None else [self._heading()]
        for block in self.blocks:
            prefix = f"{self.label}{block.marker}| "
            lines += [prefix + line for line in block.text.splitlines() or ("",)]
        return lines

    def _heading(self) -> str:
        words = [self.label, self.role]
        if self.kind != "plain":
            words.append(f"({self.kind})")
        if self.tool_name is not None:
            words.append(_plain(self.tool_name))
        if self.answers is not None:
            words.append(f"answers {self.answers}")
        if self.is_error:
            words.append("error")
        return " ".join(words)


def label_of(index: int, agent: int | None = None) -> str:
    """Return the label of a message: ``M<index>``; for the n-th sub-agent ``A<n>.M<index>``."""
    return f"M{index}" if agent is None else f"A{agent}.M{index}"


def call_label(reference: CallRef, agent: int | None = None) -> str:
    """Return the label of a call: ``M<message>.call<ordinal>``."""
    return f"{label_of(reference.message, agent)}.call{reference.ordinal}"


def blocks_of(message: Message, *, show_reasoning: bool) -> tuple[Block, ...]:
    """Return all there is to show of a message: reasoning if asked for, text, calls, media."""
    blocks: list[Block] = []
    if show_reasoning and message.reasoning:
        blocks.append(Block("reasoning", message.reasoning))
    if message.text:
        blocks.append(Block("text", message.text))
    for ordinal, call in enumerate(message.tool_calls):
        blocks.append(Block("call", _call_text(call), ordinal))
    blocks += [Block("media", _media_text(medium)) for medium in message.media]
    return tuple(blocks)


def _call_text(call: ToolCall) -> str:
    arguments = call.arguments
    if not isinstance(arguments, str):
        arguments = _JSON.encode(arguments)
    return f"{_plain(call.name)} {arguments}"


def _media_text(medium: Media) -> str:
    size = f", {medium.size} bytes" if medium.size else ""
    return f"{_plain(medium.kind)}{size}, sha256 {medium.sha256[:16]}"


def _plain(name: str) -> str:
    """Return a recorded name on one line, without anything that structures the lines."""
    return _UNSAFE.sub("_", name)[:_LONGEST_NAME] or "_"
