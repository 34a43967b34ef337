"""Faithfulness by words: how much of each sentence of an answer stands in the contexts.

A sentence's share is that of its pairs of neighbouring words that stand so in a
context; an answer's is the mean over its sentences. No meaning is looked at: a
paraphrase scores low, and a denial in the context's own words scores high.
docs/rag.md says how far that agrees with people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

__all__ = ["GROUNDING_VERSION", "Grounded", "commits_to_nothing", "grounded_sentences", "grounding"]

GROUNDING_VERSION = 2
"""Raised whenever the same words may give another score."""

# Scripts that put no space between words are compared by character.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|(?<=[。！？])|\n+")  # noqa: RUF001
_NOTHING = re.compile(
    r"""\b(?:
      (?:i|we)\ (?:do\ not|don't|cannot|can't|can\ not|could\ not|couldn't|am\ unable|am\ not\ able|
        are\ unable)\b.{0,40}\b(?:know|answer|say|tell|find|determine|sure|help|provide|information)
    | (?:i'm|i\ am|we're|we\ are)\ (?:not\ sure|unsure|sorry|unable|not\ able|not\ certain)
    | (?:no|not\ enough|insufficient)\ (?:relevant\ )?(?:information|context|answer|mention|details)
    | (?:is|are|was|were)(?:\ not|n't)\ (?:mentioned|provided|specified|stated|given|known|in\ the)
    | (?:does|do)(?:\ not|n't)\ (?:mention|provide|specify|state|say|contain|include)
    | (?:unknown|unanswerable)\b
    )""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Grounded:
    """One sentence of an answer."""

    text: str
    share: float
    """Share of its word pairs that stand in a context, 0–1."""


def grounding(sentences: Sequence[Grounded]) -> float | None:
    """Return the mean share of the sentences, 0–1; None without any."""
    return fmean(sentence.share for sentence in sentences) if sentences else None


def grounded_sentences(answer: str, contexts: Iterable[str]) -> list[Grounded]:
    """Return the answer's sentences that hold a word, each with its share.

    A sentence of a single word counts by that word.
    """
    pairs: set[tuple[str, str]] = set()
    known: set[str] = set()
    for context in contexts:
        words = _words(context)
        known.update(words)
        pairs.update(pairwise(words))
    found: list[Grounded] = []
    for sentence in _SENTENCE_END.split(answer):
        words = _words(sentence)
        own = list(pairwise(words))
        if own:
            found.append(Grounded(sentence.strip(), fmean(pair in pairs for pair in own)))
        elif words:
            found.append(Grounded(sentence.strip(), float(words[0] in known)))
    return found


def commits_to_nothing(answer: str) -> bool:
    """Return whether every sentence says that there is no answer, or there is no sentence.

    By fixed English phrases, as "I don't know" and "is not mentioned".
    """
    plain = answer.replace("’", "'")
    sentences = [each for each in _SENTENCE_END.split(plain) if _WORD.search(each)]
    return all(_NOTHING.search(sentence) for sentence in sentences)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
