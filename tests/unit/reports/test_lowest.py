"""The lowest scores are found per axis, with what the lowest expert said."""

from __future__ import annotations

from report_runs import airline_suite
from report_values import failing_result, make_run, opinion, result

from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.lowest import lowest_scores
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.verdicts.model import AxisResult, PanelScore, Scored, Unscored, Verdict
from pytest_sessioneval.verdicts.run import SessionResult


def _session(name: str, *scores: int, axis: str = "goal_completion") -> SessionResult:
    """Return a session that each of so many experts gave one of the scores."""
    said = [Scored(score=score, comment=f"said {score}") for score in scores]
    panel: AxisResult = PanelScore(score=sum(scores) / len(scores), count=len(scores))
    verdict = Verdict(
        session_id=name,
        digest="d",
        axes={axis: panel},
        opinions=tuple(
            opinion(name, f"expert {place}", {axis: one}) for place, one in enumerate(said)
        ),
    )
    return result(name, verdict)


def _suite(*results: SessionResult) -> SuiteReport:
    return build_report(make_run(airline_suite(*results))).suites[0]


def _keys(suite: SuiteReport, axis: str = "goal_completion", most: int = 3) -> list[str]:
    return [low.session.key for low in lowest_scores(suite, most).get(axis, ())]


def test_the_lowest_come_first() -> None:
    """As many as asked for."""
    scores = {"a": 80, "b": 60, "c": 70, "d": 90}
    suite = _suite(*(_session(name, score) for name, score in scores.items()))
    assert ["b", "c", "a"] == _keys(suite)


def test_equals_stand_in_order_of_collection() -> None:
    """Equal runs give equal reports."""
    assert ["b", "a", "c"] == _keys(_suite(*(_session(name, 70) for name in "bac")))


def test_full_marks_are_no_low_scores() -> None:
    """A suite that is all 100 has none."""
    assert {} == lowest_scores(_suite(_session("a", 100), _session("b", 100)), 3)


def test_low_effort_is_not_bad() -> None:
    """Complexity describes."""
    assert {} == lowest_scores(_suite(_session("a", 10, axis="task_complexity")), 3)


def test_a_failure_is_told_elsewhere() -> None:
    """A session that missed the threshold of the axis has a section of its own."""
    suite = _suite(failing_result(), _session("a", 90))
    assert ["a"] == _keys(suite)


def test_an_axis_without_a_score_is_no_low_score() -> None:
    """Nor is a session without a verdict."""
    gone = Unscored(reason="failed", detail="x")
    verdict = Verdict(session_id="a", digest="d", axes={"goal_completion": gone})
    assert {} == lowest_scores(_suite(result("a", verdict), result("b", None, state="error")), 3)


def test_the_lowest_expert_is_heard() -> None:
    """Who scored lowest says why."""
    (low,) = lowest_scores(_suite(_session("a", 80, 20, 60)), 1)["goal_completion"]
    assert ("expert 1", "said 20") == (low.who, low.said.comment)
