"""Reading a judge's reply: what is accepted, and that nothing is guessed."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st
from judging_cases import (
    FREE,
    GOAL,
    NONCE,
    RUBRIC,
    TONE,
    axis_reply,
    cite,
    reply,
    reply_value,
)

from pytest_sessioneval.errors import ReplyError
from pytest_sessioneval.judging.replies import (
    Citation,
    Reply,
    extract_object,
    message_label,
    parse_reply,
    vocabulary_problem,
)


def _parsed(text: str, mode: Any = "levels") -> Reply:
    return parse_reply(text, RUBRIC.axes, nonce=NONCE, score_mode=mode)


def _refused(text: str, mode: Any = "levels") -> str:
    with pytest.raises(ReplyError) as caught:
        _parsed(text, mode)
    return str(caught.value)


def test_a_reply_gives_every_axis_in_the_order_asked() -> None:
    """Axes come back in rubric order, whatever the reply's order was."""
    parsed = _parsed(reply(axis_reply("tone", level=40), axis_reply("goal", level=100)))
    assert [("goal", 100), ("tone", 40)] == [(n, axis.level) for n, axis in parsed.axes.items()]


def test_evidence_is_read_as_citations() -> None:
    """Label, quote and polarity arrive unchanged."""
    parsed = _parsed(
        reply(axis_reply("goal", evidence=[cite("M3", "q", "negative")]), axis_reply("tone"))
    )
    assert (Citation("M3", "q", "negative"),) == parsed.axes["goal"].evidence


@pytest.mark.parametrize(("count", "accepted"), [(50, True), (51, False)])
def test_fifty_citations_are_the_most(count: int, *, accepted: bool) -> None:
    """Each is looked up in the transcript, so that their number must be bounded."""
    text = reply(axis_reply("goal", evidence=[cite("M1", "q")] * count), axis_reply("tone"))
    if accepted:
        assert count == len(_parsed(text).axes["goal"].evidence)
    else:
        assert "goal.evidence has 51 entries; at most 50" in _refused(text)


def test_a_rationale_is_kept_up_to_its_limit() -> None:
    """No judge fills the store: 2,000 characters."""
    parsed = _parsed(reply(axis_reply("goal", rationale="x" * 2_001), axis_reply("tone")))
    assert "x" * 2_000 == parsed.axes["goal"].rationale


def test_a_level_of_null_means_the_axis_does_not_apply() -> None:
    """``applicable: false`` with ``level: null`` is an answer on a nullable axis."""
    parsed = _parsed(reply(axis_reply("goal"), axis_reply("tone", applicable=False, level=None)))
    assert parsed.axes["tone"].level is None


def test_the_tag_none_is_no_failure() -> None:
    """``none`` becomes null, a tag of the axis stays."""
    parsed = _parsed(reply(axis_reply("goal", failure_tag="wrong"), axis_reply("tone")))
    assert ("wrong", None) == (parsed.axes["goal"].failure_tag, parsed.axes["tone"].failure_tag)


def test_reported_instructions_are_read() -> None:
    """Passages that address the judge are citations without polarity."""
    found = [{"message": "M1", "quote": "give 100"}]
    parsed = _parsed(reply(instructions_found_in_transcript=found))
    assert (Citation("M1", "give 100"),) == parsed.instructions


@pytest.mark.parametrize(
    "wrapped",
    [
        "{}",
        "```json\n{}\n```",
        "```\n{}\n```",
        "Here is my verdict:\n\n```json\n{}\n```\nI hope it helps.",
        "<think>The user {says} so.</think>\n{}",
        "  \n{}\n",
    ],
)
def test_bare_and_fenced_objects_are_found(wrapped: str) -> None:
    """One object is found bare, in a fence, with prose around the fence, after thoughts."""
    text = wrapped.replace("{}", '{"a": 1}')
    assert {"a": 1} == extract_object(text)


def test_a_fence_inside_a_quote_does_not_end_the_block() -> None:
    """A quote may hold a code fence of its own."""
    assert {"q": "x\n```\ny"} == extract_object('```json\n{"q": "x\\n```\\ny"}\n```')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("I think it deserves 80.", "no JSON object"),
        ('Sure: {"a": 1}', "no JSON object"),
        ('{"a": 1} and {"a": 2}', "more text follows"),
        ('{"a": 1}\n```json\n{"a": 2}\n```', "more text follows"),
        ('```json\n{"a": 1}\n```\nor rather\n```json\n{"a": 2}\n```', "more text follows"),
        ('```json\n{"a": 1}', "not closed"),
        ('{"a": 1', "too early"),
        ("[1]", "a list"),
        ('{"score": 10, "score": 100}', "duplicate key"),
        ('{"score": NaN}', "NaN"),
        ('{"score": Infinity}', "Infinity"),
        ('{"score": 1e999}', "too large"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "nested deeper"),
    ],
)
def test_anything_but_one_strict_object_is_refused(text: str, said: str) -> None:
    """No lenient repair: every doubt is an error that says what was found."""
    with pytest.raises(ReplyError, match=said):
        extract_object(text)


def test_an_overlong_reply_is_refused() -> None:
    """A reply of more than a mebibyte is not parsed at all."""
    with pytest.raises(ReplyError, match="at most 1048576"):
        extract_object("{" + " " * 1024 * 1024 + "}")


@pytest.mark.parametrize("level", [81, 50, -20, 120, 80.0, "80", True, [80]])
def test_a_level_between_levels_is_refused(level: Any) -> None:
    """Only the axis's own levels are levels, and only as whole numbers."""
    said = _refused(reply(axis_reply("goal", level=level), axis_reply("tone")))
    assert "goal.level" in said
    assert "accepted: 0, 20, 40, 60, 80, 100" in said


def test_free_mode_takes_any_whole_number() -> None:
    """In free mode 73 is a score."""
    assert (
        _parsed(reply(axis_reply("goal", level=73), axis_reply("tone")), "free").axes["goal"].level
        == 73
    )


@pytest.mark.parametrize("level", [-1, 101, 73.5, "73", True])
def test_free_mode_refuses_what_is_out_of_range(level: Any) -> None:
    """In free mode too a score is a whole number from 0 to 100."""
    assert "no whole number from 0 to 100" in _refused(
        reply(axis_reply("goal", level=level), axis_reply("tone")), "free"
    )


@pytest.mark.parametrize(("applicable", "level"), [(False, 80), (True, None), ("no", None)])
def test_applicable_and_level_must_agree(applicable: Any, level: Any) -> None:
    """``applicable`` is false exactly when ``level`` is null."""
    assert "tone" in _refused(
        reply(axis_reply("goal"), axis_reply("tone", applicable=applicable, level=level))
    )


def test_null_is_refused_where_the_axis_always_applies() -> None:
    """A judge cannot duck an axis that may not be null."""
    said = _refused(reply(axis_reply("goal", applicable=False, level=None), axis_reply("tone")))
    assert "goal always applies" in said


def test_the_nonce_must_be_echoed() -> None:
    """A reply to another session, or a forged one, is refused."""
    assert "nonce" in _refused(reply(nonce="0" * 32))


def test_a_missing_axis_is_refused() -> None:
    """Every axis asked for is answered."""
    assert "no answer on tone" in _refused(reply(axis_reply("goal")))


def test_an_axis_answered_twice_is_refused() -> None:
    """The first of two answers does not win, nor the last."""
    twice = (axis_reply("goal", level=0), axis_reply("goal", level=100), axis_reply("tone"))
    assert "goal is answered twice" in _refused(reply(*twice))


def test_an_axis_nobody_asked_for_is_refused() -> None:
    """Unknown axes are named."""
    assert '"kindness" is not accepted; accepted: goal, tone' in _refused(
        reply(axis_reply("goal"), axis_reply("tone"), axis_reply("kindness"))
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"failure_tag": "sloppy"}, "accepted: not_done, wrong, other, none"),
        ({"evidence": [cite("M3", "q", "neutral")]}, "accepted: positive, negative"),
        ({"evidence": [cite("message 3", "q")]}, "no label such as M12"),
        ({"evidence": [cite(-1, "q")]}, "no label such as M12"),
        ({"evidence": [cite("M1 and M2", "q")]}, "no label such as M12"),
        ({"evidence": [{"message": "M3", "quote": "q"}]}, "lacks polarity"),
        ({"evidence": [{**cite("M3", "q"), "why": ""}]}, 'unknown keys "why"'),
        ({"evidence": "M3"}, "must be a list, found a string"),
        ({"evidence": [None]}, "must be an object, found null"),
        ({"rationale": None}, "rationale must be text, found null"),
        ({"score": 80}, 'unknown keys "score"'),
    ],
)
def test_words_outside_the_vocabulary_are_refused(changes: dict[str, Any], said: str) -> None:
    """Each problem names where it is and what is accepted."""
    assert said in _refused(reply(axis_reply("goal", **changes), axis_reply("tone")))


def test_missing_and_unknown_keys_of_the_reply_are_named() -> None:
    """The reply itself has exactly its three keys."""
    value = reply_value(verdict="pass")
    del value["instructions_found_in_transcript"]
    said = _refused(json.dumps(value))
    assert "the reply lacks instructions_found_in_transcript" in said
    assert '"verdict"' in said


def test_all_problems_are_listed_at_once() -> None:
    """One repair can put everything right, because everything wrong is named."""
    said = _refused(reply(axis_reply("goal", level=50, failure_tag="x"), nonce="?"))
    assert all(part in said for part in ("nonce", "goal.level", "goal.failure_tag", "tone"))


def test_a_problem_quotes_the_reply_in_one_short_line() -> None:
    """What a reply holds cannot flood or structure a message."""
    said = _refused(reply(axis_reply("goal", failure_tag="x\n# Rules\n" * 50), axis_reply("tone")))
    assert "\n" not in said
    assert len(said) < 300


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("M12", "M12"),
        ("A1.M3", "A1.M3"),
        ("M12.call0", "M12"),
        (12, "M12"),
        ("12", None),
        ("A0.M3", None),
        ("M\u0661", None),
        (True, None),
        (1.0, None),
        (None, None),
    ],
)
def test_labels_of_messages(value: Any, label: str | None) -> None:
    """Labels are taken as printed, with a bare number for the main agent's messages."""
    assert label == message_label(value)


@pytest.mark.parametrize("word", ["Pass", " pass", "passed", True, 1, None])
def test_a_vocabulary_is_exact(word: Any) -> None:
    """Nothing is folded, stemmed or coerced into the vocabulary."""
    assert "accepted: pass, fail" in vocabulary_problem(word, ("pass", "fail"))


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_escapes_the_error_tree(text: str) -> None:
    """Whatever comes back is an object or a ``ReplyError``."""
    with suppress(ReplyError):
        assert isinstance(extract_object(text), dict)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["nonce", "instructions_found_in_transcript", "axes", "x"]),
        _JSON
        | st.lists(
            st.dictionaries(st.sampled_from(["axis", "level", "evidence", "applicable"]), _JSON)
        ),
    )
)
def test_no_object_without_the_nonce_is_accepted(value: dict[str, Any]) -> None:
    """Any JSON object is refused in order, never with another error."""
    with pytest.raises(ReplyError):
        parse_reply(json.dumps(value), (GOAL, TONE), nonce=NONCE, score_mode=FREE.score_mode)
