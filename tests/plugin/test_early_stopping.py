"""``[gate] sequential = "obf"``: judging ends with the look that decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from plugin_runs import Runs, Sessions, outcomes
from stopping_suite import (
    AXIS,
    BETWEEN,
    FAILED,
    GATE,
    OK,
    SAME,
    WORSE,
    Suite,
    decision_of,
    sixty_sessions,
    states_of,
)


@pytest.fixture
def suite(
    pytester: pytest.Pytester, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Suite]:
    """Return a suite of 60 sessions whose baseline is written."""
    with sixty_sessions(pytester, sessions, monkeypatch) as found:
        yield found


def _kept(report: dict[str, Any]) -> dict[str, Any]:
    """Return what must not depend on how a decision was reached."""
    (suite,) = report["suites"]
    axes = [
        (one["key"], one["state"], one["verdict"]["axes"] if one["verdict"] else None)
        for one in suite["sessions"]
    ]
    return {"gate": suite["gate"], "axes": axes, "means": suite["means"]}


# -- what it saves ------------------------------------------------------------------


def test_a_clear_regression_stops_at_the_first_look(suite: Suite, runs: Runs) -> None:
    """24 of 60 sessions are judged; the others are skipped, and nobody was asked about them."""
    suite.record(WORSE, again=" again")
    result, calls = suite.calls(suite.run)
    assert FAILED == result.ret
    assert 24 == calls
    assert {"passed": 24, "skipped": 36, "failed": 1} == outcomes(result)
    decision = decision_of(runs)
    assert "regressed" == decision["status"]
    look = decision["look"]
    assert (1, 4, 24, 60) == tuple(look[name] for name in ("look", "looks", "judged", "planned"))
    assert {"passed": 24, "skipped": 36} == states_of(runs)
    result.stdout.fnmatch_lines([f" gate: {AXIS} got worse: *The merge is stopped."])
    result.stdout.fnmatch_lines([" Decided early, after 24 of 60 sessions (look 1 of 4)*"])
    result.stdout.fnmatch_lines([" 24 passed, 36 left unjudged"])


def test_no_change_stops_when_a_look_shows_it(suite: Suite, runs: Runs) -> None:
    """Not before: the first look is too early to rule a drop out."""
    suite.record_in_order(SAME)
    result, calls = suite.calls(suite.run)
    decision = decision_of(runs)
    assert (OK, "passed", 48) == (result.ret, decision["status"], calls)
    assert (3, 48) == (decision["look"]["look"], decision["look"]["judged"])
    assert {"passed": 49, "skipped": 12} == outcomes(result)


def test_what_cannot_be_told_is_judged_to_the_end(suite: Suite, runs: Runs) -> None:
    """The last look decides at the level that is left, and says so."""
    suite.record_in_order(BETWEEN)
    result, calls = suite.calls(suite.run)
    decision = decision_of(runs)
    assert 60 == calls
    assert ("inconclusive", 4, 60) == (
        decision["status"],
        decision["look"]["look"],
        decision["look"]["judged"],
    )
    assert {"passed": 60} == states_of(runs)
    assert 0.03 < decision["alpha"] < 0.05
    result.stdout.fnmatch_lines([" Decided at the last of 4 looks, after all 60 sessions*"])


def test_no_more_is_asked_than_the_looks_take_however_many_are_in_flight(suite: Suite) -> None:
    """Judging never runs ahead of a look: the calls are the same with one thread and with 60."""
    suite.record(WORSE, again=" again")
    assert 24 == suite.calls(lambda: suite.run("--sessioneval-concurrency=60"))[1]


def test_a_window_smaller_than_a_look_holds_nothing_up(suite: Suite) -> None:
    """Sessions of a look are judged though their items, later in the run, have not reported."""
    suite.record(WORSE, again=" again")
    result, calls = suite.calls(lambda: suite.run("--sessioneval-concurrency=1"))
    assert (FAILED, 24) == (result.ret, calls)


def test_the_calls_are_announced_as_the_most_there_can_be(suite: Suite) -> None:
    """Nobody knows beforehand how many it will take."""
    suite.record(WORSE, again=" again")
    result = suite.pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["judging at most 60 sessions: at most 60 calls to *"])


# -- the same whatever happened before ------------------------------------------------


def test_a_second_run_decides_the_same_and_asks_nobody(suite: Suite, runs: Runs) -> None:
    """Order and looks are fixed by what is compared: running again rolls no dice."""
    suite.record_in_order(SAME)
    suite.run()
    first = _kept(runs.last)
    _, calls = suite.calls(suite.run)
    assert 0 == calls
    assert first == _kept(runs.last)


def test_what_is_in_the_store_makes_no_difference(suite: Suite, runs: Runs) -> None:
    """Verdicts of a run that judged all of them do not enter a look that is earlier."""
    suite.record(WORSE, again=" again")
    suite.rules(GATE.replace("obf", "off"))
    assert 60 == suite.calls(suite.run)[1]
    suite.rules()
    result, calls = suite.calls(suite.run)
    assert (FAILED, 0) == (result.ret, calls)
    assert {"passed": 24, "skipped": 36} == states_of(runs)
    assert 24 == decision_of(runs)["look"]["judged"]


def test_workers_decide_the_same(suite: Suite, runs: Runs) -> None:
    """Under ``-n 2`` the controller takes the looks: the same calls, decision and last line."""
    suite.record_in_order(SAME)
    suite.run()
    alone = _kept(runs.last)
    for kept in (suite.pytester.path / ".sessioneval").glob("store.db*"):
        kept.unlink()
    result, calls = suite.calls(lambda: suite.pytester.runpytest_inprocess("-n2"))
    assert (OK, alone["gate"]["decision"]["look"]["judged"]) == (result.ret, calls)
    assert alone == _kept(runs.last)
    assert {"passed": calls + 1, "skipped": 60 - calls} == outcomes(result)


def test_tasks_are_never_split(suite: Suite, runs: Runs) -> None:
    """With two sessions a task the looks count tasks, and the floor does too."""
    suite.rules(suite='cluster = "task"')
    (suite.baseline).unlink()
    assert OK == suite.run("--sessioneval-update-baseline").ret
    suite.record(WORSE, again=" again")
    result = suite.run()
    decision = decision_of(runs)
    assert FAILED == result.ret
    assert ("regressed", 48) == (decision["status"], decision["look"]["judged"])
    assert 24 == decision["axes"][0]["comparisons"][0]["overall"]["units"]
