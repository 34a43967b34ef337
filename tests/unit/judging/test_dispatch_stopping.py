"""Dispatch: after a stop nothing is asked, nothing is lost, and nobody waits."""

from __future__ import annotations

import threading

from dispatch_cases import (
    Kept,
    dispatching,
    in_time,
    reasons_of,
    started,
    tickets,
)
from scripted_judge import PATIENCE_S, HeldJudge


def test_stopping_does_not_wait() -> None:
    """The run may end while a judge hangs; its session then says why it was skipped."""
    judge = HeldJudge()
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        judge.wait_for_calls(1)
        in_time(dispatcher.stop, "interrupted")
        assert {"skipped: interrupted"} == reasons_of(in_time(dispatcher.wait, "s1"))


def test_whoever_waits_is_told_of_the_stop() -> None:
    """A wait that is under way ends with the reason."""
    judge = HeldJudge()
    with dispatching(judge, concurrency=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2"]))
        judge.wait_for_calls(1)
        waiting = [started(dispatcher.wait, name) for name in ("s1", "s2")]
        dispatcher.stop("interrupted")
        for future in waiting:
            assert {"skipped: interrupted"} == reasons_of(future.result(PATIENCE_S))


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
        assert {"scored"} == reasons_of(in_time(dispatcher.wait, "s1"))


def test_a_session_submitted_after_a_stop_is_skipped() -> None:
    """A test that asks for a verdict when the run is being stopped must not wait for ever."""
    judge = HeldJudge(held=False)
    with dispatching(judge) as dispatcher:
        dispatcher.stop("interrupted")
        dispatcher.submit(tickets(judge, ["s1"]))
        assert {"skipped: interrupted"} == reasons_of(in_time(dispatcher.wait, "s1"))
    assert [] == judge.asked


def test_a_stop_from_elsewhere_skips_too() -> None:
    """The event is shared with judges and budget: whoever sets it, nobody waits for ever."""
    stop, judge = threading.Event(), HeldJudge(held=False)
    with dispatching(judge, stop=stop) as dispatcher:
        stop.set()
        dispatcher.submit(tickets(judge, ["s1"]))
        assert {"skipped: the run was stopped"} == reasons_of(in_time(dispatcher.wait, "s1"))


def test_the_first_reason_to_stop_is_the_reason() -> None:
    """The end of the run, which stops as well, does not replace what ended it."""
    judge = HeldJudge()
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"]))
        dispatcher.stop("interrupted")
        dispatcher.stop("the run ended before its turn")
        dispatcher.submit(tickets(judge, ["s2"]))
        for name in ("s1", "s2"):
            assert {"skipped: interrupted"} == reasons_of(in_time(dispatcher.wait, name))
