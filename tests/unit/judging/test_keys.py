"""Verdict keys: what is in them, and that nothing else is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from scripted_judge import ScriptedJudge

from pytest_sessioneval.judging.keys import digest_of, nonce, opinion_key, seat_digest
from pytest_sessioneval.suites.model import Expectation, ExpectedCall, Expert, FeedbackEntry

quick = settings(deadline=None)

# Few values each, so that two draws are often equal in part and sometimes in all.
_word = st.sampled_from(["", "a", "b", "a|b", "\n", "é", "e\u0301", "\ud800"])
_call = st.builds(
    ExpectedCall,
    tool=st.sampled_from(["refund", "find"]),
    args=st.sampled_from([{}, {"order": "W1"}, {"order": 1}, {"order": True}]),
)
_expectation = st.builds(
    Expectation,
    session=st.none() | st.just("s"),
    must_call=st.lists(_call, max_size=2).map(tuple),
    must_not_call=st.lists(_call, max_size=1).map(tuple),
    final_matches=st.sampled_from([None, "x"]),
    final_not_matches=st.sampled_from([None, "x"]),
    max_messages=st.sampled_from([None, 3]),
)
_thumb = st.builds(
    FeedbackEntry,
    session_id=st.just("s"),
    message_index=st.integers(0, 1),
    rating=st.sampled_from([1, -1]),
    comment=st.sampled_from(["", "bad"]),
)
_shown = st.fixed_dictionaries(
    {
        "seat": st.sampled_from(["a" * 64, "b" * 64]),
        "transcript": st.sampled_from(["c" * 64, "d" * 64]),
        "repeat": st.integers(0, 1),
        "profile": _word,
        "feedback": st.lists(_thumb, max_size=2).map(tuple),
        "expectations": st.lists(_expectation, max_size=2).map(tuple),
        "use_outcome": st.booleans(),
        "metadata": st.sampled_from(["", "e" * 64]),
    }
)
_brought = st.fixed_dictionaries(
    {
        "identity": st.sampled_from([{"judge": "x"}, {"judge": "x", "seed": 1}, {"judge": "y"}]),
        "id": st.sampled_from(["one", "two"]),
        "instruction": st.sampled_from(["", "Look.", "Listen."]),
        "axes": st.sampled_from([("goal",), ("goal", "tone"), ("tone", "goal")]),
        "rubric_version": st.sampled_from(["small@1#0", "small@2#0"]),
        "max_chars": st.integers(1, 2),
    }
)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether every part is written alike: to Python, ``1`` and ``True`` are equal."""
    return all(repr(one[part]) == repr(other[part]) for part in one)


def _key(shown: Mapping[str, Any]) -> str:
    return opinion_key(**shown)


def _seat(brought: Mapping[str, Any]) -> str:
    expert = Expert(id=brought["id"], instruction=brought["instruction"], axes=brought["axes"])
    return seat_digest(
        ScriptedJudge(identity=brought["identity"]),
        expert,
        rubric_version=brought["rubric_version"],
        max_chars=brought["max_chars"],
    )


@quick
@given(_shown, _shown)
def test_keys_are_equal_exactly_when_all_that_is_shown_is(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Whatever the expert sees or is bound by moves the key, and only that does."""
    assert _same(one, other) == (_key(one) == _key(other))


@quick
@given(_shown, _shown, st.data())
def test_a_single_change_gives_another_key(
    one: dict[str, Any], other: dict[str, Any], data: st.DataObject
) -> None:
    """Every part counts by itself: one that is exchanged for another value moves the key."""
    part = data.draw(st.sampled_from(sorted(one)))
    changed = {**one, part: other[part]}
    assert _same(one, changed) == (_key(one) == _key(changed))


@quick
@given(_brought, _brought)
def test_seats_are_equal_exactly_when_all_they_bring_is(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Judge, parameters, expert, axes in order, rubric and window are in a seat's digest."""
    assert _same(one, other) == (_seat(one) == _seat(other))


_THUMB = FeedbackEntry(session_id="s", message_index=1, rating=1)
_OTHER_THUMB = {"session_id": "t", "message_index": 2, "rating": -1, "comment": "bad"}
_EXPECTED = Expectation()
_OTHERWISE = {
    "session": "s",
    "must_call": (ExpectedCall(tool="refund"),),
    "must_not_call": (ExpectedCall(tool="refund"),),
    "final_matches": "x",
    "final_not_matches": "x",
    "max_messages": 1,
}


def _plain(**shown: Any) -> str:
    rest = {
        "repeat": 0,
        "profile": "",
        "feedback": (_THUMB,),
        "expectations": (_EXPECTED,),
        "use_outcome": False,
    }
    return opinion_key("a" * 64, "b" * 64, **{**rest, **shown})


@pytest.mark.parametrize("field", sorted({*FeedbackEntry.model_fields} - {"at"}))
def test_every_word_of_a_thumb_counts(field: str) -> None:
    """All that experts see of a thumb is in the key."""
    other = _THUMB.model_copy(update={field: _OTHER_THUMB[field]})
    assert _plain() != _plain(feedback=(other,))


@pytest.mark.parametrize("field", sorted(Expectation.model_fields))
def test_every_part_of_an_expectation_counts(field: str) -> None:
    """All that must have happened is in the key."""
    other = _EXPECTED.model_copy(update={field: _OTHERWISE[field]})
    assert _plain() != _plain(expectations=(other,))


def test_when_a_thumb_was_given_is_not_in_the_key() -> None:
    """Experts are not shown the time of a rating, so a feedback file written anew asks nobody."""
    other = _THUMB.model_copy(update={"at": datetime(2026, 1, 1, tzinfo=UTC)})
    assert _plain() == _plain(feedback=(other,))


def test_a_key_is_64_hexadecimal_digits() -> None:
    """Keys are SHA-256 in hex, whatever goes in."""
    key = opinion_key(
        "s", "t", repeat=0, profile="", feedback=(), expectations=(), use_outcome=False
    )
    assert 64 == len(key)
    assert set(key) <= set("0123456789abcdef")


def test_keys_do_not_move_between_versions_by_accident() -> None:
    """A stored verdict is found again: this key, of plain parts, is written down."""
    key = opinion_key(
        "a" * 64,
        "b" * 64,
        repeat=0,
        profile="",
        feedback=(),
        expectations=(),
        use_outcome=False,
    )
    assert "91b1f3ea8bb106c7e0b34b93a0bb9d0c0a7110ce0fb7a9be18067594fad01c94" == key


def test_the_order_of_names_does_not_count() -> None:
    """Equal objects have one digest, however they were put together."""
    assert digest_of({"a": 1, "b": [1, {"c": 2, "d": 3}]}) == digest_of(
        {"b": [1, {"d": 3, "c": 2}], "a": 1}
    )


def test_the_order_of_a_list_counts() -> None:
    """Lists are sequences."""
    assert digest_of(["a", "b"]) != digest_of(["b", "a"])


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (True, 1), (None, "null"), ("", None), ([], {})]
)
def test_values_of_different_types_differ(one: object, other: object) -> None:
    """A number is not the text that looks like it."""
    assert digest_of({"v": one}) != digest_of({"v": other})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_digest_needs_finite_numbers(value: float) -> None:
    """What JSON cannot hold has no digest."""
    with pytest.raises(ValueError, match="JSON"):
        digest_of({"temperature": value})


def test_half_a_surrogate_pair_has_a_digest() -> None:
    """Hostile text does not end the run."""
    assert digest_of("\ud800") != digest_of("\ud801")


def test_a_nonce_is_32_hexadecimal_digits() -> None:
    """What fences a session is fit for the prompt."""
    assert 32 == len(nonce(b"secret", "t"))
    assert set(nonce(b"secret", "t")) <= set("0123456789abcdef")


def test_a_nonce_is_the_sessions_own() -> None:
    """All experts of a session share it, and no other session has it."""
    assert nonce(b"secret", "t") == nonce(b"secret", "t")
    assert nonce(b"secret", "t") != nonce(b"secret", "u")


def test_a_nonce_is_the_runs_own() -> None:
    """Whoever wrote the transcript cannot know it from an earlier run."""
    assert nonce(b"secret", "t") != nonce(b"another", "t")
