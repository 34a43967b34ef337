"""An answer made of words that nobody used before: a sign that it belongs to something else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_sessioneval.judging.process.reading import Part

__all__ = ["Novelty", "unrelated_answer"]

_WORD = re.compile(r"[a-z]{4,}")
_NAME = re.compile(r"(?<!\w)(?>[A-Za-z]*)\d\w{4,}", re.ASCII)
_LAST = 3
_FEWEST_WORDS = 20
_REQUIRED = ((80, 0.6), (40, 0.8))
_UNRULED = 0.3
_TAKEN_UP = 0.5
_FEWEST_TAKEN_UP = 3
_MOST_NAMES = 40


@dataclass(frozen=True, slots=True)
class Novelty:
    """An answer most of whose words are new."""

    message: int
    share: float
    """Share of its different words that nobody used before, 0–1."""


def unrelated_answer(part: Part, answers: Sequence[int]) -> Novelty | None:
    """Return the most foreign of the last three answers, where it is foreign enough.

    Of at least 20 different words, 60 % are new although 80 were used before, by
    anybody, or 80 % although 40 were; and the agent had called a tool: what it
    then says should be about what it saw. Words of the system prompt do not
    count as used (rules hold the words of every session of their kind), but 30 %
    must be new to it, too. An answer that takes up half of the words the user
    said last, and three at least, is about them, however much it explains; so is
    one that names an identifier known from before. A remark beside a call is no
    answer. Words are runs of four letters a to z and more.
    """
    candidates = {index for index in answers if not part.messages[index].tool_calls}
    candidates = set(sorted(candidates)[-_LAST:])
    before: set[str] = set()
    rules: set[str] = set()
    asked: set[str] = set()
    worked = False
    worst: Novelty | None = None
    for message, text, arguments in zip(part.messages, part.texts, part.arguments, strict=True):
        words = set(_WORD.findall(text.lower()))
        if message.index in candidates and worked and len(words) >= _FEWEST_WORDS:
            found = _novelty(message.index, words, before, rules)
            if found and not (_takes_up(words, asked) or _names_known(text, part, message.index)):
                worst = max(worst or found, found, key=lambda novelty: novelty.share)
        if message.role == "system":
            rules |= words
        else:
            before |= words
        if message.role == "user" and words:
            asked = words
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


def _takes_up(words: set[str], asked: set[str]) -> bool:
    taken = len(words & asked)
    return taken >= _FEWEST_TAKEN_UP and taken >= _TAKEN_UP * len(asked)


def _names_known(text: str, part: Part, index: int) -> bool:
    """Return whether an identifier among the text's first stands in a message before the index."""
    names = set(_NAME.findall(text)[:_MOST_NAMES])
    return any(name in earlier for name in names for earlier in part.texts[:index])
