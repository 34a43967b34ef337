"""Dispatch: how much is asked at once, and in which order."""

from __future__ import annotations

from threading import Event

from dispatch_cases import (
    dispatching,
    in_time,
    started,
    tickets,
)
from hypothesis import given, settings, strategies as st
from scripted_judge import PATIENCE_S, HeldJudge, ScriptedJudge, scored

from pytest_sessioneval.judging.model import Answer, Case

quick = settings(deadline=None)


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


def test_what_comes_first_is_asked_before_what_an_item_waits_for() -> None:
    """Canaries are: no item waits for them, and the first item waits at once."""
    judge = HeldJudge()
    waiting = Event()
    with dispatching(judge, concurrency=1) as dispatcher:
        dispatcher.submit(tickets(judge, ["s0"]))
        judge.wait_for_calls(1)
        dispatcher.submit(tickets(judge, ["c1", "c2"]), first=True)
        dispatcher.submit(tickets(judge, ["s1"]))
        answer = started(dispatcher.wait, "s1", lambda _progress: waiting.set())
        assert waiting.wait(PATIENCE_S)
        judge.release()
        in_time(answer.result)
    assert ["s0", "c1", "c2", "s1"] == judge.asked


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
