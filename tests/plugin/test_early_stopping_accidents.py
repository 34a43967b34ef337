"""``[gate] sequential = "obf"``: no accident makes a look pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from plugin_runs import Runs, Sessions
from stopping_suite import (
    BEFORE,
    FAILED,
    INTERRUPTED,
    SAME,
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


def test_a_judge_that_is_down_is_incomplete(suite: Suite, runs: Runs) -> None:
    """A look with a hole in it decides nothing, and neither does the last one."""
    suite.record_in_order(SAME)
    suite.server.fail(1, status=401, message="no such key")
    result = suite.run()
    assert FAILED == result.ret
    assert "incomplete" == decision_of(runs)["status"]
    assert {"passed": 59, "not_scored": 1} == states_of(runs)


def test_a_lost_session_is_incomplete(suite: Suite, runs: Runs) -> None:
    """Sessions that are not reached are still there; one that is gone is lost."""
    suite.record_in_order(SAME)
    (suite.baseline.parent / "s07.json").unlink()
    result = suite.run()
    (use,) = decision_of(runs)["baselines"]
    assert FAILED == result.ret
    assert ("incomplete", ["s07.json"]) == (decision_of(runs)["status"], use["lost"])


def test_a_spent_budget_is_incomplete(suite: Suite, runs: Runs) -> None:
    """What the budget left out is not what a look left out: it fails as not scored."""
    suite.record_in_order(SAME)
    result = suite.run("--sessioneval-max-calls=30")
    assert FAILED == result.ret
    assert "incomplete" == decision_of(runs)["status"]
    assert {"passed": 30, "not_scored": 30} == states_of(runs)


def test_a_judged_session_that_does_not_report_is_incomplete(suite: Suite, runs: Runs) -> None:
    """Every session up to the look is owed, also when its verdict let the look decide."""
    suite.record_in_order(SAME)
    suite.run()
    judged = next(s["key"] for s in runs.suite["sessions"] if s["state"] == "passed")
    skip = (
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        f"    marked = [item for item in items if {judged!r} in item.nodeid]\n"
        "    marked[0].add_marker(pytest.mark.skip(reason='flaky'))\n"
    )
    suite.sessions.text("conftest.py", skip)
    result = suite.run()
    assert FAILED == result.ret
    assert "incomplete" == decision_of(runs)["status"]


def test_ten_that_are_worse_are_not_passed_over_by_unchanged_ones(suite: Suite, runs: Runs) -> None:
    """Fifty identical files let no look pass; at the end it is as without early stopping."""
    suite.record([mark - 20 for mark in BEFORE[:10]], again=" again")
    result = suite.run()
    assert FAILED == result.ret
    decision = decision_of(runs)
    assert ("inconclusive", 60) == (decision["status"], decision["look"]["judged"])
    result.stdout.fnmatch_lines(["*10 changed sessions alone do not rule out a drop of*"])


def test_an_unreadable_file_is_incomplete(suite: Suite, runs: Runs) -> None:
    """Its sessions may be those that got worse."""
    suite.record_in_order(SAME)
    suite.sessions.text("suite/s99.json", '{"messages": [')
    result = suite.run()
    assert FAILED == result.ret
    assert "incomplete" == decision_of(runs)["status"]


def test_offline_without_verdicts_is_incomplete(suite: Suite, runs: Runs) -> None:
    """Nobody was asked about any session of the first look."""
    suite.record_in_order(SAME)
    result, calls = suite.calls(lambda: suite.run("--sessioneval-offline"))
    assert (FAILED, 0) == (result.ret, calls)
    assert "incomplete" == decision_of(runs)["status"]


def test_stopping_at_the_first_failure_is_incomplete(suite: Suite, runs: Runs) -> None:
    """After ``-x`` the sessions without a turn are missing from whatever a look had decided."""
    suite.record_in_order(SAME)
    suite.run()
    assert "passed" == decision_of(runs)["status"]
    suite.sessions.text("suite/test_fails.py", "def test_fails():\n    assert False\n")
    reverse = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"
    suite.sessions.text("conftest.py", reverse)
    result = suite.run("-x")
    assert FAILED == result.ret
    assert "incomplete" == decision_of(runs)["status"]


def test_an_interrupted_run_decides_nothing(suite: Suite, runs: Runs) -> None:
    """Exit 2, also when a look had decided before."""
    suite.record_in_order(SAME)
    suite.sessions.text("suite/test_stop.py", "def test_stop():\n    raise KeyboardInterrupt\n")
    result = suite.run()
    assert INTERRUPTED == result.ret
    assert runs.suite["gate"] is None
