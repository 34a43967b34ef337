"""``--sessioneval-scope``, ``-since``, ``-limit`` and ``-shard``: what a run is about."""

from __future__ import annotations

import json

import pytest
from plugin_runs import Runs, Sessions, good_messages, outcomes

from pytest_sessioneval.testing import JudgeServer


@pytest.fixture
def _six(sessions: Sessions) -> None:
    """Write a suite of six sessions."""
    sessions.suite(folder="recorded")
    sessions.good(*(f"recorded/{name}.json" for name in "abcdef"))


@pytest.mark.usefixtures("_six")
def test_unevaluated_leaves_out_what_the_store_has(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """``-scope=unevaluated`` runs the sessions without a current verdict."""
    pytester.runpytest("-k", "a.json or b.json")
    result = pytester.runpytest("--sessioneval-scope=unevaluated")
    assert {"passed": 4, "deselected": 2} == outcomes(result)
    sessions.bad("recorded/a.json")
    assert {"passed": 1, "deselected": 5} == outcomes(
        pytester.runpytest("--sessioneval-scope=unevaluated")
    )


@pytest.mark.usefixtures("_six")
def test_scope_is_all_by_default(pytester: pytest.Pytester) -> None:
    """Without the option, what the store has is run again, from the store."""
    pytester.runpytest()
    assert {"passed": 6} == outcomes(pytester.runpytest())


@pytest.mark.usefixtures("_six")
def test_nothing_left_to_evaluate_is_no_success(pytester: pytest.Pytester) -> None:
    """A run of which nothing is left is pytest's own exit 5."""
    pytester.runpytest()
    result = pytester.runpytest("--sessioneval-scope=unevaluated")
    assert pytest.ExitCode.NO_TESTS_COLLECTED == result.ret


@pytest.mark.usefixtures("_six")
def test_limit_takes_the_first(pytester: pytest.Pytester) -> None:
    """``-limit`` takes the first sessions of each suite, in the order of collection."""
    result = pytester.runpytest("--sessioneval-limit=2", "-v")
    result.stdout.fnmatch_lines(["recorded/a.json PASSED*", "recorded/b.json PASSED*"])
    assert {"passed": 2, "deselected": 4} == outcomes(result)


@pytest.mark.usefixtures("_six")
def test_limit_is_per_suite(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Each suite gives as many."""
    sessions.suite(folder="others")
    sessions.good("others/a.json", "others/b.json")
    result = pytester.runpytest("--sessioneval-limit=1")
    assert {"passed": 2, "deselected": 6} == outcomes(result)


@pytest.mark.usefixtures("_six")
def test_shards_are_the_whole_and_share_nothing(pytester: pytest.Pytester, runs: Runs) -> None:
    """Three of three shards, together, are every session once."""
    seen: list[str] = []
    for part in (1, 2, 3):
        pytester.runpytest(f"--sessioneval-shard={part}/3")
        seen += [session["key"] for session in runs.suite["sessions"]]
    assert [f"{name}.json" for name in "abcdef"] == sorted(seen)


@pytest.mark.usefixtures("_six")
def test_a_new_session_moves_no_other_to_another_shard(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """A session's shard hangs on its key alone."""
    pytester.runpytest("--sessioneval-shard=1/2")
    before = {session["key"] for session in runs.suite["sessions"]}
    sessions.good("recorded/0.json")
    pytester.runpytest("--sessioneval-shard=1/2")
    assert before == {session["key"] for session in runs.suite["sessions"]} - {"0.json"}


@pytest.mark.usefixtures("_six")
def test_what_was_left_out_is_told(pytester: pytest.Pytester, runs: Runs) -> None:
    """The report says that, and by which option, sessions were left out."""
    pytester.runpytest("--sessioneval-limit=2", "--sessioneval-shard=1/1")
    assert (
        "4 sessions were left out (--sessioneval-limit --sessioneval-shard)"
        == (runs.last["partial"])
    )
    assert 4 == runs.suite["sources"]["deselected"]


@pytest.mark.parametrize(
    ("since", "passed"),
    [
        ("2026-03-01", 2),
        ("2026-03-02", 1),
        ("2026-03-01T12:00:00+00:00", 2),
        ("2026-03-01T12:00:01Z", 1),
        ("2026-03-01T13:30:00+02:00", 2),
    ],
)
def test_since_looks_at_when_a_session_was_recorded(
    pytester: pytest.Pytester, sessions: Sessions, since: str, passed: int
) -> None:
    """Sessions from that moment on stay; a session without a time stays as well."""
    for name, moment in (("old", "2026-03-01T12:00:00Z"), ("older", "2025-12-31T23:59:59Z")):
        said = good_messages(name)
        content = json.dumps({"messages": said, "created_at": moment})
        sessions.text(f"recorded/{name}.json", content)
    sessions.good("recorded/undated.json")
    result = pytester.runpytest("--sessioneval", "recorded", f"--sessioneval-since={since}")
    assert passed == outcomes(result)["passed"]


@pytest.mark.usefixtures("_six")
def test_ordinary_tests_stay(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Our options choose among sessions only."""
    sessions.text("test_ordinary.py", "def test_ordinary():\n    pass\n")
    result = pytester.runpytest("--sessioneval-limit=1")
    assert {"passed": 2, "deselected": 5} == outcomes(result)


@pytest.mark.usefixtures("_six")
def test_what_is_left_out_costs_nothing(
    pytester: pytest.Pytester, judge_server: JudgeServer
) -> None:
    """Two sessions, three experts."""
    pytester.runpytest("--sessioneval-limit=2")
    assert 6 == judge_server.calls
