"""The first expert of a session goes ahead where the others then cost less."""

from __future__ import annotations

from dispatch_cases import dispatching, in_time, tickets
from panel_cases import OUTCOME, TONE, suite
from scripted_judge import HeldJudge


def _held(*, shares_prefix: bool) -> HeldJudge:
    judge = HeldJudge()
    judge.shares_prefix = shares_prefix
    return judge


def test_the_others_wait_for_the_first() -> None:
    """Whether it answers or fails; other sessions' first ones go meanwhile."""
    judge = _held(shares_prefix=True)
    with dispatching(judge, concurrency=8) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1", "s2"], of=suite(OUTCOME, TONE)))
        judge.wait_for_calls(2)
        assert ["s1", "s2"] == sorted(judge.asked)
        judge.release("s1")
        judge.wait_for_calls(3)
        assert "s1" == judge.asked[2]
        judge.release()
        assert 2 == len(in_time(dispatcher.wait, "s1"))
        assert 2 == len(in_time(dispatcher.wait, "s2"))
    assert 4 == len(judge.asked)


def test_nobody_waits_where_nothing_is_gained() -> None:
    """All of a session's experts are asked at once."""
    judge = _held(shares_prefix=False)
    with dispatching(judge, concurrency=8) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], of=suite(OUTCOME, TONE)))
        judge.wait_for_calls(2)
        judge.release()
        in_time(dispatcher.wait, "s1")


def test_a_stop_asks_no_follower() -> None:
    """What waited for the first is skipped."""
    judge = _held(shares_prefix=True)
    with dispatching(judge, concurrency=8) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], of=suite(OUTCOME, TONE)))
        judge.wait_for_calls(1)
        dispatcher.stop("enough")
        judge.release()
        in_time(dispatcher.wait, "s1")
    assert ["s1"] == judge.asked
