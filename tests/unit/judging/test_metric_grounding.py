"""Faithfulness by words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from pytest_sessioneval.judging.metrics.grounding import (
    commits_to_nothing,
    grounded_sentences,
    grounding,
)

_WORDS = st.lists(st.sampled_from(["red", "blue", "green", "gold"]), min_size=2, max_size=8)


def shares(answer: str, *contexts: str) -> list[float]:
    """Return each sentence's share."""
    return [sentence.share for sentence in grounded_sentences(answer, contexts)]


def test_words_copied_are_grounded() -> None:
    """Case, punctuation and line breaks do not count."""
    assert shares('"Paris, the CAPITAL!"', "It is Paris: the\ncapital.") == [1.0]


def test_words_from_nowhere_are_not() -> None:
    """No pair of the second sentence stands in the context."""
    assert shares("Paris is nice. Rome has trams!", "Paris is nice.") == [1.0, 0.0]


def test_pairs_do_not_span_contexts() -> None:
    """Two contexts side by side say nothing that neither says."""
    assert shares("red blue", "green red", "blue green") == [0.0]


def test_a_single_word_counts_by_itself() -> None:
    """An answer of one word has no pairs."""
    assert shares("Paris.", "in Paris") == [1.0]


def test_scripts_without_spaces_are_compared_by_character() -> None:
    """Half of the pairs of 東京です stand in 東京は."""
    assert shares("東京です。", "東京は大きい") == [pytest.approx(1 / 3)]


def test_an_answer_without_a_word_has_no_sentence() -> None:
    """And no share: nothing to ground."""
    assert grounding(grounded_sentences("?!", ["context"])) is None


@given(_WORDS, st.lists(_WORDS, max_size=3))
def test_the_share_is_that_of_the_pairs(answer: list[str], contexts: list[list[str]]) -> None:
    """Counted by searching each pair in the text of each context."""
    texts = [f" {' '.join(words)} " for words in contexts]
    pairs = [f" {one} {two} " for one, two in pairwise(answer)]
    found = sum(any(pair in text for text in texts) for pair in pairs)
    assert [pytest.approx(found / len(pairs))] == shares(" ".join(answer), *texts)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I don't know.",
        "I’m not sure. The context does not mention it.",
        "There is not enough information.",
        "It isn’t mentioned. The context doesn't say.",
    ],
)
def test_answers_that_commit_to_nothing(answer: str) -> None:
    """They state nothing that a context could support."""
    assert commits_to_nothing(answer)


@pytest.mark.parametrize(
    "answer", ["Paris.", "I don't know its size, but it is in France. It lies on the Seine."]
)
def test_answers_that_commit_to_something(answer: str) -> None:
    """One sentence that states something is enough."""
    assert not commits_to_nothing(answer)
