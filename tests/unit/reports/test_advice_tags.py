"""Texts that say the same in other words are one; those that do not stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pytest_sessioneval.reports.advice.tags import error_label, merged, merged_tags


def _words(text: str) -> set[str]:
    return set(text.split())


def _jaccard(one: str, other: str) -> float:
    both = _words(one) | _words(other)
    return len(_words(one) & _words(other)) / len(both) if both else 0.0


def test_half_of_the_words_in_common_are_one_text() -> None:
    """Two of four words shared are a similarity of one half: the more frequent text stands."""
    counts = {"lost order number": 1, "order number missing": 3}
    assert dict.fromkeys(counts, "order number missing") == merged(counts)


def test_fewer_words_in_common_stay_two_texts() -> None:
    """One of three words shared is a similarity of a third."""
    counts = {"wrong order": 1, "wrong address": 1}
    assert {text: text for text in counts} == merged(counts)


def test_a_chain_of_similar_texts_is_one_group() -> None:
    """Single link: the ends of a chain need not be similar themselves."""
    chain = ["a b c d", "c d a e", "e c f a", "f e a g"]
    assert _jaccard(chain[0], chain[-1]) < 0.5
    assert len(set(merged(dict.fromkeys(chain, 1)).values())) == 1


@given(st.lists(st.sets(st.sampled_from("abcdef"), min_size=1, max_size=4), max_size=8))
def test_groups_are_those_of_a_plain_search(sets: list[set[str]]) -> None:
    """The groups are the connected parts of the graph of pairs that are similar enough."""
    texts = sorted({" ".join(sorted(words)) for words in sets})
    told = merged(dict.fromkeys(texts, 1))
    for start in texts:
        reached, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            near = {text for text in texts if _jaccard(here, text) >= 0.5} - reached
            reached |= near
            waiting += near
        assert {text for text in texts if told[text] == told[start]} == reached


def test_names_of_a_vocabulary_are_never_merged() -> None:
    """``tool_a_b`` and ``tool_a_c`` are two names, however alike."""
    counts = {"tool_a_b": 2, "tool_a_c": 1}
    assert {tag: tag for tag in counts} == merged_tags(counts)


def test_free_text_with_the_words_of_a_name_is_that_name() -> None:
    """A judge that writes a tag with spaces means the tag."""
    assert merged_tags({"wrong_tool": 1, "Wrong tool": 5}) == {
        "wrong_tool": "wrong_tool",
        "Wrong tool": "wrong_tool",
    }


def test_free_text_is_merged_with_free_text() -> None:
    """What is no name of a vocabulary is compared by its words."""
    told = merged_tags({"forgot the refund": 2, "forgot a refund": 1, "other": 1})
    assert told == {
        "forgot the refund": "forgot the refund",
        "forgot a refund": "forgot the refund",
        "other": "other",
    }


@pytest.mark.parametrize(
    ("quote", "label"),
    [
        ("HTTP 404 Not Found", "HTTP 404"),
        ("request failed with status code 429", "HTTP 429"),
        ("<tool_use_error>InputValidationError: Task failed</tool_use_error>",
         "InputValidationError"),
        ("Error: ENOENT: no such file or directory, open '/x/y'", "ENOENT"),
        ("Exit code 2\nmake: *** failed", "exit code 2"),
        ("Error: flight HAT030 not available on date 2024-05-13",
         "flight # not available on date #"),
        ("Error: order #W12 not found", "order # not found"),
        ("lsd: 3: No such file (os error 2).", "lsd: # No such file (os error #)"),
        ("Have a nice day", ""),
        ('{"state": "in transit"}', ""),
        ("", ""),
    ],
)  # fmt: skip
def test_an_error_is_told_without_what_differs(quote: str, label: str) -> None:
    """Codes and exceptions by name; else the words without numbers, paths and identifiers."""
    assert label == error_label(quote)
