"""A judge written in Python is held to the same contract as a model."""

from __future__ import annotations

from typing import Any

import pytest
from judging_cases import case

from pytest_sessioneval.errors import ReplyError, SettingError
from pytest_sessioneval.judging.backends import HookJudge
from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.verdicts.model import Scored, Unscored


def _given(value: Any) -> HookJudge:
    return HookJudge("mine", lambda _: value)


def _refused(value: Any) -> str:
    with pytest.raises(ReplyError) as caught:
        _given(value).judge(case())
    return str(caught.value)


def test_whole_numbers_are_scores() -> None:
    """Any integer 0–100, whatever the rubric's levels: it was computed, not chosen."""
    answer = _given({"goal": 73, "tone": 0}).judge(case())
    assert {"goal": Scored(score=73), "tone": Scored(score=0)} == answer.axes


def test_none_means_that_the_axis_does_not_apply() -> None:
    """Only where the axis may be null."""
    answer = _given({"goal": 100, "tone": None}).judge(case())
    assert Unscored(reason="not_applicable") == answer.axes["tone"]


def test_details_are_kept() -> None:
    """Comment, failure tag and evidence arrive in the score."""
    evidence = {"message": 3, "quote": "Refund of W12", "polarity": "positive", "note": "done"}
    goal = {"score": 80, "comment": "as it says", "evidence": [evidence], "failure_tag": "wrong"}
    scored = _given({"goal": goal, "tone": 80}).judge(case()).axes["goal"]
    assert isinstance(scored, Scored)
    assert ("as it says", "wrong") == (scored.comment, scored.failure_tag)
    assert ["Refund of W12"] == [item.quote for item in scored.evidence]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "returned NoneType; accepted: a mapping"),
        ([80, 80], "returned list"),
        ({"goal": 80}, "missing: tone"),
        ({"goal": 80, "tone": 80, "kindness": 80}, "not asked for: kindness"),
        ({"goal": 101, "tone": 80}, "101 is no score"),
        ({"goal": -1, "tone": 80}, "-1 is no score"),
        ({"goal": 80.0, "tone": 80}, "80.0 is no score"),
        ({"goal": float("nan"), "tone": 80}, "nan is no score"),
        ({"goal": True, "tone": 80}, "True is no score"),
        ({"goal": "80", "tone": 80}, "'80' is no score"),
        ({"goal": None, "tone": 80}, "None is no score"),
        ({"goal": {"comment": "good"}, "tone": 80}, "score (required)"),
        ({"goal": {"score": 80, "reason": "x"}, "tone": 80}, "found score, reason"),
        ({"goal": {"score": 80, "failure_tag": "lazy"}, "tone": 80}, "'lazy' is no failure tag"),
        ({"goal": {"score": 80, "evidence": ["x"]}, "tone": 80}, "'x' is no evidence"),
        ({"goal": {"score": 80, "evidence": [{"message": 99}]}, "tone": 80}, "message 99 holds no"),
        ({"goal": {"score": 80, "evidence": [{"message": -1}]}, "tone": 80}, "message -1 holds no"),
        (
            {"goal": {"score": 80, "evidence": [{"message": 3, "quote": "never"}]}, "tone": 80},
            "message 3 holds no 'never'",
        ),
        ({"goal": {"score": 80, "evidence": [{"message": "3"}]}, "tone": 80}, "valid integer"),
    ],
)
def test_anything_else_is_refused(value: Any, said: str) -> None:
    """Nothing is coerced; the message names judge, axis and what was found."""
    message = _refused(value)
    assert message.startswith("hook:mine")
    assert said in message


def test_an_async_function_is_refused() -> None:
    """A coroutine is never awaited here."""

    async def judge(_: Case) -> dict[str, int]:
        return {}

    with pytest.raises(ReplyError, match="returned a coroutine"):
        HookJudge("mine", judge).judge(case())


def test_what_the_function_raises_is_let_through() -> None:
    """Dispatch is the one place that contains a judge's failure."""

    def judge(_: Case) -> dict[str, int]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        HookJudge("mine", judge).judge(case())


def test_only_functions_are_judges() -> None:
    """A mistake in a conftest is a setting error."""
    with pytest.raises(SettingError, match="is int; accepted: a function"):
        HookJudge("mine", 3)


def test_an_edited_function_is_another_judge() -> None:
    """The version follows the source, so that stored verdicts do not hide an edit."""
    one = HookJudge("mine", lambda _: {"goal": 1})
    two = HookJudge("mine", lambda _: {"goal": 2})
    assert one.identity != two.identity


def test_a_stated_version_is_the_version() -> None:
    """A judge that calls other files says itself when it changed."""

    def judge(_: Case) -> dict[str, int]:
        return {}

    judge.version = 3  # type: ignore[attr-defined]
    assert {"judge": "hook", "model": "mine", "version": "3"} == HookJudge("mine", judge).identity


def test_an_object_may_be_a_judge() -> None:
    """Anything that can be called with a case."""

    class Judge:
        def __call__(self, asked: Case) -> dict[str, int]:
            return dict.fromkeys((axis.name for axis in asked.axes), 60)

    assert 2 == len(HookJudge("mine", Judge()).judge(case()).axes)
