"""What of a transcript a judge may see: all of it where it fits, else a recorded part.

Elision is deterministic and never silent (``transcripts.elision`` has the
order). Kept longest are what the person said, system messages, the last turns,
errors and rated messages; what goes first is the middle of long tool outputs.
Every elision says how much it left out and its SHA-256, and ``coverage`` says
what share of the characters is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from pytest_sessioneval.transcripts.elision import Candidate, Rank, capped, fitted, shortened
from pytest_sessioneval.transcripts.model import Message, Transcript
from pytest_sessioneval.transcripts.shown import (
    ShownMessage,
    blocks_of,
    call_label,
    label_of,
)

__all__ = [
    "EXCERPT_VERSION",
    "SMALLEST_EXCERPT",
    "Excerpt",
    "ShownAgent",
    "ShownMessage",
    "excerpt",
    "segments",
    "shortened_excerpt",
    "whole_excerpt",
]

EXCERPT_VERSION = 1
"""Raised whenever the same transcript may be shown in another way."""

SMALLEST_EXCERPT = 2_000
"""The smallest ``max_chars`` accepted."""

_LAST_TURNS = 6
_LAST_TURNS_OF_AGENT = 2
_PERSON = {"plain", "command", "interrupt"}


@dataclass(frozen=True, slots=True)
class ShownAgent:
    """A sub-agent and the prefix of its messages' labels."""

    label: str
    """``A1`` for the first sub-agent."""
    agent_id: str
    """See ``Subsession``."""
    name: str | None
    """See ``Subsession``."""
    started_by: str | None
    """Label of the call that started it, where it is known."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of one transcript."""

    messages: tuple[ShownMessage, ...]
    """In order: the main agent's, then each sub-agent's."""
    agents: tuple[ShownAgent, ...]
    """The sub-agents, in the transcript's order."""
    total_chars: int
    """Characters of everything the policy shows (reasoning only if asked for)."""
    shown_chars: int
    """How many of them are shown."""

    @property
    def coverage(self) -> float:
        """Share of the characters that is shown, 0–1; 1 for an empty transcript."""
        return self.shown_chars / self.total_chars if self.total_chars else 1.0

    @property
    def left_out(self) -> tuple[str, ...]:
        """Messages that are left out whole, in order: labels, or ranges such as ``M3–M80``."""
        gone = (message for message in self.messages if message.last is not None)
        return tuple(
            message.label
            if message.last_label in {None, message.label}
            else f"{message.label}–{message.last_label}"
            for message in gone
        )

    @property
    def shortened(self) -> tuple[str, ...]:
        """Labels of messages that are shown in part, in order."""
        return tuple(message.label for message in self.messages if message.is_shortened)

    def find(self, index: int, agent_id: str | None = None) -> ShownMessage | None:
        """Return a message as shown; null where it does not exist or is left out whole."""
        for message in self.messages:
            if message.agent_id == agent_id and message.index == index and message.last is None:
                return message
        return None

    def lines(self) -> list[str]:
        """Return every line shown, prefixed with its label, without line ends."""
        return [line for message in self.messages for line in message.lines()]


def whole_excerpt(transcript: Transcript, *, show_reasoning: bool = False) -> Excerpt:
    """Return all there is to show of the transcript; redact it first: nothing is redacted here."""
    messages = tuple(_messages(transcript, show_reasoning=show_reasoning))
    chars = sum(map(_recorded_chars, messages))
    return Excerpt(messages, _agents(transcript), total_chars=chars, shown_chars=chars)


def excerpt(
    transcript: Transcript,
    *,
    max_chars: int,
    show_reasoning: bool = False,
    rated: Collection[int] = (),
) -> Excerpt:
    """Return what may be shown of the transcript in ``max_chars`` characters.

    ``max_chars`` bounds the length of ``lines()`` joined by line ends, labels
    and elisions included; less than ``SMALLEST_EXCERPT`` is a ``ValueError``.
    ``rated`` are indexes of the main agent's messages that people rated.
    Redact the transcript first: nothing is redacted here.
    """
    _check(max_chars)
    candidates = _candidates(transcript, frozenset(rated), show_reasoning=show_reasoning)
    return _excerpt(transcript, candidates, fitted(candidates, max_chars))


def shortened_excerpt(
    transcript: Transcript,
    *,
    max_chars: int,
    show_reasoning: bool = False,
    rated: Collection[int] = (),
) -> Excerpt | None:
    """Return an excerpt in which every message is there, at least its head and tail.

    Otherwise as ``excerpt``. None where no such excerpt fits.
    """
    _check(max_chars)
    candidates = _candidates(transcript, frozenset(rated), show_reasoning=show_reasoning)
    shown = shortened(candidates, max_chars)
    return None if shown is None else _excerpt(transcript, candidates, shown)


def segments(
    transcript: Transcript,
    *,
    room: int,
    longest_block: int,
    weight: Callable[[str], int],
    show_reasoning: bool = False,
) -> tuple[Excerpt, ...]:
    """Return the transcript in parts that are read one after the other, every message in one.

    ``weight`` is what a text takes of the ``room`` that a part has. Blocks of
    more than ``longest_block`` characters lose their middle, and more of it
    where a message would be heavier than the room. Messages keep their labels.
    Each part's ``total_chars`` is that of the messages in it.
    """
    candidates = _candidates(transcript, frozenset(), show_reasoning=show_reasoning)
    parts: list[list[tuple[Candidate, ShownMessage]]] = []
    used = room
    for candidate, message in zip(candidates, capped(candidates, longest_block), strict=True):
        fits, heavy = _lightened(candidate, message, room, weight)
        if not parts or used + heavy > room:
            parts.append([])
            used = 0
        parts[-1].append((candidate, fits))
        used += heavy
    agents = _agents(transcript)
    return tuple(
        replace(
            _excerpt(transcript, [each for each, _ in part], tuple(shown for _, shown in part)),
            agents=tuple(agent for agent in agents if _takes_part(agent, part)),
        )
        for part in parts
    )


def _lightened(
    candidate: Candidate, message: ShownMessage, room: int, weight: Callable[[str], int]
) -> tuple[ShownMessage, int]:
    """Return the message, shortened further until it fits the room, and its weight."""
    max_chars = 2 * room
    heavy = weight("\n".join(message.lines()))
    while heavy > room and max_chars > SMALLEST_EXCERPT:
        max_chars = max(max_chars // 2, SMALLEST_EXCERPT)
        (message,) = fitted([replace(candidate)], max_chars)
        heavy = weight("\n".join(message.lines()))
    return message, heavy


def _takes_part(agent: ShownAgent, part: Sequence[tuple[Candidate, ShownMessage]]) -> bool:
    return any(message.agent_id == agent.agent_id for _, message in part)


def _check(max_chars: int) -> None:
    if max_chars < SMALLEST_EXCERPT:
        raise ValueError(f"max_chars is {max_chars}; at least {SMALLEST_EXCERPT} is needed")


def _excerpt(
    transcript: Transcript, candidates: Sequence[Candidate], shown: tuple[ShownMessage, ...]
) -> Excerpt:
    return Excerpt(
        messages=shown,
        agents=_agents(transcript),
        total_chars=sum(_recorded_chars(each.message) for each in candidates),
        shown_chars=sum(_recorded_chars(message) for message in shown),
    )


def _candidates(
    transcript: Transcript, rated: frozenset[int], *, show_reasoning: bool
) -> list[Candidate]:
    ranks = _ranks(transcript.messages, _LAST_TURNS, rated)
    for part in transcript.subsessions:
        of_agent = _ranks(part.messages, _LAST_TURNS_OF_AGENT)
        ranks += [min(rank, Rank.KEPT) for rank in of_agent]
    messages = _messages(transcript, show_reasoning=show_reasoning)
    return [Candidate(message, rank) for message, rank in zip(messages, ranks, strict=True)]


def _messages(transcript: Transcript, *, show_reasoning: bool) -> list[ShownMessage]:
    """Return all there is to show of every message: the main agent's, then each sub-agent's."""
    shown = [_shown(message, show_reasoning=show_reasoning) for message in transcript.messages]
    for number, part in enumerate(transcript.subsessions, start=1):
        agent = part.agent_id
        shown += [
            _shown(message, agent=number, agent_id=agent, show_reasoning=show_reasoning)
            for message in part.messages
        ]
    return shown


def _ranks(
    messages: Sequence[Message], last_turns: int, rated: frozenset[int] = frozenset()
) -> list[Rank]:
    """Return how long each message is kept.

    A turn is a message of user or assistant with the results that follow it.
    """
    turns = [message.index for message in messages if message.role != "tool"]
    last_turn = turns[-last_turns:][0] if turns else 0
    asked = (message.index for message in messages if _is_persons(message))
    lasting = {next(asked, -1), len(messages) - 1}
    ranks = []
    for message in messages:
        kept = message.index >= last_turn or message.index in rated or message.is_error
        if message.role == "system" or message.index in lasting:
            ranks.append(Rank.LAST_TO_GO)
        else:
            ranks.append(Rank.KEPT if kept or _is_persons(message) else Rank.FIRST_TO_GO)
    return ranks


def _is_persons(message: Message) -> bool:
    return message.role == "user" and message.kind in _PERSON


def _shown(
    message: Message,
    *,
    show_reasoning: bool,
    agent: int | None = None,
    agent_id: str | None = None,
) -> ShownMessage:
    return ShownMessage(
        label=label_of(message.index, agent),
        index=message.index,
        role=message.role,
        blocks=blocks_of(message, show_reasoning=show_reasoning),
        agent_id=agent_id,
        kind=message.kind,
        tool_name=message.tool_name,
        answers=None if message.answers is None else call_label(message.answers, agent),
        is_error=message.is_error,
    )


def _agents(transcript: Transcript) -> tuple[ShownAgent, ...]:
    numbers = {part.agent_id: number for number, part in enumerate(transcript.subsessions, start=1)}
    agents = []
    for number, part in enumerate(transcript.subsessions, start=1):
        parent = None if part.parent_agent_id is None else numbers.get(part.parent_agent_id)
        known = part.spawned_by is not None and (parent is not None or not part.parent_agent_id)
        started_by = call_label(part.spawned_by, parent) if known and part.spawned_by else None
        agents.append(ShownAgent(f"A{number}", part.agent_id, part.name, started_by))
    return tuple(agents)


def _recorded_chars(message: ShownMessage) -> int:
    return sum([len(block.text) for block in message.recorded])
