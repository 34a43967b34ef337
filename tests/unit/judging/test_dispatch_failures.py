"""What a judge may do wrong, and the reason its session gets for it; the run goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dispatch_cases import Kept, dispatching, in_time, one_opinion, tickets
from scripted_judge import PATIENCE_S, HeldJudge, ScriptedJudge, scored

from pytest_sessioneval.errors import (
    JudgeError,
    Place,
    RefusalError,
    ReplyError,
    SettingError,
    TranscriptError,
    TransportError,
)
from pytest_sessioneval.judging.budget import BudgetSpentError, CallBudget
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import CallCount, Opinion, Scored, Unscored


class UnspeakableError(Exception):
    """An error that cannot even be printed."""

    def __str__(self) -> str:
        raise ValueError("no words")


def _raising(error: BaseException) -> Callable[[Case], Answer]:
    def answer(_case: Case) -> Answer:
        raise error

    return answer


def _said(opinion: Opinion) -> Unscored:
    """Return the reason, which all axes share."""
    first, *others = opinion.axes.values()
    assert all(first == other for other in others)
    assert isinstance(first, Unscored)
    return first


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (JudgeError("no answer"), "failed"),
        (TransportError("no answer", retryable=True), "failed"),
        (ReplyError("no answer"), "failed"),
        (RefusalError("no answer"), "declined"),
        (BudgetSpentError("no answer"), "skipped"),
        (SettingError("no answer"), "failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_our_errors_give_their_reason(error: Exception, reason: str) -> None:
    """What a judge says of itself is told in its own words."""
    assert Unscored.model_validate({"reason": reason, "detail": "no answer"}) == _said(
        one_opinion(_raising(error))
    )


@pytest.mark.parametrize(
    "error",
    [
        ValueError("oh"),
        MemoryError("oh"),
        RecursionError("oh"),
        AssertionError("oh"),
        StopIteration("oh"),
        SystemExit("oh"),
        KeyboardInterrupt("oh"),
        GeneratorExit("oh"),
        asyncio.CancelledError("oh"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_else_it_raises_is_contained(error: BaseException) -> None:
    """A judge that breaks, exits or is cancelled fails one session, and nobody waits for ever."""
    said = _said(one_opinion(_raising(error)))
    assert ("failed", f"script broke: {type(error).__name__}: oh") == (said.reason, said.detail)


@pytest.mark.parametrize("outcome", [pytest.fail, pytest.skip, pytest.xfail, pytest.exit])
def test_a_judge_cannot_end_the_run_through_pytest(outcome: Callable[[str], object]) -> None:
    """A Python judge that calls ``pytest.skip`` leaves its session without a score."""

    def answer(_case: Case) -> Answer:
        outcome("oh")
        raise RuntimeError("not reached")

    said = _said(one_opinion(answer))
    assert "failed" == said.reason
    assert said.detail.startswith("script broke: ")
    assert said.detail.endswith(": oh")


def test_an_error_without_words_is_contained() -> None:
    """Even an exception that fails to print is a reason."""
    said = _said(one_opinion(_raising(UnspeakableError())))
    assert ("failed", "script broke: UnspeakableError: (no message)") == (said.reason, said.detail)


@pytest.mark.parametrize("error", [ValueError("half \ud800"), ReplyError("half \ud800")])
def test_an_error_in_broken_text_is_contained(error: Exception) -> None:
    """A message with half a surrogate pair, as from a file's name, is told as far as it can be."""
    said = _said(one_opinion(_raising(error)))
    assert "failed" == said.reason
    assert said.detail.endswith("half ?")


def test_a_transcript_that_cannot_be_read_fails() -> None:
    """What the reader says is the reason, and the judge is not blamed."""

    def load() -> Transcript:
        raise TranscriptError("no such file", place=Place("a.json", 3))

    said = _said(one_opinion(scored, load=load))
    assert ("failed", "a.json:3: no such file") == (said.reason, said.detail)


def test_an_axis_that_is_left_out_fails() -> None:
    """A judge that answers half of the question has not answered."""
    opinion = one_opinion(lambda _case: Answer(axes={"goal": Scored(score=60)}))
    assert Unscored(reason="failed", detail="the judge left out tone") == _said(opinion)


def test_an_axis_nobody_asked_for_is_left_out() -> None:
    """What the expert was not asked about is not its opinion."""

    def answer(case: Case) -> Answer:
        return Answer(axes={**scored(case).axes, "beauty": Scored(score=100)})

    assert ["goal", "tone"] == list(one_opinion(answer).axes)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "80",
        Answer(axes={"goal": 80, "tone": 80}),  # type: ignore[dict-item]
        Answer(axes={"goal": Scored(score=1), "tone": Scored(score=1)}, model=None),  # type: ignore[arg-type]
        Answer(axes={"goal": Scored(score=1), "tone": Scored(score=1)}, coverage=float("nan")),
    ],
    ids=["nothing", "text", "bare numbers", "no model", "not a number"],
)
def test_an_answer_of_the_wrong_shape_fails(answer: Any) -> None:
    """A judge that somebody else wrote may return anything."""
    said = _said(one_opinion(lambda _case: answer))
    assert "failed" == said.reason
    assert said.detail.startswith("script broke: ")


def test_a_failure_says_which_judge_was_asked() -> None:
    """Without an answer there is no model that gave it: the judge's name stands for it."""
    assert "script" == one_opinion(_raising(ReplyError("oh"))).judge_model


@pytest.mark.parametrize("kind", [ReplyError, RefusalError, TransportError, BudgetSpentError])
def test_what_was_asked_in_vain_is_counted(kind: type[JudgeError]) -> None:
    """Calls that gave no answer were paid for all the same."""
    error = kind("oh")
    error.spent = CallCount(calls=4, retries=3)
    assert CallCount(calls=4, retries=3) == one_opinion(_raising(error)).spent


@pytest.mark.parametrize("spent", [None, 3, "many"])
def test_a_count_that_is_none_is_zero(spent: object) -> None:
    """An error that was raised by somebody else's judge may carry anything."""
    error = ReplyError("oh")
    error.spent = spent
    assert CallCount() == one_opinion(_raising(error)).spent


def test_a_judge_that_gives_up_because_of_the_stop_was_skipped() -> None:
    """A request that the end of the run broke off is not the judge's failure."""
    judge = HeldJudge(_raising(TransportError("broken off")))
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], repeats=2))
        judge.wait_for_calls(2)
        dispatcher._stop.set()
        judge.release()
        said = {_said(opinion).reason for opinion in in_time(dispatcher.wait, "s1")}
    assert {"skipped"} == said


def test_the_budget_ends_the_asking() -> None:
    """What it still allows is scored and kept; the rest is skipped and says how to go on."""
    budget = CallBudget(3)

    def answer(case: Case) -> Answer:
        budget.reserve()
        return scored(case)

    kept, judge = Kept(), ScriptedJudge(answer)
    names = [f"s{n}" for n in range(5)]
    with dispatching(judge, concurrency=1, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, names))
        opinions = [in_time(dispatcher.wait, name)[0] for name in names]
    assert names[:3] == kept.sessions
    assert {"skipped"} == {_said(opinion).reason for opinion in opinions[3:]}
    assert "--sessioneval-max-calls" in _said(opinions[4]).detail


def test_one_failure_is_no_business_of_the_others() -> None:
    """A judge that breaks on one session goes on with the next."""

    def answer(case: Case) -> Answer:
        if case.session_id == "s1":
            raise SystemExit(3)
        return scored(case)

    judge = ScriptedJudge(answer)
    with dispatching(judge, concurrency=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2"]))
        first, second = (in_time(dispatcher.wait, name)[0] for name in ("s1", "s2"))
    assert "failed" == _said(first).reason
    assert Scored(score=60) == second.axes["goal"]


def test_one_repeat_that_fails_leaves_the_others_kept() -> None:
    """The next run asks for the missing one alone."""

    def answer(case: Case) -> Answer:
        if case.repeat == 1:
            raise ReplyError("oh")
        return scored(case)

    kept, judge = Kept(), ScriptedJudge(answer)
    with dispatching(judge, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], repeats=3))
        in_time(dispatcher.wait, "s1")
        dispatcher.close(PATIENCE_S)
    assert [0, 2] == sorted(opinion.repeat for batch in kept.batches for _, opinion in batch)
