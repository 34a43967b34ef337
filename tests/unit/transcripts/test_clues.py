"""Whether any of many words stands in a text is told as if each were looked for."""

from __future__ import annotations

from hypothesis import example, given, strategies as st

from pytest_sessioneval.transcripts.clues import Clues

LETTERS = st.text("abx_", max_size=6)


@given(
    words=st.lists(st.text("abx_", min_size=1, max_size=4), max_size=6),
    shared=st.lists(st.text("abx_", min_size=1, max_size=2), max_size=3),
    text=LETTERS,
)
@example(words=["ax", "xb"], shared=["x"], text="xb")
@example(words=["a", "ab"], shared=["b"], text="a")
def test_a_text_holds_a_word_or_none(words: list[str], shared: list[str], text: str) -> None:
    """Words that hold others, and whatever they share, change nothing."""
    assert any(word in text for word in words) == Clues(words, shared).stand_in(text)
