"""How each session's item ended, from its verdict alone."""

from __future__ import annotations

from typing import Literal

from pytest_sessioneval.gate.sequential import ReachedLook
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.suites.thresholds import below_session
from pytest_sessioneval.verdicts.model import NOT_ANSWERED, Unscored, Verdict
from pytest_sessioneval.verdicts.run import SessionResult

__all__ = ["left_out_result", "not_run_result", "result_of"]

_NOT_PROVEN = {"unverified", "tampered"}


def left_out_result(
    suite: Suite,
    session: SuiteSession,
    reached: ReachedLook,
    *,
    nodeid: str = "",
    status: Literal["evaluated", "pending", "stale"] = "pending",
) -> SessionResult:
    """Return how a session ended whose suite was decided before its turn: nobody was asked."""
    judged, planned = reached.plan.looks[reached.look].sessions, len(reached.plan.order)
    detail = f"the gate had decided after {judged} of {planned} sessions"
    skipped = Unscored(reason="skipped", detail=detail)
    verdict = Verdict(
        session_id=session.session_id,
        digest=session.summary.digest,
        axes=dict.fromkeys(suite.rubric.axis_names, skipped),
    )
    return SessionResult(
        session=session, nodeid=nodeid, state="skipped", verdict=verdict, status=status
    )


def result_of(
    suite: Suite,
    session: SuiteSession,
    verdict: Verdict,
    *,
    nodeid: str = "",
    status: Literal["evaluated", "pending", "stale"] = "pending",
) -> SessionResult:
    """Return how a judged session ended.

    Green means judged: an axis that failed, was declined or skipped makes the
    session *not scored* whether or not there is a threshold; one whose evidence
    did not check out does where the axis has a threshold; one that does not
    apply, or that this judge cannot score, never does by itself.
    """
    thresholds = suite.settings.thresholds
    asked = {*thresholds.session, *thresholds.mean}
    if suite.settings.gate is not None:
        asked |= set(suite.settings.gate.axes)
    shortfalls = below_session(thresholds, verdict.scores)
    not_scored = tuple(
        f"{name}: {axis.reason} ({axis.detail})" if axis.detail else f"{name}: {axis.reason}"
        for name, axis in verdict.axes.items()
        if isinstance(axis, Unscored)
        and (axis.reason in NOT_ANSWERED or (axis.reason in _NOT_PROVEN and name in asked))
    )
    state: Literal["passed", "below_threshold", "not_scored"] = "passed"
    if shortfalls:
        state = "below_threshold"
    elif not_scored:
        state = "not_scored"
    return SessionResult(
        session=session,
        nodeid=nodeid,
        state=state,
        verdict=verdict,
        shortfalls=shortfalls,
        not_scored=not_scored,
        status=status,
    )


def not_run_result(
    session: SuiteSession, *, nodeid: str, status: Literal["evaluated", "pending", "stale"]
) -> SessionResult:
    """Return that a session of the plan did not run, whatever is known of its verdict."""
    return SessionResult(session=session, nodeid=nodeid, state="not_run", status=status)
