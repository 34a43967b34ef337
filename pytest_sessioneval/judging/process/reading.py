"""A transcript as the evidence judge reads it: capped, in parts, with the share that was read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_sessioneval.transcripts.model import JsonObject, Message, Transcript

__all__ = ["CUT", "Part", "Reading", "arguments_text", "read"]

CUT = "\n…\n"
"""Stands where the middle of a long text was left out."""

_HEAD_SHARE = 0.6


@dataclass(frozen=True)
class Part:
    """The main agent's messages, or one sub-agent's, with their texts as far as they are read."""

    agent_id: str | None
    """Null: the main agent."""
    name: str | None
    messages: tuple[Message, ...]
    texts: tuple[str, ...]
    """One per message: its text, or head and tail of it."""
    arguments: tuple[tuple[str, ...], ...]
    """Per message one canonical text per call, never shortened: calls are compared by it."""
    argument_limit: int
    """Characters of a call's arguments that are searched."""

    def place(self, index: int) -> str:
        """Return how a comment names a message: ``M7``, or ``M7 of sub-agent a1b2``."""
        return f"M{index}" if self.agent_id is None else f"M{index} of sub-agent {self.agent_id}"


@dataclass(frozen=True)
class Reading:
    """All of a session that is measured."""

    main: Part
    subs: tuple[Part, ...]
    coverage: float
    """Share of the transcript's characters that was read, 0–1."""
    given: str
    """What the agent knew without being told in a message: its profile, the session's own ids."""
    transcript: Transcript

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Return the main part, then the sub-agents' in order of start."""
        return (self.main, *self.subs)


def read(transcript: Transcript, cap: int, profile: str = "") -> Reading:
    """Return the transcript's reading, of at most about ``cap`` characters.

    Messages and calls are all counted. Where the texts are longer than the cap
    in total, the longest are shortened to one common length, first 60 % and
    last 40 % of it, so that a few huge tool results never hide the rest.
    """
    groups = [transcript.messages, *(sub.messages for sub in transcript.subsessions)]
    arguments = [
        tuple(tuple(arguments_text(call.arguments) for call in m.tool_calls) for m in group)
        for group in groups
    ]
    lengths = [len(message.text) for group in groups for message in group]
    lengths += [len(text) for group in arguments for calls in group for text in calls]
    total = sum(lengths)
    limit = total if total <= cap else _common_limit(lengths, cap)
    parts = [
        Part(
            agent_id=None if sub is None else sub.agent_id,
            name=None if sub is None else sub.name,
            messages=group,
            texts=tuple(_shortened(message.text, limit) for message in group),
            arguments=texts,
            argument_limit=limit,
        )
        for sub, group, texts in zip(
            (None, *transcript.subsessions), groups, arguments, strict=True
        )
    ]
    shown = sum(min(length, limit) for length in lengths)
    return Reading(
        main=parts[0],
        subs=tuple(parts[1:]),
        coverage=shown / total if total else 1.0,
        given=_given(transcript, profile),
        transcript=transcript,
    )


def arguments_text(arguments: JsonObject | str) -> str:
    """Return a call's arguments as one canonical text: equal arguments give equal texts."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str)


def _given(transcript: Transcript, profile: str) -> str:
    known = (transcript.session_id, transcript.task_id, *transcript.metadata.values())
    return "\n".join([profile, *(str(value) for value in known if value is not None)])


def _common_limit(lengths: Sequence[int], cap: int) -> int:
    """Return the length L with ``sum(min(length, L))`` just within the cap."""
    left = cap
    ordered = sorted(lengths)
    for position, length in enumerate(ordered):
        share = left // (len(ordered) - position)
        if length > share:
            return share
        left -= length
    return ordered[-1] if ordered else 0


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = int(limit * _HEAD_SHARE)
    tail = limit - head
    return text[:head] + CUT + (text[-tail:] if tail else "")
