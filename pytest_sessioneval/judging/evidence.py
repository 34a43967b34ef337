"""Whether the words a judge cites stand where it says, and whether they carry its score.

METHOD section 3: a quote is compared with the message *as shown* after both are
normalised; one that stands in exactly one other message is moved there; any
other is rejected. A score that rests on nothing verified is no score.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.judging.replies import AxisReply, Citation, Reply
from pytest_sessioneval.suites.model import Axis
from pytest_sessioneval.transcripts.model import Role
from pytest_sessioneval.transcripts.shown import ShownMessage
from pytest_sessioneval.verdicts.model import (
    AxisOpinion,
    Evidence,
    QuoteCount,
    Scored,
    Unscored,
)

__all__ = [
    "NOT_THERE",
    "SHORTEST_QUOTE",
    "Found",
    "Quotes",
    "Scales",
    "Weighed",
    "normalise",
    "shown_quote",
    "verify_quote",
    "weigh",
    "without_labels",
]

SHORTEST_QUOTE = 12
"""Fewest characters of a normalised quote that is not the whole message."""

NOT_THERE = f"is not there word for word (or shorter than {SHORTEST_QUOTE} characters)"
"""What is wrong with a quote that stands nowhere."""

NEEDS_PRAISE = 80
"""From this score on, something positive must be quoted."""

_LONGEST_KEPT = 300
_FAULTS_SHOWN = 4
_INVISIBLE = re.compile(
    "[\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u3164\\uffa0\\ufe00-\\ufe0f\\U000e0100-\\U000e01ef]"
)
_STRAIGHT = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2035`\u00b4\u02bc\uff07", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\uff02", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
}
_CROOKED = re.compile(f"[{''.join(_STRAIGHT)}]")
_LINE_LABEL = re.compile(r"(?m)^(?:A\d+\.)?M\d+(?:\.\w+)?\| ?", re.ASCII)


def normalise(text: str) -> str:
    """Return the text as quotes are compared: what differs here is a difference in words.

    NFKC; zero-width, bidirectional, tag and other format characters and
    controls dropped; quotes and dashes straightened; white space collapsed;
    case folded. Normalising twice changes nothing more.
    """
    if text.isascii():
        plain = " ".join(text.replace("`", "'").lower().split())
        if plain.isprintable():
            return plain  # to fold it would change nothing more
    folded = _fold(text)
    return folded if folded == text else normalise(folded)


def without_labels(quote: str) -> str:
    """Return a quote without the labels that begin its lines as they are shown."""
    return _LINE_LABEL.sub("", quote)


def _fold(text: str) -> str:
    text = _CROOKED.sub(lambda found: _STRAIGHT[found[0]], _INVISIBLE.sub("", text))
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


@dataclass(frozen=True, slots=True)
class Found:
    """Where a quote stands: the message's label, and both texts as they are compared."""

    label: str
    words: str
    text: str

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The offsets of the words in the message's text, every time they stand there."""
        spans: list[tuple[int, int]] = []
        start = self.text.find(self.words)
        while start >= 0:
            spans.append((start, start + len(self.words)))
            start = self.text.find(self.words, start + 1)
        return tuple(spans)


class Quotes:
    """Looks quotes up in the messages a judge was shown: label -> stretches of text.

    A message has several stretches where something is left out between them; no
    quote can span two.
    """

    def __init__(self, shown: Mapping[str, Sequence[str]]) -> None:
        self._shown = shown
        self._normalised: dict[str, str] = {}

    def find(self, cited: str, quote: str) -> Found | None:
        """Return where the quote stands, or None where it counts for nothing.

        It must stand in the message ``cited``, in at least 12 characters unless
        it is the whole of it; or else in exactly one other message.
        """
        wanted = normalise(without_labels(quote))
        if not wanted:
            return None
        if cited in self._shown:
            text = self._text(cited)
            if wanted in text and (len(wanted) >= SHORTEST_QUOTE or wanted == text):
                return Found(cited, wanted, text)
        if len(wanted) < SHORTEST_QUOTE:
            return None
        elsewhere = [label for label in self._shown if wanted in self._text(label)]
        if len(elsewhere) != 1:
            return None
        return Found(elsewhere[0], wanted, self._text(elsewhere[0]))

    def stands(self, found: Found) -> bool:
        """Return whether words found in other quotable text stand in that message here too."""
        return found.words in self._text(found.label)

    def _text(self, label: str) -> str:
        text = self._normalised.get(label)
        if text is None:
            # Normalised text holds no line end, so that one keeps stretches apart.
            text = "\n".join(normalise(stretch) for stretch in self._shown[label])
            self._normalised[label] = text
        return text


def verify_quote(quote: str, cited: str, shown: Mapping[str, str]) -> str | None:
    """Return the label of the message the quote is proven to stand in, or None.

    ``shown`` maps labels (``M12``, ``A1.M3``) to the messages as the judge saw
    them. See ``Quotes.find`` for the rule.
    """
    found = Quotes({label: (text,) for label, text in shown.items()}).find(cited, quote)
    return found.label if found else None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A reply with its evidence checked."""

    axes: Mapping[str, AxisOpinion]
    rejected: tuple[str, ...] = ()
    """What a judge must correct so that its unverified axes count: one line per axis."""
    steering: tuple[Evidence, ...] = ()
    """Verified passages that, the judge says, address it and not the agent."""
    quotes: QuoteCount = field(default_factory=QuoteCount)
    """What became of the quotes."""


def weigh(
    reply: Reply,
    case: Case,
    messages: Sequence[ShownMessage],
    masked: Sequence[ShownMessage] | None = None,
) -> Weighed:
    """Return the reply's axes as scores, or as reasons there is none.

    ``masked`` are the same messages without the passages our own heuristics
    flag (default: nothing is flagged). A quote proves something when it is
    verified, comes from a role the axis accepts, and stands outside every
    passage that is flagged or that the judge reports as steering it. A score
    below 100 without such a quote, or of 80 and more without a positive one, is
    ``unverified``.
    """
    scales = Scales(messages, messages if masked is None else masked)
    steering = scales.mark(reply.instructions)
    axes: dict[str, AxisOpinion] = {}
    rejected: list[str] = []
    for axis in case.axes:
        given = reply.axes[axis.name]
        if given.level is None:
            axes[axis.name] = Unscored(reason="not_applicable", detail=given.rationale)
            continue
        proof, faults, cited = scales.sort(given.evidence, axis)
        lacking = _lacking(given.level, proof)
        if not lacking:
            axes[axis.name] = _scored(given, given.level, proof)
            continue
        listed = _listed(faults) or "no quote was given"
        axes[axis.name] = Unscored(
            reason="unverified",
            detail=f"level {given.level} without {lacking}: {listed}",
            evidence=cited,
        )
        rejected.append(f"{axis.name}: level {given.level} needs {lacking}, but {listed}")
    return Weighed(axes, tuple(rejected), steering, scales.counted)


class Scales:
    """One reply's evidence against the messages shown."""

    def __init__(self, messages: Sequence[ShownMessage], masked: Sequence[ShownMessage]) -> None:
        self._messages = {message.label: message for message in messages if message.last is None}
        self._quotes = _quotes(messages)
        self._unflagged = self._quotes if masked is messages else _quotes(masked)
        self._steering: dict[str, list[tuple[int, int]]] = {}
        self._given = self._moved = self._rejected = 0

    @property
    def counted(self) -> QuoteCount:
        """What became of the quotes looked up so far."""
        return QuoteCount(given=self._given, moved=self._moved, rejected=self._rejected)

    def mark(self, instructions: Sequence[Citation]) -> tuple[Evidence, ...]:
        """Note the passages that steer the judge; one that is not found is ignored."""
        marked: list[Evidence] = []
        for citation in instructions:
            found = self._quotes.find(citation.message, citation.quote)
            if found is not None:
                self._steering.setdefault(found.label, []).extend(found.spans)
                marked.append(self._evidence(citation, found))
        return tuple(marked)

    def sort(
        self, citations: Sequence[Citation], axis: Axis
    ) -> tuple[tuple[Evidence, ...], tuple[str, ...], tuple[Evidence, ...]]:
        """Return what proves, what is wrong with the rest, and all that was cited."""
        proof: list[Evidence] = []
        faults: list[str] = []
        cited: list[Evidence] = []
        for citation in citations:
            evidence, fault = self.look_up(citation, axis.evidence_roles)
            cited.append(evidence)
            if fault:
                faults.append(fault)
            else:
                proof.append(evidence)
        return tuple(proof), tuple(faults), tuple(cited)

    def look_up(self, citation: Citation, roles: Sequence[Role] = ()) -> tuple[Evidence, str]:
        """Return what is cited, counted, and what is wrong with it; empty: it proves something.

        ``roles`` are whose words prove anything; empty: anybody's.
        """
        found = self._quotes.find(citation.message, citation.quote)
        fault = self._fault(found, roles)
        if fault:
            fault = f"{citation.message} {shown_quote(citation.quote)} {fault}"
        self._given += 1
        self._rejected += bool(fault)
        self._moved += not fault and found is not None and found.label != citation.message
        return self._evidence(citation, found), fault

    def _fault(self, found: Found | None, roles: Sequence[Role]) -> str:
        if found is None:
            return NOT_THERE
        role = self._messages[found.label].role
        if roles and role not in roles:
            return f"is from role {role}; accepted: {', '.join(roles)}"
        steering = self._steering.get(found.label)
        if steering and all(any(_overlap(at, one) for one in steering) for at in found.spans):
            return "is text that steers the reviewer"
        if self._unflagged is not self._quotes and not self._unflagged.stands(found):
            return "is text that steers the reviewer"
        return ""

    def _evidence(self, citation: Citation, found: Found | None) -> Evidence:
        message = self._messages.get(found.label if found else citation.message)
        agent, _, label = citation.message.rpartition(".")
        return Evidence(
            message=message.index if message else int(label.removeprefix("M")),
            agent_id=message.agent_id if message else agent or None,
            quote=citation.quote[:_LONGEST_KEPT],
            polarity=citation.polarity,
            verified=found is not None,
            tool=_tool(message, found.words) if message and found else None,
        )


def _tool(message: ShownMessage, words: str) -> str | None:
    """Return the tool whose result is quoted, or one of whose calls is."""
    if message.role == "tool":
        return message.tool_name
    calls = [block.text for block in message.blocks if block.kind == "call"]
    return next((text.partition(" ")[0] for text in calls if words in normalise(text)), None)


def _quotes(messages: Sequence[ShownMessage]) -> Quotes:
    """Return what can be quoted of the messages that are shown."""
    return Quotes({one.label: one.quotable for one in messages if one.last is None})


def _listed(faults: Sequence[str]) -> str:
    """Return the faults on one line, each once, the first few in full."""
    distinct = list(dict.fromkeys(faults))
    more = len(distinct) - _FAULTS_SHOWN
    shown = "; ".join(distinct[:_FAULTS_SHOWN])
    return f"{shown}; and {more} more" if more > 0 else shown


def _lacking(level: int, proof: Sequence[Evidence]) -> str:
    """Return what a level needs and does not have; empty when it is borne out."""
    if level >= NEEDS_PRAISE and not any(item.polarity == "positive" for item in proof):
        return "a verified positive quote"
    return "" if proof else "a verified quote"


def _scored(given: AxisReply, score: int, proof: tuple[Evidence, ...]) -> Scored:
    return Scored(
        score=score, comment=given.rationale, evidence=proof, failure_tag=given.failure_tag
    )


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def shown_quote(quote: str) -> str:
    """Return a quote for a message: on one line, in quotation marks, cut."""
    line = json.dumps(quote, ensure_ascii=False)
    return line if len(line) <= 80 else f"{line[:79]}…"  # noqa: PLR2004
