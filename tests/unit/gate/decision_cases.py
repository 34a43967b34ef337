"""Runs and baselines that the tests of the decision share."""

from __future__ import annotations

from typing import Any

from gate_builders import (
    VERSIONS,
    Score,
    gate,
    reasons,
)

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import Baseline, Candidate
from pytest_sessioneval.gate.outcome import Comparison, Decision, MeanTest

__all__ = [
    "MIDDLE",
    "OTHER_RUBRIC",
    "STEADY",
    "WIGGLE",
    "against",
    "failing",
    "moved",
    "only",
    "overall",
]

STEADY: list[Score] = [80.0, 60.0, 100.0, 70.0, 90.0] * 8
"""Forty sessions of a baseline."""

WIGGLE = [0.0, 5.0, -5.0, 10.0, -10.0, 0.0, 0.0, -5.0] * 5
"""Differences that average -0.6 and are small enough to rule out a drop of 5."""


def moved(by: list[float], scores: list[Score] | None = None) -> list[Score]:
    """Return the scores with these differences added."""
    base = STEADY if scores is None else scores
    shifted: list[Score] = []
    for score, change in zip(base, by, strict=True):
        assert not isinstance(score, str)
        shifted.append(score + change)
    return shifted


MIDDLE: list[Score] = [50.0] * 40
"""Forty sessions with room to rise and fall."""

OTHER_RUBRIC = VERSIONS.model_copy(update={"rubric": "agent@2#cc"})


def failing(count: int, scores: list[Score]) -> list[Score]:
    """Return the scores with the judge failing on the first of them."""
    return reasons("failed", count) + scores[count:]


def against(run: Candidate, *sides: Baseline, alpha: float = 0.05, **settings: Any) -> Decision:
    """Return the decision against a baseline and, where given, an anchor."""
    names = ("baseline", "anchor")
    return decide(run, dict(zip(names, sides, strict=False)), gate(**settings), alpha=alpha)


def only(decision: Decision) -> Comparison:
    """Return the one gated axis's first comparison."""
    shown = decision.axes[0].shown
    assert shown is not None
    return shown


def overall(decision: Decision) -> MeanTest:
    """Return the test on all pairs of the one gated axis."""
    test = only(decision).overall
    assert test is not None
    return test
