"""Sub-agents: which finished, whose result entered the work, what was done twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_sessioneval.judging.process.calls import Call
from pytest_sessioneval.judging.process.reading import Part, Reading
from pytest_sessioneval.judging.process.results import writes
from pytest_sessioneval.transcripts.model import CallRef, Message

__all__ = ["Delegation", "delegations"]

_TERM = re.compile(r"[A-Za-z_][\w./-]{5,80}")
_FEWEST_SHARED = 3
_LONGEST_REPORT = 20_000


@dataclass(frozen=True, slots=True)
class Delegation:
    """One sub-agent's work, seen from the agent that gave it."""

    part: Part
    finished: bool
    """It ended with an answer, or the call that started it has a result that is no error."""
    used: bool | None
    """Its words turn up in what the main agent said or did afterwards; None: cannot be told."""
    last: int
    """Index of its last message; -1 where it has none."""
    spawned: CallRef | None
    """The call that started it, in its parent's messages."""
    parent_id: str | None
    """Who started it; null: the main agent."""
    doubled: tuple[tuple[Call, str, Call], ...]
    """Its reading calls that somebody else made identically: its call, the other's part, call."""


def delegations(
    reading: Reading, calls: Mapping[str | None, Sequence[Call]]
) -> tuple[Delegation, ...]:
    """Return one Delegation per sub-agent, in order of start; ``calls`` are each part's."""
    owners: dict[tuple[str, str], tuple[str | None, Call]] = {}
    if reading.subs:
        for call in calls.get(None, ()):
            owners.setdefault(call.key, (None, call))
    parts = {part.agent_id: part for part in reading.parts}
    terms: dict[str | None, _Terms] = {}
    found: list[Delegation] = []
    for part, sub in zip(reading.subs, reading.transcript.subsessions, strict=True):
        parent = parts.get(sub.parent_agent_id, reading.main)
        if parent.agent_id not in terms:
            terms[parent.agent_id] = _terms(parent)
        own = calls.get(part.agent_id, ())
        answer = _answer(part.messages)
        result = _result(parent, sub.spawned_by)
        report = answer.text if answer is not None else (result.text if result else "")
        returned = result.index if result is not None else None
        found.append(
            Delegation(
                part=part,
                finished=answer is not None or (result is not None and not result.is_error),
                used=_used(terms[parent.agent_id], report, returned),
                last=part.messages[-1].index if part.messages else -1,
                spawned=sub.spawned_by,
                parent_id=parent.agent_id,
                doubled=_doubled(own, owners),
            )
        )
        for call in own:
            owners.setdefault(call.key, (part.agent_id, call))
    return tuple(found)


def _answer(messages: Sequence[Message]) -> Message | None:
    """Return the sub-agent's report: its last message, when that has words and no calls."""
    for message in reversed(messages):
        if message.role == "assistant":
            return message if message.text.strip() and not message.tool_calls else None
        if message.role == "tool":
            return None
    return None


def _result(parent: Part, spawned: CallRef | None) -> Message | None:
    if spawned is None or not spawned.message < len(parent.messages):
        return None
    calls = parent.messages[spawned.message].tool_calls
    index = calls[spawned.ordinal].result if spawned.ordinal < len(calls) else None
    return parent.messages[index] if index is not None and index < len(parent.messages) else None


@dataclass(frozen=True, slots=True)
class _Terms:
    """Where an agent's messages name what: long words and where they stand."""

    first: Mapping[str, int]
    """Index of the first message, of anybody, that holds the word."""
    spoken: Mapping[str, int]
    """Index of the last message in which the agent says it, or passes it to a tool."""


def _terms(part: Part) -> _Terms:
    first: dict[str, int] = {}
    spoken: dict[str, int] = {}
    for message, text, arguments in zip(part.messages, part.texts, part.arguments, strict=True):
        words = set(_TERM.findall(text))
        for written in arguments:
            words.update(_TERM.findall(written[: part.argument_limit]))
        for word in words:
            first.setdefault(word, message.index)
        if message.role == "assistant":
            spoken.update(dict.fromkeys(words, message.index))
    return _Terms(first, spoken)


def _used(terms: _Terms, report: str, returned: int | None) -> bool | None:
    """Return whether words that the report brought are later said or used by the main agent."""
    if returned is None:
        return None
    words = list(dict.fromkeys(_TERM.findall(report[:_LONGEST_REPORT])))
    new = [word for word in words if terms.first.get(word, returned) >= returned]
    if len(new) < _FEWEST_SHARED:
        return None
    return sum(terms.spoken.get(word, -1) > returned for word in new) >= _FEWEST_SHARED


def _doubled(
    own: Sequence[Call], owners: Mapping[tuple[str, str], tuple[str | None, Call]]
) -> tuple[tuple[Call, str, Call], ...]:
    found: dict[tuple[str, str], tuple[Call, str, Call]] = {}
    for call in own:
        other = owners.get(call.key)
        if other is None or call.failed or writes(call.name, call.arguments):
            continue
        name = "the main agent" if other[0] is None else f"sub-agent {other[0]}"
        found.setdefault(call.key, (call, name, other[1]))
    return tuple(found.values())
