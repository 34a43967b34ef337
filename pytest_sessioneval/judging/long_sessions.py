"""How much of a session a judge is shown at once, and how one that is too long is read.

In this order (METHOD section 3): a session that fits is shown whole; one that
fits with the middle of long outputs left out is shown so, every message of it;
any other is read in parts for evidence, and scored once over what was found and
a skeleton of the whole. Scores of parts are never averaged: no part is scored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, zip_longest

from pytest_sessioneval.errors import JudgeError
from pytest_sessioneval.judging.evidence import normalise
from pytest_sessioneval.judging.extraction import (
    Extract,
    extraction_identity,
    extraction_prompt,
    readable_axes,
)
from pytest_sessioneval.judging.forms import prompt_for
from pytest_sessioneval.judging.model import Case, Prompt
from pytest_sessioneval.judging.prompts import shown_ground_truth
from pytest_sessioneval.judging.replies import Citation, Finding
from pytest_sessioneval.judging.tokens import estimated_tokens
from pytest_sessioneval.suites.model import Axis, Expert
from pytest_sessioneval.transcripts.excerpt import (
    SMALLEST_EXCERPT,
    Excerpt,
    excerpt,
    segments,
    shortened_excerpt,
    whole_excerpt,
)
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.shown import Block, ShownMessage
from pytest_sessioneval.verdicts.model import View

__all__ = [
    "READER",
    "Parts",
    "Shown",
    "at_once",
    "in_parts",
    "long_sessions_identity",
    "prompt_tokens",
    "reply_tokens",
    "room",
    "together",
]

VERSION = 1
"""Raised whenever the same session may be shown to the same judge in another way."""

READER = Expert(id="reader", instruction="", axes=())
"""Who reads parts: no seat of the panel; its findings are shared by all seats of a judge."""

LONGEST_REPLY = 8_192
"""Tokens kept free for a reply where the suite sets no max_output_tokens, at most."""

_REPLY_SHARE = 8
_REPAIR_TOKENS = 2_048
_REPAIR_SHARE = 16
_INSTRUCTION_TOKENS = 1_000
_LEAST_ROOM = 1_000
_ROOM_TO_SHARE = 8_000
_HEAVIEST_NONCE = "0" * 32
_ROUNDS = 5
_NO_SESSION = Transcript(session_id="", source="", messages=())
_FEWEST_QUOTES, _MOST_QUOTES = 4, 20
_TOKENS_OF_QUOTE = 90
_SHOWN_LABELS = 40

_BESIDE = """\
The session is too long to be shown at once. Readers went through all of it in {parts} parts; what \
they quoted stands in the transcript where it was said, on lines such as `M12.quote| `, and counts \
as the message's own words. The rest is a skeleton. What they took each quote for:
{findings}"""


def long_sessions_identity() -> str:
    """Return what names the policy: its version and the digest of what readers are asked."""
    digest = hashlib.sha256(f"{extraction_identity()}\x00{_BESIDE}".encode()).hexdigest()
    return f"{VERSION}#{digest[:16]}"


def reply_tokens(case: Case) -> int:
    """Return how many tokens are kept free for a reply."""
    return case.reply_tokens or min(LONGEST_REPLY, case.context_tokens // _REPLY_SHARE)


def prompt_tokens(prompt: Prompt) -> int:
    """Return the most tokens that a request is likely to take, its schema included."""
    repair = "\n".join(prompt.repair or ())
    texts = (prompt.system, prompt.prefix, prompt.question, json.dumps(prompt.schema), repair)
    return sum(map(estimated_tokens, texts))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a judge is shown to score a session."""

    excerpt: Excerpt
    beside: tuple[str, ...] = ()
    """What it is told of the session besides."""
    instructions: tuple[Citation, ...] = ()
    """Passages that address a judge, as readers of its parts report them."""
    coverage: float = 1.0
    """Share of the characters that was shown, in a part or at once, 0–1."""
    view: View | None = None
    """What was not; None: nothing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a session that is too long to be shown at once."""

    excerpts: tuple[Excerpt, ...]
    prompts: tuple[Prompt, ...]
    most: int
    """Quotes that each reader is asked for, at most."""

    @property
    def coverage(self) -> float:
        """Share of the session's characters that its readers are shown, 0–1."""
        total = sum(part.total_chars for part in self.excerpts)
        return sum(part.shown_chars for part in self.excerpts) / total if total else 1.0


def at_once(case: Case) -> Shown | None:
    """Return the session whole, or shortened without leaving a message out; None: too long.

    What the experts of a session are shown is the same for all whose
    instruction is of ordinary length, so that prefix caches work. Raises
    ``JudgeError`` where the judge's context has no room for a session.
    """
    left = room(case) - estimated_tokens(shown_ground_truth(case))
    whole = whole_excerpt(case.transcript)
    tokens = _tokens(whole)
    if tokens <= left:
        return Shown(whole)
    chars = sum(len(line) + 1 for line in whole.lines())
    for _ in range(_ROUNDS):
        chars = max(chars * left // tokens, SMALLEST_EXCERPT)
        shorter = shortened_excerpt(case.transcript, max_chars=chars, rated=_rated(case))
        if shorter is None:
            return None
        tokens = _tokens(shorter)
        if tokens <= left:
            return Shown(shorter, coverage=shorter.coverage, view=_view(shorter))
    return None


def in_parts(case: Case) -> Parts:
    """Return the parts to read, each within the judge's context."""
    count = 999  # at least as long as the numbers of any request
    empty = Excerpt((), (), 0, 0)
    asked = extraction_prompt(_measured(case), empty, nth=count, count=count, most=_MOST_QUOTES)
    left = _left(case, prompt_tokens(asked))
    parts = segments(
        case.transcript,
        room=left,
        longest_block=max(left, SMALLEST_EXCERPT),
        weight=estimated_tokens,
    )
    share = room(case) // 2 // _TOKENS_OF_QUOTE // max(len(parts), 1)
    most = max(_FEWEST_QUOTES, min(share, _MOST_QUOTES))
    prompts = tuple(
        extraction_prompt(case, part, nth=nth, count=len(parts), most=most)
        for nth, part in enumerate(parts)
    )
    return Parts(parts, prompts, most)


def together(case: Case, parts: Parts, extracts: Sequence[Extract]) -> Shown:
    """Return what the session is scored on: the readers' quotes within a skeleton of it.

    Where not all quotes have room, each part and axis gives its most telling
    first; what is dropped is counted.
    """
    left = room(case)
    gathered = list(_in_turn(extracts))
    chosen = _fitting(gathered, left // 2)
    told = _BESIDE.format(parts=len(parts.excerpts), findings=_listed(chosen))
    shown = {m.label: m for part in parts.excerpts for m in part.messages if m.last is None}
    left -= estimated_tokens(told)
    chars = max(2 * left, SMALLEST_EXCERPT)
    while True:
        bones = excerpt(case.transcript, max_chars=chars, rated=_rated(case))
        fleshed = replace(bones, messages=tuple(_with_quotes(bones.messages, chosen, shown)))
        tokens = _tokens(fleshed)
        if tokens <= left or chars == SMALLEST_EXCERPT:
            break
        chars = max(chars * left // tokens * 19 // 20, SMALLEST_EXCERPT)
    dropped = len(gathered) - len(chosen) + sum(each.not_found for each in extracts)
    view = _view(*parts.excerpts, parts=len(parts.excerpts), quotes=len(chosen), dropped=dropped)
    return Shown(
        fleshed,
        beside=(told,),
        instructions=tuple(chain.from_iterable(each.instructions for each in extracts)),
        coverage=parts.coverage,
        view=view,
    )


def room(case: Case) -> int:
    """Return the tokens that the transcript's lines may take in a request for scores.

    The same for all experts of a session, by what the longest question about
    the rubric would take; where that leaves little, by this expert's own.
    """
    axes = readable_axes(case)
    if case.feedback or case.expectations:
        return _room(case, axes)
    return _remembered_room(_Frame.of(case, axes))


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """All that a question takes but the session: the same for most sessions of a suite."""

    case: Case
    axes: tuple[Axis, ...]
    key: tuple[object, ...]

    @classmethod
    def of(cls, case: Case, axes: tuple[Axis, ...]) -> _Frame:
        """Return the frame of a case, without its transcript.

        Rubric and expert are told apart by identity: comparing them would take
        as long as measuring. The frame holds both, so no other can take their place.
        """
        names = tuple(axis.name for axis in (*case.axes, *axes))
        sizes = (len(axes), case.context_tokens, case.reply_tokens)
        key = (id(case.rubric), id(case.expert), names, case.profile, sizes)
        return cls(replace(case, transcript=_NO_SESSION), axes, key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frame) and self.key == other.key


@lru_cache(maxsize=64)
def _remembered_room(frame: _Frame) -> int:
    return _room(frame.case, frame.axes)


def _room(case: Case, axes: tuple[Axis, ...]) -> int:
    case = _measured(case)
    bare = case.expert.model_copy(update={"instruction": ""})
    everything = _asked(replace(case, axes=axes, expert=bare))
    instruction = max(_INSTRUCTION_TOKENS, estimated_tokens(case.expert.instruction))
    shared = _free(case, everything + instruction)
    return shared if shared >= _ROOM_TO_SHARE else _left(case, _asked(case))


def _measured(case: Case) -> Case:
    """Return the case as it is measured: its code is another in every run, what is shown is not."""
    return replace(case, nonce=_HEAVIEST_NONCE)


def _asked(case: Case) -> int:
    return prompt_tokens(prompt_for(case, Excerpt((), (), 0, 0)))


def _free(case: Case, taken: int) -> int:
    """Return what a context has left beside what is always asked, the reply and a repair."""
    repair = min(_REPAIR_TOKENS, case.context_tokens // _REPAIR_SHARE)
    return case.context_tokens - taken - reply_tokens(case) - repair


def _left(case: Case, taken: int) -> int:
    """Return the same; raises ``JudgeError`` where it is too little for any session."""
    left = _free(case, taken)
    if left < _LEAST_ROOM:
        context = case.context_tokens
        least = context - left + _LEAST_ROOM
        raise JudgeError(
            f"a context of {context:,} tokens has no room for the session: rubric, profile, rules "
            f"and reply take {context - left:,}; give the judge at least {least:,} "
            "([judge] context_tokens), or lower max_output_tokens"
        )
    return left


def _tokens(shown: Excerpt) -> int:
    return estimated_tokens("\n".join(shown.lines()))


def _rated(case: Case) -> set[int]:
    return {entry.message_index for entry in case.feedback}


def _in_turn(extracts: Sequence[Extract]) -> Iterator[Finding]:
    """Yield findings so that every part and axis has its first before any has its second."""
    queues: list[list[Finding]] = []
    for each in extracts:
        by_axis: dict[str, list[Finding]] = {}
        for finding in each.findings:
            by_axis.setdefault(finding.axis, []).append(finding)
        queues += by_axis.values()
    for round_ in zip_longest(*queues):
        yield from (finding for finding in round_ if finding is not None)


def _fitting(findings: Sequence[Finding], room: int) -> list[Finding]:
    """Return the findings that fit, in the order given; one that does not ends it."""
    chosen: list[Finding] = []
    for finding in findings:
        room -= estimated_tokens(finding.citation.quote) + _TOKENS_OF_QUOTE // 3
        if room < 0:
            break
        chosen.append(finding)
    return chosen


def _listed(chosen: Sequence[Finding]) -> str:
    """Return a line per message and axis; labels and our own words only."""
    lines = dict.fromkeys(
        f"{each.citation.message} {each.citation.polarity} {each.axis}" for each in chosen
    )
    return "\n".join(lines) or "(nothing was quoted)"


def _with_quotes(
    bones: Sequence[ShownMessage], chosen: Sequence[Finding], shown: dict[str, ShownMessage]
) -> Iterator[ShownMessage]:
    """Yield the skeleton's messages, each quote in its place."""
    said: dict[str, dict[str, None]] = {}
    for finding in chosen:
        words = finding.citation
        said.setdefault(words.message, {})[words.quote] = None
    quotes = {label: tuple(said[label]) for label in shown if label in said}
    for message in bones:
        if message.last is None:
            yield _quoting(message, quotes.pop(message.label, ()))
            continue
        yield message
        for label in [label for label in quotes if _stands_for(message, shown[label])]:
            yield _quoting(replace(shown[label], blocks=()), quotes.pop(label))
    for label, words_of in quotes.items():  # one elision may stand for several agents' messages
        yield _quoting(replace(shown[label], blocks=()), words_of)


def _stands_for(elision: ShownMessage, message: ShownMessage) -> bool:
    """Whether a message is among those that are left out there."""
    last = elision.last if elision.last is not None else elision.index
    same = message.agent_id == elision.agent_id
    return same and elision.index <= message.index <= last


def _quoting(message: ShownMessage, quotes: Sequence[str]) -> ShownMessage:
    """Return the message with the quotes that cannot be read in what is shown of it."""
    said = [normalise(stretch) for stretch in message.quotable]
    missing = [words for words in quotes if not any(normalise(words) in text for text in said)]
    blocks = tuple(Block("quote", words) for words in missing)
    return replace(message, blocks=(*message.blocks, *blocks)) if blocks else message


def _view(*excerpts: Excerpt, parts: int = 0, quotes: int = 0, dropped: int = 0) -> View:
    shortened = list(chain.from_iterable(each.shortened for each in excerpts))
    return View(
        parts=parts,
        quotes=quotes,
        dropped=dropped,
        left_out=tuple(chain.from_iterable(each.left_out for each in excerpts)),
        shortened=tuple(shortened[:_SHOWN_LABELS]),
        more_shortened=max(0, len(shortened) - _SHOWN_LABELS),
    )
