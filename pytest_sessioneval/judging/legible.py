"""A text as a reader sees it, and what in it nobody sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pytest_sessioneval.judging.steering_words import Span

__all__ = ["Legible", "hidden_runs"]

_INVISIBLE_CLASS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef"
)
_INVISIBLE = re.compile(f"[{_INVISIBLE_CLASS}]")
_VISIBLE = re.compile(f"[^{_INVISIBLE_CLASS}]+")
_HIDDEN_RUN = re.compile(
    r"[\U000e0020-\U000e007f]{4,}"  # tag characters spell text that is not drawn
    r"|[\u202a\u202b\u202d\u202e\u2066-\u2068][^\n\u202c\u2069]{8,400}[\u202c\u2069]?"
    r"|(?:[A-Za-z][\u00ad\u200b-\u200d\u2060\ufeff]+){3,}[A-Za-z]*"
)
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u0261"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u03b1\u03bf\u03bd\u03b9",
    "aeopcyxijsdgABEKMHOPCTXaovi",
)
_LOOKING_ALIKE = frozenset(map(chr, _LOOK_ALIKES))
_MIXED = re.compile(
    r"(?:[a-z]+[\u0370-\u052f]|[\u0370-\u052f]+[a-z])[a-z\u0370-\u052f]*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Legible:
    """A text with nothing hidden in it."""

    text: str
    """Without invisible characters; look-alike and full-width letters are plain ones."""
    places: tuple[int, ...] | None
    """Where each character stood, and the end; None: every character stands where it stood."""

    @classmethod
    def of(cls, text: str) -> Legible:
        """Return the text as it is read; ASCII is what it is."""
        if text.isascii():
            return cls(text, None)
        places: tuple[int, ...] | None = None
        if _INVISIBLE.search(text):
            runs = [match.span() for match in _VISIBLE.finditer(text)]
            kept = [place for run in runs for place in range(*run)]
            places = (*kept, kept[-1] + 1 if kept else 0)
            text = "".join(text[start:end] for start, end in runs)
        odd = {character for character in set(text) if not character.isascii()}
        folded = {ord(one): plain for one in odd if (plain := _plain(one)) != one}
        if folded:
            text = text.translate(folded)
        if odd & _LOOKING_ALIKE:
            text = _MIXED.sub(lambda match: match[0].translate(_LOOK_ALIKES), text)
        return cls(text, places)

    def span(self, start: int, end: int) -> Span:
        """Return a passage of this text as a passage of the text it was read from."""
        return (
            Span(start, end) if self.places is None else Span(self.places[start], self.places[end])
        )


def hidden_runs(text: str) -> Iterator[Span]:
    """Yield what is written so that a person does not see it: tags, overrides, split words."""
    if not text.isascii() and _INVISIBLE.search(text):
        yield from (Span(*match.span()) for match in _HIDDEN_RUN.finditer(text))


@cache
def _plain(character: str) -> str:
    """Return the one character that NFKC makes of it, else itself."""
    if character.isascii():
        return character
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character
