"""pytest's own ways of choosing items: ``-k``, ``-m``, ``--lf``, ``-x`` and the others."""

from __future__ import annotations

import re

import pytest
from plugin_runs import Runs, Sessions, outcomes

from pytest_sessioneval.testing import JudgeServer

_MEAN = "[thresholds.mean]\ntool_usage_quality = 10\n"


@pytest.fixture
def _five(sessions: Sessions) -> None:
    """Five sessions, of which b and d miss their threshold, and an ordinary test."""
    sessions.suite("[thresholds.session]\ntool_usage_quality = 60\n", "recorded")
    for name, mark in zip("abcde", (80, 40, 80, 40, 80), strict=True):
        sessions.marked(f"recorded/{name}.json", mark)
    sessions.text("test_ordinary.py", "def test_ordinary():\n    pass\n")


def _ran(result: pytest.RunResult) -> list[str]:
    """Return the names of the sessions that were run, as ``-v`` printed them."""
    lines = (re.match(r"recorded/(\w+)\.json (PASSED|FAILED|ERROR)", s) for s in result.outlines)
    return [line.group(1) for line in lines if line]


pytestmark = pytest.mark.usefixtures("_five", "marking_judge")


def test_k_chooses_by_name(pytester: pytest.Pytester) -> None:
    """``-k`` looks at a session's file name."""
    assert ["a", "c"] == _ran(pytester.runpytest("-v", "-k", "a.json or c.json"))


def test_k_chooses_by_key(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """``-k`` looks at a session's key, which here is its place in the suite."""
    sessions.marked("recorded/deep/f.json", 80)
    result = pytester.runpytest("-k", "deep/f")
    assert {"passed": 2, "deselected": 6} == outcomes(result)


def test_m_chooses_the_sessions(pytester: pytest.Pytester) -> None:
    """Every session carries the marker ``sessioneval``."""
    result = pytester.runpytest("-v", "-m", "sessioneval")
    assert ["a", "b", "c", "d", "e"] == _ran(result)
    assert 1 == outcomes(result)["deselected"]


def test_m_not_leaves_the_tests(pytester: pytest.Pytester) -> None:
    """``-m "not sessioneval"`` runs what is left, judges nothing and gates nothing."""
    result = pytester.runpytest("-m", "not sessioneval")
    assert {"passed": 1, "deselected": 5} == outcomes(result)
    assert pytest.ExitCode.OK == result.ret


def test_m_not_asks_nobody(pytester: pytest.Pytester, judge_server: JudgeServer) -> None:
    """A run without sessions asks no judge."""
    pytester.runpytest("-m", "not sessioneval")
    assert 0 == judge_server.calls


def test_only_the_selected_are_judged(pytester: pytest.Pytester, judge_server: JudgeServer) -> None:
    """What was deselected costs nothing: three experts, one session."""
    pytester.runpytest("-k", "a.json")
    assert 3 == judge_server.calls


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-k", "a.json"), "-k"),
        (("-m", "sessioneval", "--deselect", "recorded/b.json"), "-m --deselect"),
        (("recorded/a.json",), "paths"),
    ],
    ids=["k", "m", "path"],
)
def test_a_partial_run_says_so(
    pytester: pytest.Pytester, runs: Runs, arguments: tuple[str, ...], told: str
) -> None:
    """The report names what left sessions out."""
    result = pytester.runpytest(*arguments)
    assert runs.last["partial"].endswith(f"were left out ({told})")
    result.stdout.fnmatch_lines(["*only a part was run: *"])


def test_deselect_leaves_one_out(pytester: pytest.Pytester) -> None:
    """``--deselect`` takes a session's node id."""
    result = pytester.runpytest("-v", "--deselect", "recorded/b.json")
    assert ["a", "c", "d", "e"] == _ran(result)


def test_lf_runs_what_failed(pytester: pytest.Pytester) -> None:
    """``--lf`` after a run runs the sessions that failed, and only them."""
    pytester.runpytest()
    assert ["b", "d"] == _ran(pytester.runpytest("-v", "--lf"))


def test_lf_runs_all_when_nothing_failed(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Once the sessions pass, ``--lf`` runs all again."""
    pytester.runpytest()
    sessions.suite(_MEAN, "recorded")
    pytester.runpytest("--lf")
    assert {"passed": 7} == outcomes(pytester.runpytest("--lf"))


def test_lf_with_a_failed_mean_runs_the_suite(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """A mean that was too low is nobody's own failure: ``--lf`` then runs everything."""
    sessions.suite("[thresholds.mean]\ntool_usage_quality = 70\n", "recorded")
    assert {"passed": 6, "failed": 1} == outcomes(pytester.runpytest())
    assert {"passed": 6, "failed": 1} == outcomes(pytester.runpytest("--lf"))


def test_ff_runs_what_failed_first(pytester: pytest.Pytester) -> None:
    """``--ff`` runs all, what failed before first."""
    pytester.runpytest()
    assert ["b", "d"] == _ran(pytester.runpytest("-v", "--ff"))[:2]


def test_sw_stops_and_goes_on(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """``--sw`` stops at the first failure and begins there the next time."""
    assert ["a", "b"] == _ran(pytester.runpytest("-v", "--sw"))
    sessions.marked("recorded/b.json", 80)
    assert ["b", "c", "d"] == _ran(pytester.runpytest("-v", "--sw"))


def test_x_stops_at_the_first(pytester: pytest.Pytester, runs: Runs) -> None:
    """``-x`` ends the run; what was left out is not run, and the suite is not decided on."""
    result = pytester.runpytest("-v", "-x")
    assert ["a", "b"] == _ran(result)
    assert {"passed": 1, "failed": 1} == outcomes(result)
    assert 3 == runs.suite["counts"]["not_run"]


def test_maxfail_counts(pytester: pytest.Pytester) -> None:
    """``--maxfail=2`` ends the run with the second."""
    assert ["a", "b", "c", "d"] == _ran(pytester.runpytest("-v", "--maxfail=2"))


def test_x_asks_no_more_than_the_window(
    pytester: pytest.Pytester, judge_server: JudgeServer
) -> None:
    """After the first failure at most ``concurrency`` more calls are made."""
    pytester.runpytest("-x", "--sessioneval-concurrency=1")
    assert judge_server.calls <= 2 * 3 + 1


def test_collect_only_shows_the_tree(pytester: pytest.Pytester) -> None:
    """``--co`` lists sessions below their folder."""
    result = pytester.runpytest("--co")
    result.stdout.fnmatch_lines(
        ["*<SuiteDirectory recorded>", "*<SessionItem a.json>", "*<SessionItem e.json>"]
    )


@pytest.mark.parametrize("arguments", [("--co",), ("--co", "-q")])
def test_collect_only_asks_nobody(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs, arguments: tuple[str, ...]
) -> None:
    """``--co`` judges nothing and reports nothing."""
    result = pytester.runpytest(*arguments)
    assert pytest.ExitCode.OK == result.ret
    assert 0 == judge_server.calls
    assert [] == runs.folders


def test_everything_deselected_is_no_success(pytester: pytest.Pytester, runs: Runs) -> None:
    """A ``-k`` that leaves nothing is pytest's own exit 5."""
    result = pytester.runpytest("-k", "nobody")
    assert pytest.ExitCode.NO_TESTS_COLLECTED == result.ret
    assert not runs.last["interrupted"]
