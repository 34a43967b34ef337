"""Repetition: what counts as bringing nothing new."""

from __future__ import annotations

from evidence_cases import main_part

from pytest_sessioneval.judging.process.calls import Repeats, calls_of, cycles_of, repeats_of
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.testing.transcripts import ToolTurn
from pytest_sessioneval.transcripts.model import Message, ToolCall

LOOK = tool("get_order", {"id": "W1"}, result="shipped")
FAIL = tool("get_order", {"id": "W1"}, result="Error: not found")
OUTAGE = tool("get_order", {"id": "W1"}, result="Error: 503 Service Unavailable")
WRITE = tool("cancel_order", {"id": "W1"}, result="done")
POLL = tool("BashOutput", {"id": "b1"}, result="still running")


def repeats(*turns: ToolTurn) -> tuple[Repeats, ...]:
    """Return the repeats in a session of these calls."""
    return repeats_of(calls_of(main_part(transcript(*turns))))


def test_an_identical_call_with_the_same_result_repeats() -> None:
    """The run holds the first call and all that repeat it, by message."""
    assert [[0, 2, 4]] == [
        [call.message for call in run.calls] for run in repeats(LOOK, LOOK, LOOK)
    ]


def test_a_call_that_fails_again_like_before_is_a_failing_repeat() -> None:
    """The two kinds are told apart, because they cost differently."""
    assert [True] == [run.failing for run in repeats(FAIL, FAIL)]


def test_a_retry_that_succeeds_repeats_nothing() -> None:
    """Its result is news."""
    assert repeats(FAIL, LOOK) == ()


def test_looking_again_after_a_change_repeats_nothing() -> None:
    """What somebody may have changed is worth another look, even if it is the same."""
    assert repeats(LOOK, WRITE, LOOK) == ()


def test_other_arguments_make_another_call() -> None:
    """Only equal arguments are identical."""
    assert repeats(LOOK, tool("get_order", {"id": "W2"}, result="shipped")) == ()


def test_the_order_of_arguments_does_not_matter() -> None:
    """Arguments are compared as values."""
    one = tool("find", {"a": 1, "b": 2}, result="x")
    two = tool("find", {"b": 2, "a": 1}, result="x")
    assert len(repeats(one, two)) == 1


def test_asking_a_background_task_again_repeats_nothing() -> None:
    """Waiting is no waste of a call."""
    assert repeats(POLL, POLL, POLL, POLL) == ()


def test_a_tool_out_of_order_may_be_tried_three_more_times() -> None:
    """Patience with an outage is no fault; endless patience is."""
    assert repeats(*[OUTAGE] * 4) == ()
    assert [5] == [len(run.calls) for run in repeats(*[OUTAGE] * 5)]


def test_a_simulated_users_own_call_makes_another_look_worthwhile() -> None:
    """In some benchmarks the user has tools, too, and changes things with them."""
    switch = Message(
        index=0, role="user", tool_calls=(ToolCall(name="toggle_roaming", arguments={}),)
    )
    part = main_part(transcript(LOOK, switch, LOOK))
    assert repeats_of(calls_of(part), [2]) == ()
    assert len(repeats_of(calls_of(part))) == 1


def test_a_simulated_users_calls_are_not_the_agents() -> None:
    """Only messages of the agent make its calls."""
    theirs = Message(index=0, role="user", tool_calls=(ToolCall(name="x", arguments={}),))
    assert calls_of(main_part(transcript(theirs))) == ()


def test_three_rounds_of_the_same_calls_are_a_cycle() -> None:
    """Two calls in turn, with equal results each time, go round."""
    other = tool("search", {"q": "W1"}, result="nothing")
    cycles = cycles_of(calls_of(main_part(transcript(*[LOOK, other] * 3))))
    assert [(6, 2)] == [(len(cycle.calls), cycle.period) for cycle in cycles]


def test_two_rounds_are_no_cycle() -> None:
    """A second look happens."""
    assert cycles_of(calls_of(main_part(transcript(LOOK, LOOK)))) == ()


def test_a_call_that_returns_something_new_each_time_is_no_cycle() -> None:
    """Progress shows in the results."""
    pages = [tool("next_page", {}, result=f"page {n}") for n in range(5)]
    assert cycles_of(calls_of(main_part(transcript(*pages)))) == ()
