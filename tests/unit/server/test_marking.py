"""A text cut into passages: quotes whole, long texts shortened, nothing lost without a word."""

from __future__ import annotations

from hypothesis import given, strategies as st

from pytest_sessioneval.judging.steering_words import Span
from pytest_sessioneval.server.pages.marking import (
    AROUND,
    HEAD,
    TAIL,
    Passage,
    Quoted,
    located,
    passages,
)

LONG = "a" * HEAD + "b" * 5_000 + "c" * TAIL


def test_a_quote_is_a_passage_of_its_own() -> None:
    """What stands before and after it is not marked; its number opens and closes it."""
    text = "It is 42 dollars."
    found = passages(text, located(text, [(3, "42 dollars")]))
    assert (
        Passage("It is ", 0),
        Passage("42 dollars", 6, quotes=(3,), begins=(3,), ends=(3,)),
        Passage(".", 16),
    ) == found


def test_quotes_that_overlap_share_a_passage() -> None:
    """Each begins where it begins and ends where it ends."""
    text = "one two three"
    found = passages(text, located(text, [(1, "one two"), (2, "two three")]))
    assert [
        ("one ", (1,), (1,), ()),
        ("two", (1, 2), (2,), (1,)),
        (" three", (2,), (), (2,)),
    ] == [(one.text, one.quotes, one.begins, one.ends) for one in found]


def test_a_quote_that_does_not_stand_there_is_not_marked() -> None:
    """It is left to the message as a whole."""
    assert () == located("It is 42 dollars.", [(1, "43 dollars")])


def test_a_place_as_large_as_the_text_is_no_mark() -> None:
    """Words found only in the text folded as a whole would mark all of it."""
    assert () == located("e\u0301" + "x" * 1_000, [(1, "éx")])


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    """In the middle stands how much is missing."""
    assert ["a" * HEAD, 5_000, "c" * TAIL] == [one.left_out or one.text for one in passages(LONG)]


def test_a_quote_in_the_middle_of_a_long_text_is_shown_with_what_is_around_it() -> None:
    """The passage before it and the one after it are as long as said."""
    place = HEAD + 2_000
    found = passages(LONG, [Quoted(1, Span(place, place + 20))])
    (at,) = [number for number, one in enumerate(found) if one.quotes]
    assert (AROUND, 20, AROUND) == tuple(len(one.text) for one in found[at - 1 : at + 2])
    assert found[at - 2].left_out
    assert found[at + 2].left_out


_TEXTS = st.text(min_size=1, max_size=300)
_PLACES = st.lists(st.tuples(st.integers(0, 299), st.integers(1, 40)), max_size=5)


@given(_TEXTS, _PLACES, st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_nothing_of_a_text_is_lost(
    text: str, places: list[tuple[int, int]], head: int, tail: int, fold: int
) -> None:
    """Passages and what they say is left out make the text again, and no quote is left out."""
    quoted = [
        Quoted(number, Span(start, min(start + length, len(text))))
        for number, (start, length) in enumerate(places)
        if start < len(text)
    ]
    found = passages(text, quoted, head=head, tail=tail, fold=fold)
    at = 0
    for one in found:
        assert one.start == at
        length = one.left_out or len(one.text)
        assert not one.text or one.text == text[at : at + length]
        at += length
    assert at == len(text)
    for quote in quoted:
        shown = "".join(one.text for one in found if quote.number in one.quotes)
        assert text[quote.span.start : quote.span.end] == shown
