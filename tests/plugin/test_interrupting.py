"""Ctrl-C and ``pytest.exit``: exit 2, nobody is asked any more, and the report says so."""

from __future__ import annotations

import pytest
from plugin_runs import Runs, Sessions, outcomes

from pytest_sessioneval.testing import JudgeServer


@pytest.fixture
def _interrupted(sessions: Sessions) -> None:
    """Write two sessions, with a test between them that is interrupted."""
    sessions.suite("[thresholds.mean]\ncommunication = 90\n", "recorded")
    sessions.good("recorded/a.json", "recorded/z.json")
    sessions.text("recorded/test_m.py", "def test_m():\n    raise KeyboardInterrupt\n")


pytestmark = pytest.mark.usefixtures("_interrupted")


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*arguments, no_reraise_ctrlc=True)


def test_the_exit_is_pytests_own(pytester: pytest.Pytester) -> None:
    """An interrupted run exits with 2, and decides on no threshold."""
    result = _run(pytester)
    assert pytest.ExitCode.INTERRUPTED == result.ret
    assert {"passed": 1} == outcomes(result)


def test_the_report_says_so(pytester: pytest.Pytester, runs: Runs) -> None:
    """What was judged is reported, what was not is not run, and both reports say why."""
    result = _run(pytester)
    assert runs.last["interrupted"]
    assert [1, 1] == [runs.suite["counts"][name] for name in ("passed", "not_run")]
    result.stdout.fnmatch_lines(["*the run was broken off*"])
    assert "broken off" in (runs.folders[0] / "report.md").read_text(encoding="utf-8")


def test_nobody_is_asked_any_more(pytester: pytest.Pytester, judge_server: JudgeServer) -> None:
    """After the interrupt no request starts: with one in flight, at most one session more."""
    _run(pytester, "--sessioneval-concurrency=1")
    assert judge_server.calls <= 6


def test_what_was_judged_is_kept(pytester: pytest.Pytester, judge_server: JudgeServer) -> None:
    """The next run asks only for what is missing."""
    _run(pytester, "--sessioneval-concurrency=1")
    pytester.runpytest("-k", "json")
    assert 6 == judge_server.calls


def test_leaving_never_waits_for_a_judge(
    pytester: pytest.Pytester, sessions: Sessions, judge_server: JudgeServer
) -> None:
    """A request that hangs does not hold up the end of an interrupted run."""
    sessions.text("recorded/0/test_first.py", "def test_first():\n    raise KeyboardInterrupt\n")
    judge_server.hold()
    result = _run(pytester)
    assert pytest.ExitCode.INTERRUPTED == result.ret


def test_pytest_exit_is_an_interrupt(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """``pytest.exit`` with a code of its own keeps that code."""
    sessions.text(
        "recorded/test_m.py", "import pytest\ndef test_m():\n    pytest.exit('bye', returncode=7)\n"
    )
    assert 7 == _run(pytester).ret
