"""What experts cite, told once: a finding's places in one line, and no words twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import experts_on
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Verdict

__all__ = ["Citation", "citations", "most_telling", "widest_first"]

_MOST_PLACES = 8
_LONGEST_ID = 40
_SHORT_QUOTE = 60
_SHORT_NOTE = 90
_AROUND_WORDS = ".,;:()[]{}'\"\u201c\u201d\u2018\u2019\u2026"
# the embedded judge leads a note by the kind of finding: "asked again: M4 as M2"
_KIND = re.compile(r"([a-z]+(?: [a-z]+)?)(?:: (.+))?", re.DOTALL)
_PLACE = re.compile(r"M\d+(?:, M\d+)*")
_ERROR = re.compile(r"error|exception|traceback|denied|refused|failed|timed out", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Citation:
    """One thing that an expert cites, with every message it was found in."""

    label: str
    """Where: ``M7, M9 of sub-agent a7 (in favour)``."""
    quote: str
    """The words as they stand there; empty: the messages as a whole."""
    note: str
    """What the place shows; empty where the expert's comment says so already."""

    def text(self, limit: int) -> str:
        """Return the citation in one line of plain text, quote and note of ``limit`` characters."""
        quote, note = one_line(self.quote, limit), one_line(self.note, limit)
        said = " – ".join(part for part in (f'"{quote}"' if quote else "", note) if part)
        return f"{self.label}: {said or 'the message as a whole'}"


def citations(said: AxisOpinion, *, shown: int | None = None) -> tuple[Citation, ...]:
    """Return what the expert cites on one axis, each finding once, in the order cited.

    ``shown`` is how many characters of the comment the reader sees; None: all.

    Places of one agent with the same quote are one finding; without a quote,
    those with the same note. A note all of whose words stand in the comment is
    left out; so is a whole finding of the embedded judge where the comment has
    its messages and its quote, too.
    """
    comment = one_line(said.comment if said.kind == "scored" else said.detail, shown)
    groups: dict[tuple[object, ...], list[Evidence]] = {}
    for evidence in said.evidence:
        words = one_line(evidence.quote)
        place = (evidence.agent_id, evidence.polarity, evidence.verified)
        key = (*place, words, "" if words else evidence.note)
        groups.setdefault(key, []).append(evidence)
    return tuple(_citations(groups.values(), comment))


def widest_first(shortfalls: Iterable[Shortfall]) -> list[Shortfall]:
    """Return what was missed, the widest miss first, else in the order given."""
    return sorted(shortfalls, key=lambda fall: fall.score - fall.threshold)


def most_telling(verdict: Verdict, shortfalls: Iterable[Shortfall]) -> str:
    """Return the one place that says most about a failing session, or nothing.

    The axis with the widest miss is looked at first, then the next; the first
    one of which anything is cited gives it. Of what is cited there goes first
    what speaks against the agent, then what the expert with the lowest score
    cites, then words of the transcript before an expert's own, then words that
    report an error; then the order in which the expert cites. Words of the
    transcript stand in quotes: ``M7 'Error: not found'``, led by the kind of
    finding where the judge names it: ``M4 unanswered 'So will she?'``; an
    expert's own do not: ``M9: the last answer names no date``.
    """
    for shortfall in widest_first(shortfalls):
        cited = [
            (said.score if said.kind == "scored" else 101, evidence)
            for _, said in experts_on(verdict, shortfall.axis)
            for evidence in said.evidence
        ]
        if cited:
            return _headline(min(cited, key=_weight)[1])
    return ""


def _weight(cited: tuple[int, Evidence]) -> tuple[bool, int, bool, bool]:
    score, evidence = cited
    in_favour = evidence.polarity == "positive"
    return in_favour, score, not evidence.quote.strip(), not _ERROR.search(evidence.quote)


def _headline(evidence: Evidence) -> str:
    label = f"M{evidence.message}"
    kind, text = _kind_and_text(one_line(evidence.note))
    if quote := one_line(evidence.quote, _SHORT_QUOTE):
        return f"{label} {kind} '{quote}'" if kind else f"{label} '{quote}'"
    if not text or _PLACE.fullmatch(text):
        text = kind
    return f"{label}: {one_line(text, _SHORT_NOTE)}" if text else label


def _citations(groups: Iterable[Sequence[Evidence]], comment: str) -> Iterator[Citation]:
    told = _words(comment)
    noted: set[str] = set()
    for group in groups:
        quote = group[0].quote
        notes = list(dict.fromkeys(note for e in group if (note := one_line(e.note))))
        new = [note for note in notes if not _is_told(note, told)]
        places = {f"M{evidence.message}" for evidence in group}
        if notes and not new and places <= told and one_line(quote) in comment:
            continue
        if quote.strip():
            new = [note for note in new if note not in noted]
        elif not new:
            new = notes  # a message number alone tells nothing
        noted.update(new)
        yield Citation(_label(group), quote, "; ".join(new))


def _label(group: Sequence[Evidence]) -> str:
    """Return the messages' numbers, whose they are, and what is odd about them."""
    first = group[0]
    numbers = sorted({evidence.message for evidence in group})
    label = ", ".join(f"M{number}" for number in numbers[:_MOST_PLACES])
    if len(numbers) > _MOST_PLACES:
        label += f" and {len(numbers) - _MOST_PLACES} more"
    if first.agent_id is not None:
        label += f" of sub-agent {one_line(first.agent_id, _LONGEST_ID)}"
    if not first.verified:
        label += " (not found there)"
    elif first.polarity == "positive":
        label += " (in favour)"
    return label


def _is_told(note: str, told: set[str]) -> bool:
    kind, text = _kind_and_text(note)
    words = _words(text or kind)
    return bool(words) and words <= told


def _kind_and_text(note: str) -> tuple[str, str]:
    """Return the kind of finding that leads the note, if one does, and the rest."""
    found = _KIND.fullmatch(note)
    return (found[1], found[2] or "") if found else ("", note)


def _words(text: str) -> set[str]:
    return {word for part in text.split() if (word := part.strip(_AROUND_WORDS))}
