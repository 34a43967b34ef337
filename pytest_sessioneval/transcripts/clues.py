"""Whether any of many words stands in a text, for texts most of which hold none of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["Clues"]


class Clues:
    """Words that are looked for together, each only where what it shares with others stands.

    ``shared`` are parts of words, the rarest in texts first: a word is looked
    for in a text that holds the first of them that it holds itself. A regular
    expression of all words takes twice as long.
    """

    def __init__(self, words: Iterable[str], shared: Sequence[str] = ()) -> None:
        distinct = set(words)
        shortest = [
            word
            for word in sorted(distinct)
            if not any(other in word for other in distinct if other != word)
        ]
        groups: dict[str, list[str]] = {}
        for word in shortest:
            part = next((part for part in shared if part in word), word)
            groups.setdefault(part, []).append(word)
        self._groups = tuple((part, tuple(words)) for part, words in groups.items())

    def stand_in(self, text: str) -> bool:
        """Return whether at least one of the words does."""
        for part, words in self._groups:  # plain loops: they run for every message
            if part in text:
                for word in words:
                    if word in text:
                        return True
        return False
