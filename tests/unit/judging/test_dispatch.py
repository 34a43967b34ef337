"""Dispatch: what waiting for an answer returns, and what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest
from dispatch_cases import (
    Kept,
    dispatching,
    in_time,
    reasons_of,
    started,
    tickets,
)
from judging_cases import SESSION
from panel_cases import NOW, OUTCOME, TONE, suite
from scripted_judge import PATIENCE_S, HeldJudge, ScriptedJudge, scored

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.judging.dispatch import Progress
from pytest_sessioneval.judging.keys import nonce
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.suites.model import Expectation, FeedbackEntry, SuiteSettings
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import CallCount, Opinion, Scored, Unscored

# -- answers ---------------------------------------------------------------------------


def test_opinions_come_in_the_order_of_the_questions() -> None:
    """By seat, then repeat, whatever order the answers arrive in."""
    judge = HeldJudge()
    with dispatching(judge, concurrency=4) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], of=suite(OUTCOME, TONE), repeats=2))
        judge.wait_for_calls(4)
        judge.release()
        opinions = in_time(dispatcher.wait, "s1")
    assert [("outcome", 0), ("outcome", 1), ("tone", 0), ("tone", 1)] == [
        (opinion.expert_id, opinion.repeat) for opinion in opinions
    ]


def test_an_opinion_says_all_that_was_answered() -> None:
    """Scores, comment, model, versions, time, cost, parameters and share shown."""

    def answer(case: Case) -> Answer:
        return scored(
            case,
            80,
            comment="Fine.",
            model="big-1",
            spent=CallCount(calls=2, repairs=1),
            sent={"seed": 7},
            coverage=0.5,
        )

    judge = ScriptedJudge(answer)
    with dispatching(judge) as dispatcher:
        (ticket,) = tickets(judge, ["s1"])
        dispatcher.submit([ticket])
        (opinion,) = in_time(dispatcher.wait, "s1")
    assert (
        Opinion(
            key=ticket.questions[0].key,
            expert_id="outcome",
            axes={"goal": Scored(score=80), "tone": Scored(score=80)},
            comment="Fine.",
            judge_model="big-1",
            judge_version=ticket.panel.version,
            rubric_version=ticket.panel.rubric_version,
            judged_at=NOW,
            spent=CallCount(calls=2, repairs=1),
            sent={"seed": 7},
            coverage=0.5,
        )
        == opinion
    )


def test_the_judge_is_shown_the_whole_case() -> None:
    """Transcript, expert, axes, profile, thumbs, expectations, outcome rule, window and nonce."""
    seen: list[Case] = []

    def answer(case: Case) -> Answer:
        seen.append(case)
        return scored(case)

    thumb = FeedbackEntry(session_id="s1", message_index=1, rating=-1)
    expected = Expectation(final_matches="refund")
    of = suite(OUTCOME, expect=(expected,), suite=SuiteSettings(use_outcome=True)).model_copy(
        update={"profiles": {"default": "You sell."}, "feedback": (thumb,)}
    )
    judge = ScriptedJudge(answer)
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], of=of))
        in_time(dispatcher.wait, "s1")
    assert [
        Case(
            session_id="s1",
            transcript=SESSION,
            rubric=of.rubric,
            expert=OUTCOME,
            axes=of.rubric.axes,
            repeat=0,
            nonce=nonce(b"secret", "digest of s1"),
            profile="You sell.",
            feedback=(thumb,),
            expectations=(expected,),
            use_outcome=True,
            max_chars=360_000,
        )
    ] == seen


def test_a_transcript_is_read_once_for_all_experts() -> None:
    """However many questions there are, the file is read once."""
    loads: list[int] = []

    def load() -> Transcript:
        loads.append(1)
        return SESSION

    judge = ScriptedJudge()
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], of=suite(OUTCOME, TONE), repeats=3, load=load))
        assert 6 == len(in_time(dispatcher.wait, "s1"))
    assert 1 == len(loads)


def test_an_unreadable_transcript_is_tried_once() -> None:
    """Every expert gets the reason, and the file is not read again for each."""
    loads: list[int] = []

    def load() -> Transcript:
        loads.append(1)
        raise StoreError("gone")

    judge = ScriptedJudge()
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], of=suite(OUTCOME, TONE), load=load))
        assert {"failed: gone"} == reasons_of(in_time(dispatcher.wait, "s1"))
    assert 1 == len(loads)


def test_a_ticket_without_questions_is_done() -> None:
    """Nothing to ask is answered at once, and counts as done."""
    judge = ScriptedJudge()
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], questions=()))
        assert () == in_time(dispatcher.wait, "s1")
        assert Progress(total=1, done=1, in_flight=0, retried=0) == dispatcher.progress()


def test_waiting_again_returns_the_same() -> None:
    """A verdict can be asked for as often as one likes."""
    judge = HeldJudge(held=False)
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        assert in_time(dispatcher.wait, "s1") == in_time(dispatcher.wait, "s1")
    assert ["s1"] == judge.asked


# -- keeping ---------------------------------------------------------------------------


def test_an_opinion_is_kept_before_anybody_has_it() -> None:
    """An item never reports what a crash could lose."""
    kept, judge = Kept(), ScriptedJudge()
    kept.proceed.clear()
    with dispatching(judge, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        waiting = started(dispatcher.wait, "s1")
        assert kept.entered.wait(PATIENCE_S)
        assert not waiting.done()
        kept.proceed.set()
        waiting.result(PATIENCE_S)
    assert ["s1"] == kept.sessions


def test_one_thread_keeps_in_batches_of_fifty() -> None:
    """What arrives while a batch is being kept goes into the next, at most 50 at once."""
    names = [f"s{n}" for n in range(82)]
    kept, judge = Kept(), HeldJudge()
    kept.proceed.clear()
    judge.release(*names[:-1])
    with dispatching(judge, concurrency=1, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, names[:1]))
        assert kept.entered.wait(PATIENCE_S)
        dispatcher.submit(tickets(judge, names[1:]))
        judge.wait_for_calls(82)  # so 80 answers wait for the writer
        kept.proceed.set()
        judge.release()
        for name in names:
            in_time(dispatcher.wait, name)
    assert [1, 50] == [len(batch) for batch in kept.batches[:2]]
    assert sorted(names) == kept.sessions
    assert {"sessioneval-writer"} == kept.threads


@pytest.mark.parametrize("reason", ["not_applicable", "unsupported", "unverified", "tampered"])
def test_what_a_judge_found_is_kept(reason: Any) -> None:
    """A reason that somebody looked is an answer: the next run does not ask again."""
    kept = Kept()
    judge = ScriptedJudge(
        lambda case: Answer(axes={axis.name: Unscored(reason=reason) for axis in case.axes})
    )
    with dispatching(judge, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        in_time(dispatcher.wait, "s1")
    assert ["s1"] == kept.sessions


@pytest.mark.parametrize("reason", ["failed", "declined", "skipped"])
def test_what_nobody_answered_is_not_kept(reason: Any) -> None:
    """One axis without an answer is enough: the next run asks again."""
    kept = Kept()
    judge = ScriptedJudge(
        lambda _case: Answer(axes={"goal": Scored(score=60), "tone": Unscored(reason=reason)})
    )
    with dispatching(judge, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        (opinion,) = in_time(dispatcher.wait, "s1")
    assert [] == kept.batches
    assert Unscored(reason=reason) == opinion.axes["tone"]


def test_a_broken_store_is_raised_in_every_wait() -> None:
    """In those that wait already, in those to come, and for what had been kept before."""
    error = StoreError("disk full")
    kept, judge = Kept(), HeldJudge()
    with dispatching(judge, concurrency=2, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2", "s3"]))
        judge.release("s1")
        in_time(dispatcher.wait, "s1")
        waiting = started(dispatcher.wait, "s3")
        judge.wait_for_calls(3)
        kept.error = error
        judge.release("s2")
        assert error is waiting.exception(PATIENCE_S)
        for name in ("s1", "s2"):
            assert error is started(dispatcher.wait, name).exception(PATIENCE_S)


def test_after_a_broken_store_nobody_is_asked() -> None:
    """What cannot be kept is not paid for: sessions submitted later raise too."""
    kept, judge = Kept(error=StoreError("disk full")), HeldJudge(held=False)
    with dispatching(judge, concurrency=1, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        assert isinstance(started(dispatcher.wait, "s1").exception(PATIENCE_S), StoreError)
        dispatcher.submit(tickets(judge, ["s2"]))
        assert isinstance(started(dispatcher.wait, "s2").exception(PATIENCE_S), StoreError)
    assert ["s1"] == judge.asked


def test_closing_keeps_what_has_arrived() -> None:
    """The end of a run waits for the writer, though for no judge."""
    kept, judge = Kept(), ScriptedJudge()
    kept.proceed.clear()
    with dispatching(judge, concurrency=1, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        assert kept.entered.wait(PATIENCE_S)
        closing = started(dispatcher.close, PATIENCE_S)
        kept.proceed.set()
        closing.result(PATIENCE_S)
        assert ["s1"] == kept.sessions


# -- progress --------------------------------------------------------------------------


def test_progress_counts_sessions_and_retries() -> None:
    """Sessions in all and done, questions in flight, requests repeated."""

    def answer(case: Case) -> Answer:
        return scored(case, spent=CallCount(calls=3, retries=2))

    judge = HeldJudge(answer)
    with dispatching(judge, concurrency=2) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2", "s3", "s4"]))
        judge.wait_for_calls(2)
        assert Progress(total=4, done=0, in_flight=2, retried=0) == dispatcher.progress()
        judge.release("s1")
        in_time(dispatcher.wait, "s1")
        judge.wait_for_calls(3)
        assert Progress(total=4, done=1, in_flight=2, retried=2) == dispatcher.progress()
        judge.release()
        for name in ("s2", "s3", "s4"):
            in_time(dispatcher.wait, name)
        assert Progress(total=4, done=4, in_flight=0, retried=8) == dispatcher.progress()


def test_whoever_waits_is_told_how_far_it_is() -> None:
    """``tick`` is called while there is something to wait for."""
    judge = HeldJudge()
    told: list[Progress] = []

    def tick(progress: Progress) -> None:
        told.append(progress)
        judge.release()

    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        judge.wait_for_calls(1)
        in_time(dispatcher.wait, "s1", tick)
    assert Progress(total=1, done=0, in_flight=1, retried=0) == told[0]


def test_nothing_is_told_when_there_is_nothing_to_wait_for() -> None:
    """A verdict that is there comes without a word."""
    judge, told = ScriptedJudge(), list[Progress]()
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        in_time(dispatcher.wait, "s1")
        in_time(dispatcher.wait, "s1", told.append)
    assert [] == told
