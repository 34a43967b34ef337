"""Thresholds per session and on means: what fails, what it says, and the exit."""

from __future__ import annotations

import pytest
from plugin_runs import Runs, Sessions, outcomes, refusal

_SESSION = "[thresholds.session]\n{} = {}\n"
_MEAN = "[thresholds.mean]\n{} = {}\n"


@pytest.fixture
def _two(sessions: Sessions) -> None:
    """Write a session of 80 and one of 40 on every axis."""
    sessions.marked("recorded/high.json", 80)
    sessions.marked("recorded/low.json", 40)


pytestmark = pytest.mark.usefixtures("_two")


@pytest.mark.usefixtures("judge_server")
def test_a_session_below_fails_with_its_evidence(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """The failure has axis, score, threshold, the expert, its comment and its quote."""
    sessions.suite(_SESSION.format("tool_usage_quality", 60), "recorded")
    result = pytester.runpytest()
    assert {"passed": 2, "failed": 1} == outcomes(result)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(
        [
            "below threshold: *tool_usage_quality 40 < 60*",
            "  tools 40: as quoted",
            '    M2 (in favour): "{"status": "shipped on Monday"}"',
            "session low of suite recorded: low.json",
        ]
    )


@pytest.mark.usefixtures("marking_judge")
def test_every_axis_below_is_listed(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """One failure names all the thresholds a session missed."""
    sessions.suite(
        "[thresholds.session]\ntool_usage_quality = 60\nefficiency = 41\ncommunication = 40\n",
        "recorded",
    )
    shown = pytester.runpytest().stdout.str()
    assert "\ntool_usage_quality 40 < 60\n" in shown
    assert "\nefficiency 40 < 41\n" in shown
    assert "\ncommunication 40 <" not in shown


@pytest.mark.usefixtures("marking_judge")
def test_meeting_a_threshold_passes(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A score equal to its threshold is good enough, and so is a mean."""
    sessions.suite(_SESSION.format("efficiency", 40) + _MEAN.format("efficiency", 60), "recorded")
    result = pytester.runpytest()
    assert {"passed": 3} == outcomes(result)
    assert pytest.ExitCode.OK == result.ret


@pytest.mark.usefixtures("marking_judge")
def test_a_mean_below_fails_the_suite(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """Every session passes, and the run does not: ``SUITE::thresholds`` failed."""
    sessions.suite('[suite]\nname = "orders"\n' + _MEAN.format("efficiency", 61), "recorded")
    result = pytester.runpytest()
    assert {"passed": 2, "failed": 1} == outcomes(result)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(
        ["FAILED orders::thresholds - mean of efficiency below threshold: 60 < 61"]
    )
    assert [("efficiency", 60, 61)] == [
        (fall["axis"], fall["score"], fall["threshold"]) for fall in runs.suite["mean_shortfalls"]
    ]


@pytest.mark.usefixtures("marking_judge")
def test_a_mean_that_rounds_up_is_still_below(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """59.67 is shown with as many decimals as it takes to see that it is below 59.7."""
    sessions.marked("recorded/third.json", 59)
    sessions.suite(_MEAN.format("efficiency", 59.7), "recorded")
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["*mean of efficiency below threshold: 59.67 < 59.7*"])


@pytest.mark.usefixtures("marking_judge")
def test_each_suite_is_decided_by_itself(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """One suite's thresholds hold while another's do not."""
    sessions.suite(_MEAN.format("efficiency", 50), "recorded")
    sessions.suite(_MEAN.format("efficiency", 50), "others")
    sessions.marked("others/low.json", 20)
    result = pytester.runpytest("-v")
    result.stdout.fnmatch_lines_random(
        ["recorded::thresholds PASSED*", "others::thresholds FAILED*"]
    )


@pytest.mark.usefixtures("marking_judge")
def test_no_threshold_no_report(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A suite without thresholds adds no test of its own."""
    sessions.suite(folder="recorded")
    assert {"passed": 2} == outcomes(pytester.runpytest())


@pytest.mark.parametrize("kind", ["session", "mean"])
def test_an_axis_never_scored_is_no_success(
    pytester: pytest.Pytester, sessions: Sessions, kind: str
) -> None:
    """A threshold that no score was held against fails: no session has sub-agents here."""
    sessions.suite(f"[thresholds.{kind}]\nsubagent_orchestration = 40\n", "recorded")
    result = pytester.runpytest()
    assert {"passed": 2, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(
        ["subagent_orchestration: has a threshold, and none of 2 judged sessions has a score*"]
    )


@pytest.mark.parametrize("kind", ["session", "mean"])
def test_a_threshold_on_what_the_judge_cannot_score_is_refused(
    pytester: pytest.Pytester, sessions: Sessions, kind: str
) -> None:
    """The embedded judge does not know whether a task was solved, and says how to know."""
    sessions.suite(f"[thresholds.{kind}]\ngoal_completion = 40\n", "recorded")
    message = refusal(pytester.runpytest())
    assert f"suite recorded: [thresholds.{kind}] names goal_completion, which evidence" in message
    assert "write [[expect]] entries" in message


def test_expectations_get_it_scored(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """With written expectations the same threshold is accepted, and met."""
    sessions.suite(
        '[thresholds.session]\ngoal_completion = 40\n[[expect]]\nmust_call = ["find_order"]\n',
        "recorded",
    )
    assert {"passed": 3} == outcomes(pytester.runpytest())


def test_an_expectation_that_does_not_hold_fails(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """What must not be called and was lowers the score below its threshold."""
    sessions.suite(
        "[thresholds.session]\ngoal_completion = 40\n"
        '[[expect]]\nsession = "low.json"\nmust_not_call = ["find_order"]\n'
        '[[expect]]\nsession = "high.json"\nmust_call = ["find_order"]\n',
        "recorded",
    )
    result = pytester.runpytest("-v")
    result.stdout.fnmatch_lines(["recorded/high.json PASSED*", "recorded/low.json FAILED*"])


def test_a_threshold_on_what_describes_is_refused(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """``task_complexity`` is neither good nor bad."""
    sessions.suite(_MEAN.format("task_complexity", 40), "recorded")
    assert "'task_complexity' describes a session" in refusal(pytester.runpytest())


@pytest.mark.usefixtures("marking_judge")
def test_an_unreadable_file_leaves_the_mean_alone(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """What could not be read is an error and in no mean's number."""
    sessions.suite(_MEAN.format("efficiency", 60), "recorded")
    sessions.text("recorded/broken.json", "{")
    result = pytester.runpytest()
    assert {"passed": 3, "errors": 1} == outcomes(result)
    assert 2 == runs.mean("efficiency")["scored"]
