"""How a session's item ends, from its verdict and what its suite asks."""

from __future__ import annotations

from typing import Any

import pytest
from evaluation_cases import member, small_suite

from pytest_sessioneval.evaluation.results import result_of
from pytest_sessioneval.suites.model import GateSettings, Thresholds
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.verdicts.model import PanelScore, Unscored, Verdict
from pytest_sessioneval.verdicts.run import SessionResult

REASONS = {
    "failed": "always",
    "declined": "always",
    "skipped": "always",
    "unverified": "where asked for",
    "tampered": "where asked for",
    "not_applicable": "never",
    "unsupported": "never",
}


def _result(*, asked: dict[str, Any] | None = None, detail: str = "", **axes: Any) -> SessionResult:
    """Return the result of a verdict: per axis a score or a reason there is none."""
    verdict = Verdict(
        session_id="s",
        digest="d",
        axes={
            name: Unscored.model_validate({"reason": given, "detail": detail})
            if isinstance(given, str)
            else PanelScore(score=given)
            for name, given in axes.items()
        },
    )
    return result_of(small_suite(**(asked or {})), member().session, verdict)


def test_a_judged_session_without_thresholds_passes() -> None:
    """However low the scores are."""
    assert "passed" == _result(goal=0, tone=0).state


def test_a_score_that_meets_its_threshold_passes() -> None:
    """Equal is enough."""
    asked = {"thresholds": Thresholds(session={"goal": 40})}
    assert "passed" == _result(asked=asked, goal=40).state


def test_every_axis_below_its_threshold_is_listed() -> None:
    """With what was scored and what was asked for."""
    asked = {"thresholds": Thresholds(session={"goal": 40, "tone": 60})}
    result = _result(asked=asked, goal=39.9, tone=0)
    assert "below_threshold" == result.state
    assert (
        Shortfall(axis="goal", score=39.9, threshold=40),
        Shortfall(axis="tone", score=0, threshold=60),
    ) == result.shortfalls


def test_a_threshold_on_the_mean_fails_no_session() -> None:
    """It is the suite's, not the session's."""
    assert "passed" == _result(asked={"thresholds": Thresholds(mean={"goal": 90})}, goal=0).state


ASKED: dict[str, dict[str, Any]] = {
    "session": {"thresholds": Thresholds(session={"goal": 0})},
    "mean": {"thresholds": Thresholds(mean={"goal": 0})},
    "gate": {"gate": GateSettings(axes=("goal",))},
}


@pytest.mark.parametrize("reason", REASONS)
def test_nobody_asked_for_the_axis(reason: str) -> None:
    """What nobody answered is not scored even then: green means judged."""
    expected = "not_scored" if REASONS[reason] == "always" else "passed"
    assert expected == _result(goal=reason, tone=80).state


@pytest.mark.parametrize("where", ASKED)
@pytest.mark.parametrize("reason", REASONS)
def test_somebody_asked_for_the_axis(reason: str, where: str) -> None:
    """A threshold, on sessions or means, or the gate: then unproven scores are not scored."""
    expected = "passed" if REASONS[reason] == "never" else "not_scored"
    assert expected == _result(asked=ASKED[where], goal=reason, tone=80).state


@pytest.mark.parametrize("reason", ["unverified", "tampered"])
def test_asking_for_one_axis_asks_for_no_other(reason: str) -> None:
    """An unproven axis without a threshold of its own fails nothing."""
    assert "passed" == _result(asked=ASKED["session"], goal=80, tone=reason).state


def test_not_scored_says_why() -> None:
    """A line per axis, with its reason and what happened."""
    result = _result(detail="status 503", goal="failed", tone="declined")
    assert ("goal: failed (status 503)", "tone: declined (status 503)") == result.not_scored


def test_a_reason_without_detail_stands_alone() -> None:
    """No empty brackets."""
    assert ("goal: failed",) == _result(goal="failed").not_scored


def test_below_threshold_stands_before_not_scored() -> None:
    """What is known to be bad is told first; what is missing is told as well."""
    asked = {"thresholds": Thresholds(session={"goal": 40})}
    result = _result(asked=asked, goal=0, tone="failed")
    assert ("below_threshold", ("tone: failed",)) == (result.state, result.not_scored)


def test_the_result_has_its_session_verdict_node_and_status() -> None:
    """What reports need is all there."""
    session = member().session
    verdict = Verdict(session_id="s", digest="d", axes={})
    result = result_of(small_suite(), session, verdict, nodeid="a/b.json", status="stale")
    assert (session, verdict, "a/b.json", "stale") == (
        result.session,
        result.verdict,
        result.nodeid,
        result.status,
    )
