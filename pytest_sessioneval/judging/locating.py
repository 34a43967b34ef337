"""Where in a text a quote stands that was found as quotes are compared."""

from __future__ import annotations

from functools import lru_cache

from pytest_sessioneval.judging.evidence import normalise, without_labels
from pytest_sessioneval.judging.steering_words import Span

__all__ = ["SearchedText"]

_piece = lru_cache(maxsize=4_096)(normalise)


class SearchedText:
    """A text in which several quotes are looked up; it is folded once, for the first of them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded: tuple[str, list[int]] | None = None

    def span(self, quote: str) -> Span | None:
        """Return where the quote first stands, in characters of the text; None: it does not.

        What stands only in the text folded as a whole has no place of its own:
        the span is then the whole text.
        """
        wanted = normalise(without_labels(quote))
        if not wanted:
            return None
        folded, places = self._folded = self._folded or _fold(self._text)
        start = folded.find(wanted)
        if start < 0:
            return Span(0, len(self._text)) if wanted in normalise(self._text) else None
        return Span(places[start], places[start + len(wanted) - 1] + 1)


def _fold(text: str) -> tuple[str, list[int]]:
    """Return the folded text and, for each of its characters, where it comes from."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        piece = _piece(character) or (" " if character.isspace() else "")
        if piece == " " and (not folded or folded[-1] == " "):
            continue
        folded += piece
        places += [place] * len(piece)
    return "".join(folded), places
