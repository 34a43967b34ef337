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


def test_an_answer_that_takes_up_what_the_user_just_said_is_not() -> None:
    """An explanation brings new words, but speaks of what was asked: half of the question's."""
    asked = words(140, 10)
    answer = f"{words(140, 5)} {words(500, 30)}"
    session = transcript(
        ("user", words(0, 150)),
        tool("look", result="x"),
        ("user", asked),
        ("assistant", answer),
    )
    assert unrelated_answer(main_part(session), [4]) is None


def test_an_answer_that_takes_up_less_is_foreign() -> None:
    """Four of ten words may be chance."""
    session = transcript(
        ("user", words(0, 150)),
        tool("look", result="x"),
        ("user", words(140, 10)),
        ("assistant", f"{words(140, 4)} {words(500, 30)}"),
    )
    found = unrelated_answer(main_part(session), [4])
    assert found is not None
    assert found.message == 4


def test_a_question_of_a_few_words_is_too_short_to_be_taken_up() -> None:
    """Two words out of three say nothing."""
    session = transcript(
        ("user", words(0, 150)),
        tool("look", result="x"),
        ("user", words(147, 3)),
        ("assistant", f"{words(147, 2)} {words(500, 30)}"),
    )
    assert unrelated_answer(main_part(session), [4]) is not None


def test_an_answer_that_names_what_was_looked_up_is_not() -> None:
    """An identifier known from before ties it to the session."""
    session = transcript(
        ("user", words(0, 150)),
        tool("look", result="parcel NP552190337GB"),
        ("assistant", f"NP552190337GB: {words(500, 30)}"),
    )
    assert unrelated_answer(main_part(session), [3]) is None


def test_a_remark_beside_a_call_is_no_answer() -> None:
    """What an agent says while it works is judged by the work."""
    session = transcript(
        ("user", words(0, 150)),
        tool("look", result="x"),
        tool("edit", result="x", text=words(500, 30)),
    )
    assert unrelated_answer(main_part(session), [3]) is None
