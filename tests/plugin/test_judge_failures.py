"""Judges that are down, refuse, run out of budget or are not asked: not scored, never a dot."""

from __future__ import annotations

import socket

import pytest
from plugin_runs import Runs, Sessions, outcomes

from pytest_sessioneval.testing import JudgeServer


@pytest.fixture
def _three(sessions: Sessions) -> None:
    """Write a suite of three sessions."""
    sessions.suite(folder="recorded")
    sessions.good(*(f"recorded/{name}.json" for name in "abc"))


pytestmark = pytest.mark.usefixtures("_three")


@pytest.fixture
def dead_judge(monkeypatch: pytest.MonkeyPatch) -> str:
    """Name a judge at a port where nobody listens; return its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("SESSIONEVAL_JUDGE", "openai:nobody")
    monkeypatch.setenv("SESSIONEVAL_BASE_URL", f"http://127.0.0.1:{port}")
    return f"127.0.0.1:{port}"


def _unscored(runs: Runs, reason: str) -> int:
    """Return of how many sessions ``communication`` is unscored for the reason."""
    return int(runs.mean("communication")["unscored"].get(reason, 0))


def test_a_judge_that_is_down_scores_nothing(
    pytester: pytest.Pytester, dead_judge: str, runs: Runs
) -> None:
    """No session passes, no axis has a mean, the exit is 1, and each failure says who was asked."""
    result = pytester.runpytest()
    assert {"failed": 3} == outcomes(result)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    assert 3 == _unscored(runs, "failed")
    assert {None} == {row["mean"] for row in runs.suite["means"]}
    result.stdout.fnmatch_lines(
        [f"not scored: failed: no connection to the judge at {dead_judge}: *"]
    )
    result.stdout.fnmatch_lines(["FAILED recorded/a.json - not scored: *"])
    assert "Traceback" not in result.stdout.str()


def test_a_judge_that_is_down_for_some(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """Sessions that were judged pass; the mean rests on them and says on how many."""
    judge_server.fail(3, status=401, message="no such key")
    result = pytester.runpytest("--sessioneval-concurrency=1")
    assert {"passed": 2, "failed": 1} == outcomes(result)
    mean = runs.mean("communication")
    assert [80, 2, 3] == [mean["mean"], mean["scored"], mean["sessions"]]
    assert 1 == _unscored(runs, "failed")


def test_one_expert_that_fails_leaves_no_mean_of_the_others(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """A session of which one expert's answer is missing is not scored, on that expert's axes."""
    judge_server.fail(1, status=403, message="not yours")
    result = pytester.runpytest("-k", "a.json", "--sessioneval-concurrency=1")
    assert {"failed": 1, "deselected": 2} == outcomes(result)
    assert {True, False} == {row["mean"] is None for row in runs.suite["means"]}


def test_a_failed_answer_is_asked_for_again(
    pytester: pytest.Pytester, judge_server: JudgeServer
) -> None:
    """The next run asks for what is missing, and for nothing else."""
    judge_server.fail(1, status=401)
    pytester.runpytest("--sessioneval-concurrency=1")
    assert 9 == judge_server.calls
    assert {"passed": 3} == outcomes(pytester.runpytest())
    assert 10 == judge_server.calls


def test_a_busy_judge_is_asked_again(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """A 503 is repeated within the run, and counted."""
    judge_server.fail(2, status=503, retry_after="0")
    assert {"passed": 3} == outcomes(pytester.runpytest())
    assert 11 == judge_server.calls
    assert 2 == runs.suite["spent"]["retries"]


def test_a_refusal_is_declined(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """A judge that will not answer leaves its session unscored."""
    judge_server.refuse(3)
    result = pytester.runpytest("--sessioneval-concurrency=1")
    assert {"passed": 2, "failed": 1} == outcomes(result)
    assert 1 == _unscored(runs, "declined")


def test_nonsense_is_a_failure(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """A reply that is none, and whose repair is none, leaves its session unscored."""
    judge_server.say(*["I rather like this one!"] * 6)
    result = pytester.runpytest("--sessioneval-concurrency=1")
    assert {"passed": 2, "failed": 1} == outcomes(result)
    assert 1 == _unscored(runs, "failed")


@pytest.mark.parametrize(("calls", "passed"), [(0, 0), (3, 1), (8, 2), (9, 3)])
def test_a_budget_holds(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs, calls: int, passed: int
) -> None:
    """No call beyond ``-max-calls``; what is left over is skipped, and fails as not scored."""
    result = pytester.runpytest(f"--sessioneval-max-calls={calls}", "--sessioneval-concurrency=1")
    expected = {"passed": passed, "failed": 3 - passed}
    assert {word: count for word, count in expected.items() if count} == outcomes(result)
    assert calls == judge_server.calls
    assert 3 - passed == _unscored(runs, "skipped")


def test_a_spent_budget_says_so(pytester: pytest.Pytester, judge_server: JudgeServer) -> None:
    """The failure names the budget and the option."""
    assert 0 == judge_server.calls
    result = pytester.runpytest("--sessioneval-max-calls=0")
    result.stdout.fnmatch_lines(["*the budget of 0 judge calls is spent*"])


def test_repeated_runs_finish_on_a_small_budget(
    pytester: pytest.Pytester, judge_server: JudgeServer
) -> None:
    """What was judged is kept: runs of four calls each need three."""
    for _ in range(2):
        assert 1 == pytester.runpytest("--sessioneval-max-calls=4").ret
    assert 0 == pytester.runpytest("--sessioneval-max-calls=4").ret
    assert 9 == judge_server.calls


def test_offline_asks_nobody(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """``-offline`` takes what the store has; the rest is not scored."""
    pytester.runpytest("-k", "a.json")
    result = pytester.runpytest("--sessioneval-offline")
    assert {"passed": 1, "failed": 2} == outcomes(result)
    assert 3 == judge_server.calls
    assert 2 == _unscored(runs, "skipped")
    result.stdout.fnmatch_lines(["*--sessioneval-offline: its verdict is not in the store*"])


def test_offline_needs_no_judge_to_be_there(
    pytester: pytest.Pytester, judge_server: JudgeServer
) -> None:
    """Once everything is in the store, a dead judge does not matter."""
    pytester.runpytest()
    judge_server.close()
    assert {"passed": 3} == outcomes(pytester.runpytest("--sessioneval-offline"))


def test_a_judge_that_hangs_is_given_up(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """After ``-timeout`` seconds the session is not scored."""
    judge_server.hold()
    result = pytester.runpytest("-k", "a.json", "--sessioneval-timeout=0.05")
    assert {"failed": 1, "deselected": 2} == outcomes(result)
    assert 1 == _unscored(runs, "failed")
