"""Dispatchers that go on at once: one limit for all, and word of every session that ended."""

from __future__ import annotations

import queue
import threading

from dispatch_cases import Kept, dispatching, in_time, tickets
from panel_cases import OUTCOME, TONE, suite
from scripted_judge import PATIENCE_S, HeldJudge, ScriptedJudge

from pytest_sessioneval.judging.allowance import Slots


def test_two_dispatchers_keep_to_one_limit() -> None:
    """With two slots there are never more than two questions in flight, of both together."""
    judge, slots = HeldJudge(), Slots(2)
    first = dispatching(judge, slots=slots)
    second = dispatching(judge, slots=slots)
    with first as one, second as other:
        one.submit(tickets(judge, ["a", "b", "c"]))
        other.submit(tickets(judge, ["d", "e", "f"]))
        judge.wait_for_calls(2)
        judge.release()
        for name in ("a", "b", "c"):
            in_time(one.wait, name)
        for name in ("d", "e", "f"):
            in_time(other.wait, name)
    assert 2 == judge.peak
    assert 6 == len(judge.asked)


def test_who_is_stopped_does_not_wait_for_a_slot() -> None:
    """A dispatcher whose turn never comes ends while another one holds the slot."""
    judge, slots = HeldJudge(), Slots(1)
    with dispatching(judge, slots=slots) as holding, dispatching(judge, slots=slots) as waiting:
        holding.submit(tickets(judge, ["held"]))
        judge.wait_for_calls(1)
        waiting.submit(tickets(judge, ["never"]))
        waiting.stop("it was cancelled")
        waiting.drain(PATIENCE_S)
        assert not any(worker.is_alive() for worker in waiting._workers)
        assert ["held"] == judge.asked


def test_every_ticket_that_ended_is_told() -> None:
    """Answered ones, one without a question, and those that were never asked."""
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    judge = ScriptedJudge()
    with dispatching(judge, ended=told.put) as dispatcher:
        dispatcher.submit(tickets(judge, ["answered"]))
        assert "answered" == told.get(timeout=PATIENCE_S)
        dispatcher.submit(tickets(judge, ["nothing asked"], questions=()))
        assert "nothing asked" == told.get(timeout=PATIENCE_S)
        dispatcher.stop("it was cancelled")
        dispatcher.submit(tickets(judge, ["too late"]))
        assert "too late" == told.get(timeout=PATIENCE_S)


def test_a_ticket_is_told_once_it_is_kept() -> None:
    """Who hears of it finds the opinions in the store."""
    kept, found = Kept(), queue.SimpleQueue[list[str]]()
    judge = ScriptedJudge()
    with dispatching(judge, kept=kept, ended=lambda _: found.put(kept.sessions)) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], of=suite(OUTCOME, TONE)))
        assert ["s1", "s1"] == found.get(timeout=PATIENCE_S)


def test_what_is_in_flight_is_kept_after_a_stop() -> None:
    """Draining waits for the answer under way; closing keeps it, and it can be had."""
    kept, judge = Kept(), HeldJudge()
    with dispatching(judge, kept=kept, concurrency=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["under way", "not begun"]))
        judge.wait_for_calls(1)
        dispatcher.stop("it was cancelled")
        drained = threading.Thread(target=dispatcher.drain, args=(PATIENCE_S,))
        drained.start()
        judge.release()
        drained.join(PATIENCE_S)
        dispatcher.close(PATIENCE_S)
        (opinion,) = dispatcher.wait("under way")
        assert {"scored"} == {axis.kind for axis in opinion.axes.values()}
        assert ["under way"] == kept.sessions == judge.asked
