"""Missing scores are told by cause and by reason, with what can be done."""

from __future__ import annotations

from typing import get_args

import pytest
from report_runs import airline_suite, evidence_run
from report_values import make_run, opinion, result, unscored_result

from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.reports.reasons import (
    REASONS,
    Missing,
    causes,
    causes_of,
    missing_scores,
    share_of_axes,
)
from pytest_sessioneval.verdicts.model import PanelScore, Unscored, UnscoredReason, Verdict
from pytest_sessioneval.verdicts.run import SessionResult

_AXES = ("goal_completion", "tool_usage_quality")


def _suite(*results: SessionResult) -> SuiteReport:
    return build_report(make_run(airline_suite(*results))).suites[0]


def _without(name: str, **missing: Unscored) -> SessionResult:
    axes = {"task_complexity": PanelScore(score=40), **missing}
    verdict = Verdict(
        session_id=name, digest="d", axes=axes, opinions=(opinion(name, "outcome", {}),)
    )
    lines = tuple(f"{axis}: {gone.reason} ({gone.detail})" for axis, gone in missing.items())
    return result(name, verdict, state="not_scored", not_scored=lines)


def test_every_reason_is_explained() -> None:
    """Each has a meaning and something to do, and none is merged with another."""
    assert set(get_args(UnscoredReason)) == set(REASONS)


# -- causes --------------------------------------------------------------------------


def test_axes_with_one_cause_are_told_together() -> None:
    """The cause once, not once per axis."""
    unscored = unscored_result()
    assert {"failed: HTTP 503 after 4 tries": _AXES} == (
        causes_of(unscored.verdict, unscored.not_scored)
    )


def test_a_line_about_no_axis_is_a_cause() -> None:
    """Where no verdict was reached there is only the line."""
    assert {"the file changed: it is gone": ()} == causes_of(None, ["the file changed: it is gone"])


def test_the_most_frequent_cause_comes_first() -> None:
    """With the sessions it is about, in the order of collection."""
    found = causes(
        _suite(
            *(unscored_result(f"t{n}", "failed", "rare" if n == 0 else "often") for n in (0, 1, 2))
        )
    )
    assert [("failed: often", ["t1", "t2"]), ("failed: rare", ["t0"])] == [
        (cause.text, [session.key for session, _ in cause.sessions]) for cause in found
    ]


def test_reasons_are_never_merged() -> None:
    """The same words of two reasons are two causes."""
    reasons: tuple[UnscoredReason, ...] = ("failed", "declined")
    found = causes(_suite(*(unscored_result(reason, reason, "no") for reason in reasons)))
    assert ["failed: no", "declined: no"] == [cause.text for cause in found]


@pytest.mark.parametrize(
    ("one", "other", "number"),
    [
        ("HTTP 500 (request req_011aF3)", "HTTP 500 (request req_011aF4)", 2),
        ("HTTP 500 (request req_011CQ8mDkXz)", "HTTP 500 (request req_011CR9nElYa)", 1),
        ("HTTP 500", "HTTP 503", 2),
    ],
)
def test_causes_that_differ_in_an_identifier_are_one(one: str, other: str, number: int) -> None:
    """A request's id makes no new cause; a status does."""
    results = (unscored_result("a", "failed", one), unscored_result("b", "failed", other))
    assert number == len(causes(_suite(*results)))


def test_a_session_may_have_two_causes() -> None:
    """Each expert may fail in its own way."""
    session = _without(
        "a",
        goal_completion=Unscored(reason="failed", detail="HTTP 500"),
        tool_usage_quality=Unscored(reason="declined", detail="no"),
    )
    assert [
        ("failed: HTTP 500", ("goal_completion",)),
        ("declined: no", ("tool_usage_quality",)),
    ] == [(cause.text, cause.sessions[0][1]) for cause in causes(_suite(session))]


def test_a_cause_says_what_to_do() -> None:
    """What its reason says; nothing where there is none."""
    broken = result("b", None, state="not_scored", not_scored=("the file is gone",))
    found = causes(_suite(unscored_result(), broken))
    assert [REASONS["failed"][1], ""] == [cause.remedy for cause in found]


def test_what_broke_is_no_cause() -> None:
    """An internal error has its own place."""
    assert () == causes(_suite(result("a", None, state="error", not_scored=("boom",))))


def test_axes_are_named_where_others_have_scores() -> None:
    """Where nothing was scored their names would say nothing."""
    gone = Unscored(reason="failed", detail="x")
    some = _suite(_without("a", goal_completion=gone)).sessions[0]
    assert ("goal_completion",) == share_of_axes(some, ("goal_completion",))
    assert some.verdict is not None
    verdict = some.verdict.model_copy(update={"axes": {"goal_completion": gone}})
    none = some.model_copy(update={"verdict": verdict})
    assert () == share_of_axes(none, ("goal_completion",))


# -- by reason -----------------------------------------------------------------------


def test_what_does_not_apply_is_not_missing() -> None:
    """The fixture's sessions have no sub-agents, and nothing is to be done about it."""
    found = missing_scores(build_report(make_run(airline_suite(unscored_result()))).suites[0])
    assert [("failed", {"goal_completion": 1, "tool_usage_quality": 1})] == [
        (row.reason, row.axes) for row in found
    ]


def test_an_axis_the_judge_cannot_score_says_how_to_get_it() -> None:
    """In the judge's own words."""
    how = "write [[expect]] for the suite, or set use_outcome = true"
    assert (
        Missing("unsupported", {"goal_completion": 2}, "this judge cannot score it", how),
    ) == missing_scores(build_report(evidence_run()).suites[0])


def test_an_axis_that_some_sessions_do_not_support_says_why() -> None:
    """What the judge said most often of it."""
    said = ("no tool was called", "no tool was called", "too short")
    sessions = (
        _without(str(n), tool_usage_quality=Unscored(reason="unsupported", detail=detail))
        for n, detail in enumerate(said)
    )
    (row,) = missing_scores(_suite(*sessions))
    assert ({"tool_usage_quality": 3}, "no tool was called") == (row.axes, row.meaning)
