"""An answer made of words that nobody used before: a sign that it belongs to something else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_sessioneval.judging.process.reading import Part

__all__ = ["Novelty", "unrelated_answer"]

_WORD = re.compile(r"[a-z]{4,}")
_LAST = 3
_FEWEST_WORDS = 20
_REQUIRED = ((100, 0.6), (40, 0.8))
_UNRULED = 0.3


@dataclass(frozen=True, slots=True)
class Novelty:
    """An answer most of whose words are new."""

    message: int
    share: float
    """Share of its different words that nobody used before, 0–1."""


def unrelated_answer(part: Part, answers: Sequence[int]) -> Novelty | None:
    """Return the most foreign of the last three answers, where it is foreign enough.

    Of at least 20 different words, 60 % are new although 100 were used before, by
    anybody, or 80 % although 40 were; and the agent had called a tool: what it
    then says should be about what it saw. Words of the system prompt do not
    count as used (rules hold the words of every session of their kind), but 30 %
    must be new to it, too. Words are runs of four letters a to z and more.
    """
    candidates = set(answers[-_LAST:])
    before: set[str] = set()
    rules: set[str] = set()
    worked = False
    worst: Novelty | None = None
    for message, text, arguments in zip(part.messages, part.texts, part.arguments, strict=True):
        words = set(_WORD.findall(text.lower()))
        if message.index in candidates and worked and len(words) >= _FEWEST_WORDS:
            found = _novelty(message.index, words, before, rules)
            if found is not None and (worst is None or found.share > worst.share):
                worst = found
        if message.role == "system":
            rules |= words
        else:
            before |= words
        for written in arguments:
            worked = True
            before.update(_WORD.findall(written[: part.argument_limit].lower()))
    return worst


def _novelty(index: int, words: set[str], before: set[str], rules: set[str]) -> Novelty | None:
    new = words - before
    share = len(new) / len(words)
    foreign = any(len(before) >= few and share >= least for few, least in _REQUIRED)
    if not foreign or len(new - rules) < _UNRULED * len(words):
        return None
    return Novelty(index, share)
