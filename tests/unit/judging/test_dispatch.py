"""Dispatch: what is asked when, how much at once, and what waiting for it returns."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from dispatch_cases import (
    Kept,
    dispatching,
    in_time,
    started,
    tickets,
)
from hypothesis import given, settings, strategies as st
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

quick = settings(deadline=None)


def _reasons(opinions: tuple[Opinion, ...]) -> set[str]:
    """Return the reasons, with their detail, that opinions without any score give."""
    return {
        f"{axis.reason}: {axis.detail}" if isinstance(axis, Unscored) else "scored"
        for opinion in opinions
        for axis in opinion.axes.values()
    }


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
        assert {"failed: gone"} == _reasons(in_time(dispatcher.wait, "s1"))
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


# -- how much at once ------------------------------------------------------------------


def test_the_limit_is_reached_and_not_passed() -> None:
    """As many questions are in flight as allowed, and never one more."""
    names = [f"s{n}" for n in range(12)]
    judge = HeldJudge()
    with dispatching(judge, concurrency=3) as dispatcher:
        dispatcher.submit(tickets(judge, names))
        judge.wait_for_calls(3)
        judge.release()
        for name in names:
            in_time(dispatcher.wait, name)
    assert 3 == judge.peak
    assert names == sorted(judge.asked, key=names.index)


def test_one_sessions_questions_are_asked_side_by_side() -> None:
    """A panel of three answers one session in the time of one."""
    judge = HeldJudge()
    with dispatching(judge, concurrency=8) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], repeats=3))
        judge.wait_for_calls(3)
    assert 3 == judge.peak


def test_a_later_ticket_does_not_wait_for_an_earlier_one() -> None:
    """Sessions submitted one by one use the limit as a whole batch does."""
    judge = HeldJudge()
    with dispatching(judge, concurrency=2) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        judge.wait_for_calls(1)
        dispatcher.submit(tickets(judge, ["s2"]))
        judge.wait_for_calls(2)
    assert 2 == judge.peak


def test_no_more_threads_than_questions() -> None:
    """A small run does not start the threads of a large one."""
    judge = HeldJudge(held=False)
    with dispatching(judge, concurrency=32) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2"]))
        for name in ("s1", "s2"):
            in_time(dispatcher.wait, name)
        assert 2 >= len(dispatcher._workers)


# -- in which order --------------------------------------------------------------------


def test_sessions_are_asked_about_in_order() -> None:
    """One at a time, they come as submitted."""
    names = [f"s{n}" for n in range(8)]
    judge = HeldJudge(held=False)
    with dispatching(judge, concurrency=1) as dispatcher:
        dispatcher.submit(tickets(judge, names))
        for name in names:
            in_time(dispatcher.wait, name)
    assert names == judge.asked


def test_the_window_bounds_what_is_started() -> None:
    """No more sessions are begun than may wait, and each that reports lets one in."""
    names = [f"s{n}" for n in range(6)]
    consumed = 0
    ahead: list[int] = []

    def answer(case: Case) -> Answer:
        ahead.append(names.index(case.session_id) + 1 - consumed)
        return scored(case)

    judge = HeldJudge(answer, held=False)
    with dispatching(judge, concurrency=8, lookahead=2) as dispatcher:
        dispatcher.submit(tickets(judge, names))
        for number, name in enumerate(names):
            judge.wait_for_calls(min(number + 2, 6))
            in_time(dispatcher.wait, name)
            consumed = number + 1
            dispatcher.consumed(name)
    assert names == sorted(judge.asked)
    assert 2 == max(ahead)


def test_a_window_of_nothing_still_moves() -> None:
    """A look-ahead below one is one."""
    judge = HeldJudge(held=False)
    with dispatching(judge, lookahead=0) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2"]))
        judge.wait_for_calls(1)
        dispatcher.consumed("s1")
        judge.wait_for_calls(2)
    assert ["s1", "s2"] == judge.asked


def test_consuming_twice_opens_the_window_once() -> None:
    """A session that reports again (a rerun) does not widen the window."""
    judge = ScriptedJudge()
    with dispatching(judge, lookahead=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        in_time(dispatcher.wait, "s1")
        dispatcher.consumed("s1")
        dispatcher.consumed("s1")
        assert 0 == dispatcher._ahead


def test_what_has_reported_already_takes_no_place_in_the_window() -> None:
    """A session whose item ended without waiting for it does not block those after it."""
    judge = HeldJudge()
    with dispatching(judge, concurrency=3, lookahead=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2", "s3"]))
        judge.wait_for_calls(1)
        dispatcher.consumed("s2")
        dispatcher.consumed("s1")
        judge.wait_for_calls(3)
    assert ["s1", "s2", "s3"] == sorted(judge.asked)


def test_a_panel_is_asked_side_by_side_when_the_window_moves() -> None:
    """A session let in by one that reported has all its experts asked at once."""
    judge = HeldJudge()
    with dispatching(judge, concurrency=3, lookahead=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2"], repeats=3))
        judge.release("s1", "s1", "s1")
        in_time(dispatcher.wait, "s1")
        dispatcher.consumed("s1")
        judge.wait_for_calls(6)


def test_what_an_item_waits_for_goes_first() -> None:
    """A session somebody waits for passes those in the queue, window or not."""
    judge = HeldJudge()
    with dispatching(judge, concurrency=2, lookahead=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2", "s3"]))
        judge.wait_for_calls(1)
        waiting = started(dispatcher.wait, "s3")
        judge.wait_for_calls(2)
        assert ["s1", "s3"] == judge.asked
        judge.release("s3")
        waiting.result(PATIENCE_S)


@quick
@given(
    st.integers(1, 9).flatmap(lambda count: st.permutations(range(count))),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_no_order_of_waiting_ends_in_a_deadlock(
    order: list[int], concurrency: int, lookahead: int, repeats: int
) -> None:
    """Items may come in any order, reversed too: every question is asked exactly once."""
    names = [f"s{n}" for n in range(len(order))]
    judge = HeldJudge(held=False)
    with dispatching(judge, concurrency=concurrency, lookahead=lookahead) as dispatcher:
        dispatcher.submit(tickets(judge, names, repeats=repeats))
        for number in order:
            assert repeats == len(in_time(dispatcher.wait, names[number]))
            dispatcher.consumed(names[number])
    assert sorted(names * repeats) == sorted(judge.asked)


def test_many_waiting_at_once_all_get_theirs() -> None:
    """Every worker of a distributed run may wait at the same time, in reverse."""
    names = [f"s{n}" for n in range(10)]
    judge = HeldJudge()
    with dispatching(judge, concurrency=2, lookahead=1) as dispatcher:
        dispatcher.submit(tickets(judge, names))
        waiting = [started(dispatcher.wait, name) for name in reversed(names)]
        judge.wait_for_calls(2)
        judge.release()
        assert 10 == sum(len(future.result(PATIENCE_S)) for future in waiting)
    assert 2 == judge.peak


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


# -- stopping --------------------------------------------------------------------------


def test_stopping_does_not_wait() -> None:
    """The run may end while a judge hangs; its session then says why it was skipped."""
    judge = HeldJudge()
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        judge.wait_for_calls(1)
        in_time(dispatcher.stop, "interrupted")
        assert {"skipped: interrupted"} == _reasons(in_time(dispatcher.wait, "s1"))


def test_whoever_waits_is_told_of_the_stop() -> None:
    """A wait that is under way ends with the reason."""
    judge = HeldJudge()
    with dispatching(judge, concurrency=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2"]))
        judge.wait_for_calls(1)
        waiting = [started(dispatcher.wait, name) for name in ("s1", "s2")]
        dispatcher.stop("interrupted")
        for future in waiting:
            assert {"skipped: interrupted"} == _reasons(future.result(PATIENCE_S))


def test_after_a_stop_nobody_is_asked() -> None:
    """What was queued stays unasked."""
    judge = HeldJudge()
    with dispatching(judge, concurrency=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2", "s3"]))
        judge.wait_for_calls(1)
        dispatcher.stop("interrupted")
        judge.release()
        for worker in dispatcher._workers:
            worker.join(PATIENCE_S)
    assert ["s1"] == judge.asked


def test_an_answer_in_flight_is_kept_if_it_arrives() -> None:
    """What was paid for is not thrown away because somebody pressed Ctrl-C."""
    kept, judge = Kept(), HeldJudge()
    with dispatching(judge, kept=kept) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        judge.wait_for_calls(1)
        dispatcher.stop("interrupted")
        judge.release()
        assert kept.arrived.wait(PATIENCE_S)
    assert ["s1"] == kept.sessions


def test_what_was_answered_stands_after_a_stop() -> None:
    """A verdict that had been reached is not taken back."""
    judge = HeldJudge(held=False)
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        in_time(dispatcher.wait, "s1")
        dispatcher.stop("interrupted")
        assert {"scored"} == _reasons(in_time(dispatcher.wait, "s1"))


def test_a_session_submitted_after_a_stop_is_skipped() -> None:
    """A test that asks for a verdict when the run is being stopped must not wait for ever."""
    judge = HeldJudge(held=False)
    with dispatching(judge) as dispatcher:
        dispatcher.stop("interrupted")
        dispatcher.submit(tickets(judge, ["s1"]))
        assert {"skipped: interrupted"} == _reasons(in_time(dispatcher.wait, "s1"))
    assert [] == judge.asked


def test_a_stop_from_elsewhere_skips_too() -> None:
    """The event is shared with judges and budget: whoever sets it, nobody waits for ever."""
    stop, judge = threading.Event(), HeldJudge(held=False)
    with dispatching(judge, stop=stop) as dispatcher:
        stop.set()
        dispatcher.submit(tickets(judge, ["s1"]))
        assert {"skipped: the run was stopped"} == _reasons(in_time(dispatcher.wait, "s1"))


def test_the_first_reason_to_stop_is_the_reason() -> None:
    """The end of the run, which stops as well, does not replace what ended it."""
    judge = HeldJudge()
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        dispatcher.stop("interrupted")
        dispatcher.stop("the run ended before its turn")
        dispatcher.submit(tickets(judge, ["s2"]))
        for name in ("s1", "s2"):
            assert {"skipped: interrupted"} == _reasons(in_time(dispatcher.wait, name))


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
