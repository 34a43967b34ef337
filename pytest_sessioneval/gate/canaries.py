"""Canaries: frozen sessions, judged again in each run, that tell the judge from the agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.drift import AxisDrift, judge_drift
from pytest_sessioneval.gate.model import AxisScore, NoScore, SessionScores
from pytest_sessioneval.gate.pairing import UNJUDGED

__all__ = ["CanaryCheck", "check_canaries"]


class CanaryCheck(Frozen):
    """What the canaries say of the judge, since one baseline's scores were made."""

    baseline: str
    """Which baseline: ``baseline`` or ``anchor``."""
    state: Literal["checked", "not_asked", "no_scores"]
    """``not_asked``: nobody was asked about them in this run. ``no_scores``: the baseline holds
    none of theirs."""
    canaries: int = 0
    """Canaries that the baseline and the run share, their transcripts unchanged."""
    lost: tuple[str, ...] = ()
    """Keys only the baseline has."""
    changed: tuple[str, ...] = ()
    """Keys whose transcript is another one: they are frozen no more."""
    unjudged: tuple[str, ...] = ()
    """Keys that nobody judged in this run."""
    added: tuple[str, ...] = ()
    """Keys only the run has."""
    drifts: tuple[AxisDrift, ...] = ()
    """One per axis, the gated ones first; empty: not checked."""

    @property
    def moved(self) -> tuple[str, ...]:
        """The axes on which the judge moved."""
        return tuple(drift.axis for drift in self.drifts if drift.status == "moved")

    @property
    def whole(self) -> bool:
        """Whether every canary of the baseline was judged again as it was."""
        return self.state == "checked" and not (self.lost or self.changed or self.unjudged)


def check_canaries(
    baseline: str,
    then: Sequence[SessionScores],
    now: Sequence[SessionScores],
    axes: Sequence[str],
) -> CanaryCheck:
    """Return whether the judge moved on any of the axes between two judgements of the canaries.

    ``then`` are the baseline's, ``now`` the run's; those count whose transcripts
    are the same. METHOD §1.8: see ``judge_drift``.
    """
    if not then:
        return CanaryCheck(baseline=baseline, state="no_scores")
    if not now:
        return CanaryCheck(baseline=baseline, state="not_asked")
    before = {session.key: session for session in then}
    after = {session.key: session for session in now}
    shared = sorted(before.keys() & after.keys())
    same = [key for key in shared if before[key].digest == after[key].digest]
    return CanaryCheck(
        baseline=baseline,
        state="checked",
        canaries=len(same),
        lost=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(key for key in shared if key not in same),
        unjudged=tuple(key for key in same if _unjudged(after[key])),
        added=tuple(sorted(after.keys() - before.keys())),
        drifts=tuple(
            judge_drift(
                axis,
                _scores([before[key] for key in same], axis),
                _scores([after[key] for key in same], axis),
            )
            for axis in axes
        ),
    )


def _unjudged(session: SessionScores) -> bool:
    points = session.axes.values()
    return any(isinstance(point, NoScore) and point.unscored in UNJUDGED for point in points)


def _scores(sessions: Sequence[SessionScores], axis: str) -> dict[str, float]:
    points = {session.key: session.axes.get(axis) for session in sessions}
    return {key: point.score for key, point in points.items() if isinstance(point, AxisScore)}
