"""Where a quote stands that was found as quotes are compared."""

from __future__ import annotations

import pytest

from pytest_sessioneval.judging.locating import SearchedText


def _found(text: str, quote: str) -> str | None:
    span = SearchedText(text).span(quote)
    return None if span is None else text[span.start : span.end]


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("It is 42 dollars.", "42 dollars", "42 dollars"),
        ("It is\n   42\tDollars.", "is 42 dollars", "is\n   42\tDollars"),
        ("It’s “done”, he said", 'it\'s "done"', "It’s “done”"),
        ("M1 said it", "M12| said it", "said it"),
        ("ﬁle not found", "file not", "ﬁle not"),
        ("the e\u0301tude", "étude", "the e\u0301tude"),
        ("It is 42 dollars.", "43 dollars", None),
        ("It is 42 dollars.", "  ", None),
        ("", "anything", None),
    ],
    ids=[
        *("verbatim", "other white space", "other quotation marks", "led by its label"),
        *("a ligature", "folded as a whole", "elsewhere", "blank", "empty text"),
    ],
)
def test_a_quote_is_found_where_it_stands(text: str, quote: str, found: str | None) -> None:
    """The span holds the quote's words as they are written; what has no place of its own, all."""
    assert found == _found(text, quote)


def test_one_text_is_searched_for_several_quotes() -> None:
    """Each quote gives the span of its first place."""
    searched = SearchedText("one two one two")
    assert [(0, 3), (4, 7), (0, 7)] == [searched.span(q) for q in ("one", "two", "one two")]
