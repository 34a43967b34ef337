"""A transcript as its page shows it: a bounded part of it, the quotes marked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.server.pages.links import message_url, session_url
from pytest_sessioneval.server.pages.marking import HEAD, TAIL, Passage, located, passages
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.transcripts.model import Message, Subsession, Transcript
from pytest_sessioneval.transcripts.shown import Block, blocks_of

__all__ = [
    "LIMITS",
    "MESSAGES",
    "AgentLink",
    "BlockView",
    "Cited",
    "MessageView",
    "PageLink",
    "TranscriptView",
    "transcript_view",
    "whole_message",
]

MESSAGES = 100
"""Messages on one page."""

WHOLE = 100_000
"""Characters of one message on a page of its own."""

_FOLD_CHARS = 900
_FOLD_LINES = 14
_BLOCKS = 40
_PAGE_CHARS = 500_000
_SHORT_HEAD = 200
_PAGES_AROUND = 6
_AGENTS = 50
_NAME = 80

LIMITS = (
    f"{MESSAGES} messages a page; of a text longer than {HEAD + TAIL:,} characters its beginning, "
    "its end and what is quoted"
)
"""What a page of a transcript leaves out, in words."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A place in a transcript that an opinion cites."""

    number: int
    message: int
    quote: str
    """Empty: the message as a whole."""
    agent_id: str | None = None
    """The sub-agent whose message it is; None: the main agent's."""


@dataclass(frozen=True, slots=True)
class BlockView:
    """A part of a message: text, reasoning, a call, a medium."""

    kind: str
    head: tuple[Passage, ...]
    """What is always shown."""
    rest: tuple[Passage, ...] = ()
    """What is shown on demand."""
    rest_chars: int = 0
    """Characters of it, those left out included."""
    is_open: bool = False
    """Whether the rest is shown at first: a quote stands in it."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message."""

    index: int
    role: str
    about: tuple[str, ...]
    """What is odd or special about it, a few words each."""
    at: datetime | None
    answers: tuple[str, str] | None
    """Label and address of the call that it is the result of."""
    is_error: bool
    blocks: tuple[BlockView, ...]
    more_blocks: int
    """Blocks that are not shown."""
    cited: tuple[tuple[int, bool], ...]
    """Numbers of the quotes that cite it, and whether each is marked in what is shown."""
    whole: str | None
    """Address of the whole message, where something of it is left out."""
    rating: int | None = None
    """A person's thumb: 1 or -1."""
    comment: str = ""
    """What the person wrote with it."""

    @property
    def label(self) -> str:
        """``M12``."""
        return f"M{self.index}"


@dataclass(frozen=True, slots=True)
class PageLink:
    """Another part of the same transcript."""

    words: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class AgentLink:
    """The main agent or a sub-agent."""

    name: str
    messages: int
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class TranscriptView:
    """A part of a transcript."""

    agents: tuple[AgentLink, ...]
    """The first fifty sub-agents, and whose messages are shown; empty: there are none."""
    more_agents: int
    """Sub-agents beyond those."""
    pages: tuple[PageLink, ...]
    """The first, the last and those around this one; empty: this is all."""
    messages: tuple[MessageView, ...]
    total: int
    can_rate: bool
    """Whether people's thumbs belong here: they are on the main agent's messages."""
    limits: str = LIMITS

    @property
    def told(self) -> str:
        """``messages M0–M99 of 240``; where all are shown, ``12 messages``."""
        if not self.pages or not self.messages:
            return counted(self.total, "message")
        first, last = self.messages[0].label, self.messages[-1].label
        return f"messages {first}–{last} of {self.total:,}"


def transcript_view(
    transcript: Transcript,
    *,
    cited: Sequence[Cited] = (),
    feedback: Sequence[FeedbackEntry] = (),
    start: int = 0,
    agent: str | None = None,
) -> TranscriptView:
    """Return the page of the transcript that holds the message ``start``.

    ``agent`` names a sub-agent; one that there is not means the main agent.
    """
    chosen = next((one for one in transcript.subsessions if one.agent_id == agent), None)
    messages = transcript.messages if chosen is None else chosen.messages
    agent_id = None if chosen is None else chosen.agent_id
    start = max(0, min(start, len(messages) - 1)) // MESSAGES * MESSAGES
    quotes: dict[int, list[Cited]] = {}
    for one in cited:
        if one.agent_id == agent_id:
            quotes.setdefault(one.message, []).append(one)
    thumbs = {} if chosen else {entry.message_index: entry for entry in feedback}
    agents = tuple(_agents(transcript, agent_id))
    return TranscriptView(
        agents=agents,
        more_agents=len(transcript.subsessions) + 1 - len(agents) if agents else 0,
        pages=tuple(_pages(transcript.session_id, len(messages), start, agent_id)),
        messages=tuple(
            _bounded(messages[start : start + MESSAGES], transcript, agent_id, quotes, thumbs)
        ),
        total=len(messages),
        can_rate=chosen is None,
    )


def whole_message(
    transcript: Transcript, index: int, *, start: int = 0, agent: str | None = None
) -> tuple[MessageView, tuple[PageLink, ...]] | None:
    """Return a message without its calls being cut, and links to its other parts.

    None where the transcript has no such message. A part holds 100,000 characters.
    """
    subsessions = {one.agent_id: one.messages for one in transcript.subsessions}
    messages = transcript.messages if agent is None else subsessions.get(agent, ())
    if not 0 <= index < len(messages):
        return None
    message = messages[index]
    text = "\n\n".join(block.text for block in blocks_of(message, show_reasoning=False))
    start = max(0, min(start, len(text) - 1)) // WHOLE * WHOLE
    parts = range(0, len(text), WHOLE)
    links = tuple(
        PageLink(
            f"{part + 1:,}–{min(part + WHOLE, len(text)):,}",
            message_url(transcript.session_id, index, start=part, agent=agent),
            current=part == start,
        )
        for part in parts
    )
    view = _message(message, transcript, agent, (), None, head=0)
    block = BlockView("text", (Passage(text[start : start + WHOLE], start),))
    return replace(view, blocks=(block,), more_blocks=0, whole=None), (
        links if len(links) > 1 else ()
    )


def _bounded(
    messages: Sequence[Message],
    transcript: Transcript,
    agent_id: str | None,
    quotes: Mapping[int, Sequence[Cited]],
    thumbs: Mapping[int, FeedbackEntry],
) -> Iterator[MessageView]:
    room = _PAGE_CHARS
    for message in messages:
        view = _message(
            message,
            transcript,
            agent_id,
            quotes.get(message.index, ()),
            thumbs.get(message.index),
            head=HEAD if room > 0 else _SHORT_HEAD,
        )
        room -= sum(len(one.text) for block in view.blocks for one in (*block.head, *block.rest))
        yield view


def _message(
    message: Message,
    transcript: Transcript,
    agent_id: str | None,
    cited: Sequence[Cited],
    thumb: FeedbackEntry | None,
    *,
    head: int,
) -> MessageView:
    blocks = blocks_of(message, show_reasoning=False)
    shown = tuple(_block(block, cited, head) for block in blocks[:_BLOCKS])
    cut = len(blocks) > _BLOCKS or any(
        one.left_out for block in shown for one in (*block.head, *block.rest)
    )
    marked = {
        number for block in shown for one in (*block.head, *block.rest) for number in one.begins
    }
    answers = None
    if message.answers is not None:
        place = message.answers.message
        url = session_url(
            transcript.session_id,
            start=place // MESSAGES * MESSAGES,
            agent=agent_id,
            anchor=f"m{place}",
        )
        answers = (f"M{place}", url)
    return MessageView(
        index=message.index,
        role=message.role,
        about=tuple(_about(message)),
        at=message.at,
        answers=answers,
        is_error=message.is_error,
        blocks=shown,
        more_blocks=max(0, len(blocks) - _BLOCKS),
        cited=tuple((one.number, one.number in marked) for one in cited),
        whole=message_url(transcript.session_id, message.index, agent=agent_id) if cut else None,
        rating=None if thumb is None else thumb.rating,
        comment="" if thumb is None else thumb.comment,
    )


def _about(message: Message) -> Iterator[str]:
    if message.tool_name is not None:
        yield one_line(message.tool_name, _NAME)
    if message.kind != "plain":
        yield message.kind


def _block(block: Block, cited: Sequence[Cited], head: int) -> BlockView:
    quoted = located(block.text, [(one.number, one.quote) for one in cited if one.quote.strip()])
    fold = _fold(block.text)
    for one in sorted(quoted, key=lambda one: one.span):
        if one.span.start < fold < one.span.end:
            fold = one.span.end
    tail = TAIL if head == HEAD else 0
    found = passages(block.text, quoted, head=head, tail=tail, fold=fold)
    rest = tuple(one for one in found if one.start >= fold)
    return BlockView(
        kind=block.kind,
        head=tuple(one for one in found if one.start < fold),
        rest=rest,
        rest_chars=len(block.text) - fold if rest else 0,
        is_open=any(one.quotes for one in rest),
    )


def _fold(text: str) -> int:
    """Return how much of a text is always shown: all of a short one."""
    if len(text) <= 2 * _FOLD_CHARS and text.count("\n") <= 2 * _FOLD_LINES:
        return len(text)
    place = 0
    for _ in range(_FOLD_LINES):
        end = text.find("\n", place) + 1
        if not end or end > _FOLD_CHARS:
            break
        place = end
    return place or min(_FOLD_CHARS, len(text))


def _agents(transcript: Transcript, current: str | None) -> Iterator[AgentLink]:
    if not transcript.subsessions:
        return
    url = session_url(transcript.session_id, anchor="transcript")
    yield AgentLink("main agent", len(transcript.messages), url, current is None)
    for number, one in enumerate(transcript.subsessions, start=1):
        if number > _AGENTS and one.agent_id != current:
            continue
        yield AgentLink(
            _agent_name(number, one),
            len(one.messages),
            session_url(transcript.session_id, agent=one.agent_id, anchor="transcript"),
            current == one.agent_id,
        )


def _agent_name(number: int, agent: Subsession) -> str:
    return f"A{number} {one_line(agent.name or agent.agent_id, _NAME)}"


def _pages(session_id: str, total: int, start: int, agent: str | None) -> Iterator[PageLink]:
    if total <= MESSAGES:
        return
    end = (total - 1) // MESSAGES * MESSAGES
    for first in range(0, total, MESSAGES):
        if first not in {0, end} and abs(first - start) > _PAGES_AROUND * MESSAGES:
            continue
        last = min(first + MESSAGES, total) - 1
        url = session_url(session_id, start=first, agent=agent, anchor="transcript")
        yield PageLink(f"M{first}–M{last}", url, current=first == start)
