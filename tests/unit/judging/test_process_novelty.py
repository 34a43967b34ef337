"""An answer that seems to belong to another session."""

from __future__ import annotations

from evidence_cases import main_part

from pytest_sessioneval.judging.process.novelty import unrelated_answer
from pytest_sessioneval.testing import tool, transcript

_LETTERS = "abcdefghij"


def words(first: int, count: int) -> str:
    """Return ``count`` different words of four letters, from number ``first`` on."""
    return " ".join(
        "".join(_LETTERS[int(digit)] for digit in f"{number:04}")
        for number in range(first, first + count)
    )


def test_an_answer_of_new_words_after_much_talk_is_foreign() -> None:
    """All 30 words are new although 150 were used before."""
    session = transcript(
        ("user", words(0, 150)), tool("look", result="x"), ("assistant", words(500, 30))
    )
    found = unrelated_answer(main_part(session), [3])
    assert found is not None
    assert (3, 1.0) == (found.message, found.share)


def test_an_answer_in_the_sessions_words_is_not() -> None:
    """Half of its words were used before."""
    session = transcript(
        ("user", words(0, 150)), tool("look", result="x"), ("assistant", words(135, 30))
    )
    assert unrelated_answer(main_part(session), [3]) is None


def test_without_tool_calls_nothing_is_foreign() -> None:
    """An agent that only talks may bring all the words."""
    session = transcript(("user", words(0, 150)), ("assistant", words(500, 30)))
    assert unrelated_answer(main_part(session), [1]) is None


def test_after_little_talk_nothing_is_foreign() -> None:
    """With few words before, every answer is new."""
    session = transcript(
        ("user", words(0, 20)), tool("look", result="x"), ("assistant", words(500, 30))
    )
    assert unrelated_answer(main_part(session), [3]) is None
