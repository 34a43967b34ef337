"""A message's text cut into passages: what is shown, what is quoted, what is left out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_sessioneval.judging.locating import SearchedText
from pytest_sessioneval.judging.steering_words import Span

__all__ = ["AROUND", "HEAD", "TAIL", "Passage", "Quoted", "located", "passages"]

HEAD = 4_000
"""Characters of a long text that are shown from its beginning."""

TAIL = 1_000
"""Characters of it that are shown from its end."""

AROUND = 300
"""Characters either side of a quote that are shown wherever it stands."""

_UNPLACED = 400
"""A quote's place longer than the quote by this much is the text as a whole."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A place that an opinion cites."""

    number: int
    """As both ends of the link name it."""
    span: Span


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text."""

    text: str
    start: int = 0
    """Where in the whole text it begins."""
    quotes: tuple[int, ...] = ()
    """Numbers of the quotes that it is part of."""
    begins: tuple[int, ...] = ()
    """Numbers of the quotes that begin here."""
    ends: tuple[int, ...] = ()
    """Numbers of the quotes that end here."""
    left_out: int = 0
    """Characters left out in its place; ``text`` is then empty."""


def located(text: str, quotes: Sequence[tuple[int, str]]) -> tuple[Quoted, ...]:
    """Return where numbered quotes stand in the text; those that do not stand in it are absent."""
    searched = SearchedText(text)
    return tuple(
        Quoted(number, span)
        for number, quote in quotes
        if (span := searched.span(quote)) is not None
        and span.end - span.start <= len(quote) + _UNPLACED
    )


def passages(
    text: str,
    quoted: Sequence[Quoted] = (),
    *,
    head: int = HEAD,
    tail: int = TAIL,
    fold: int = 0,
) -> tuple[Passage, ...]:
    """Return the text as passages in order: every quote whole, and of a long text a part.

    Shown are its beginning, its end, and what stands around quotes; in the
    place of the rest stands how many characters are left out. No passage
    reaches across ``fold``.
    """
    shown = _shown(len(text), quoted, head, tail)
    edges = sorted(
        {0, min(fold, len(text)), len(text)}
        | {edge for start, end in shown for edge in (start, end)}
        | {edge for one in quoted for edge in (one.span.start, one.span.end)}
    )
    found: list[Passage] = []
    for start, end in pairwise(edges):
        if not any(low <= start and end <= high for low, high in shown):
            found.append(Passage("", start, left_out=end - start))
            continue
        here = [one for one in quoted if one.span.start <= start and end <= one.span.end]
        found.append(
            Passage(
                text[start:end],
                start,
                quotes=tuple(one.number for one in here),
                begins=tuple(one.number for one in here if one.span.start == start),
                ends=tuple(one.number for one in here if one.span.end == end),
            )
        )
    return tuple(found)


def _shown(
    length: int, quoted: Sequence[Quoted], head: int, tail: int
) -> tuple[tuple[int, int], ...]:
    if length <= head + tail:
        return ((0, length),)
    windows = [(0, head), (length - tail, length)]
    windows += [
        (max(0, one.span.start - AROUND), min(length, one.span.end + AROUND)) for one in quoted
    ]
    return tuple(_merged(sorted(windows)))


def _merged(windows: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    low, high = windows[0]
    for start, end in windows[1:]:
        if start > high:
            yield low, high
            low, high = start, end
        else:
            high = max(high, end)
    yield low, high
