"""Passages of a recording that address whoever judges it, found by words and shape.

Heuristics: they flag, and never delete or score. What is flagged proves nothing
as a quote and is tried without (``judging.masking``). Words count together, in
one sentence: *score*, *100* or *reviewer* alone are what sessions are about.
Text is compared as a reader would see it: invisible characters dropped,
look-alike letters made one, base64 and its like decoded. What leaks through:
steering that names neither score nor reviewer, such as praise.
"""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from pytest_sessioneval.judging.legible import Legible, hidden_runs
from pytest_sessioneval.judging.steering_words import (
    ANCHORS,
    BEST,
    COMBINATIONS,
    FORGED_LABEL,
    HIGHEST,
    HIGHEST_CLUE,
    IMITATIONS,
    ROT13_ANCHORS,
    SPACED_CLUES,
    Span,
    steering_clues,
)
from pytest_sessioneval.judging.unbroken import unbroken

__all__ = ["STEERING_VERSION", "Span", "joined", "steering_spans"]

STEERING_VERSION = 1
"""Raised whenever another passage may be flagged in the same text."""

_SHORTEST = 6
"""Characters of the shortest text that is looked at."""

_LONGEST_REMEMBERED = 16_384

_REACH = 300
"""Characters either side of a place that its sentence or line may have."""

_NEAR = 60
"""Passages this close, in characters, are one."""

_LEADING_LINES = 2
_LINE = r"[\n\r\u2028\u2029]+|\\n|\"\s?[,:]\s?\"|\"\s?[}\]]"  # strings in JSON are lines too
_LINE_END = re.compile(_LINE)
_SENTENCE_END = re.compile(rf"(?<=[.!?])\s+|[\u3002\uff01\uff1f]\s*|{_LINE}")
_SHORTEST_ENCODED = 32
_ENCODED = re.compile(rf"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{{{_SHORTEST_ENCODED},4000}}(?:={{0,2}})")
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_SPACED = re.compile(r"(?:\b\w {1,3}){16,}\w?")
_SPELLED = re.compile(r"score|judge|reviewer|axis|ignore|rubric|100")


def steering_spans(text: str, axes: Sequence[str] = ()) -> tuple[Span, ...]:
    """Return the passages that address a judge, in order and apart from each other.

    A passage is the line that holds such a sentence, or what is near it in a
    long line: who writes one sentence to a judge means the rest of it too.
    ``axes`` are the names of the axes scored; one that no ordinary sentence
    holds (``goal_completion``) speaks of a review wherever it stands beside a
    highest score. Offsets count characters of ``text``.
    """
    if len(text) < _SHORTEST:
        return ()
    names = _telling_names(tuple(axes))
    return _remembered(text, names) if len(text) <= _LONGEST_REMEMBERED else _spans(text, names)


@cache
def _telling_names(axes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in axes if "_" in name)


def _spans(text: str, names: tuple[str, ...]) -> tuple[Span, ...]:
    found = list(_encoded(text, names))
    if text.isascii():  # what stands there is what is read
        found += _said(text, names)
    else:
        found += hidden_runs(text)
        read = Legible.of(text)
        found += [read.span(*span) for span in _said(read.text, names)]
    if not found:
        return ()
    return tuple(joined([_within(text, *span, _LINE_END) for span in found]))


_remembered = lru_cache(maxsize=1_024)(_spans)
"""For the other experts of a session, who are shown the same."""


def _said(text: str, names: tuple[str, ...]) -> Iterator[Span]:
    """Yield what steers in a text without anything hidden."""
    for match in FORGED_LABEL.finditer(text):
        yield _framed(text, match.start() + 1, match.end())
    lowered = _lower(text)
    if not steering_clues(names).stand_in(lowered):
        return
    for imitated, imitation in IMITATIONS:
        if any(clue in lowered for clue in imitated):
            yield from (_framed(text, *match.span()) for match in imitation.finditer(text))
    if HIGHEST_CLUE in lowered:
        yield from (Span(*match.span()) for match in HIGHEST.finditer(text))
    yield from _sentences(text, lowered, names)
    if any(clue in lowered for clue in SPACED_CLUES):
        for match in _SPACED.finditer(lowered):
            if _SPELLED.search(re.sub(r"\s+", "", match.group())):
                yield Span(*match.span())
    if any(word in lowered for word in ROT13_ANCHORS):
        turned = codecs.encode(text, "rot13")
        yield from _sentences(turned, _lower(turned), names)


def _lower(text: str) -> str:
    """Return the text in lower case, character by character: no offset moves."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(one.lower() if len(one.lower()) == 1 else one for one in text)


def _framed(text: str, start: int, end: int) -> Span:
    """Return an imitation with the short lines that lead to it and all that follows it.

    Behind a forged fence, message or verdict its author speaks on.
    """
    line = text.rfind("\n", 0, start) + 1
    for _ in range(_LEADING_LINES):
        before = text.rfind("\n", 0, max(0, line - 1)) + 1
        if line - before > _NEAR:
            break
        line = before
    return Span(max(line, start - _REACH), min(len(text), end + 2 * _REACH))


def _sentences(text: str, lowered: str, names: Sequence[str]) -> Iterator[Span]:
    """Yield the sentences whose words steer together."""
    seen: set[Span] = set()
    for anchor in (*ANCHORS, *names):
        place = lowered.find(anchor)
        while place >= 0:
            span = _within(text, place, place + len(anchor), _SENTENCE_END)
            if span not in seen:
                seen.add(span)
                if _steers(text[span.start : span.end], names):
                    yield span
            place = lowered.find(anchor, span.end)


def _within(text: str, start: int, end: int, ends: re.Pattern[str]) -> Span:
    """Return what lies around a place up to the next end, no further than ``_REACH``."""
    first, last = max(0, start - _REACH), min(len(text), end + _REACH)
    for match in ends.finditer(text, first, start):
        first = match.end()
    following = ends.search(text, end, last)
    return Span(first, following.start() if following else last)


def _steers(sentence: str, names: Sequence[str]) -> bool:
    holds = cache(lambda part: part.search(sentence) is not None)  # most stand in several
    if any(all(map(holds, parts)) for parts in COMBINATIONS):
        return True
    return any(name in sentence for name in names) and BEST.search(sentence) is not None


def _encoded(text: str, names: tuple[str, ...]) -> Iterator[Span]:
    """Yield what is base64 or hexadecimal of a text that steers."""
    if not unbroken(text.encode("utf-8", "surrogatepass"), _SHORTEST_ENCODED):
        return
    for match in _ENCODED.finditer(text):
        decoded = _decoded(match.group())
        if decoded and any(True for _ in _said(decoded, names)):
            yield Span(*match.span())


def _decoded(token: str) -> str:
    """Return the text that a token spells; empty where it spells none."""
    try:
        if _HEXADECIMAL.fullmatch(token):
            text = bytes.fromhex(token).decode("utf-8")
        else:
            token = token.rstrip("=")
            padded = token + "=" * (-len(token) % 4)
            text = base64.b64decode(padded, validate=True).decode("utf-8")
    except ValueError:
        return ""
    return text if text.replace("\n", "").isprintable() else ""


def joined(spans: Sequence[Span]) -> Iterator[Span]:
    """Yield the spans in order, those that overlap or lie close together as one."""
    current: Span | None = None
    for span in sorted(spans):
        if current is None:
            current = span
        elif span.start <= current.end + _NEAR:
            current = Span(current.start, max(current.end, span.end))
        else:
            yield current
            current = span
    if current is not None:
        yield current
