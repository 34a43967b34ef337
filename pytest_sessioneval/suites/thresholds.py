"""Which thresholds were missed: pure comparisons, the same for a session and for a mean."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.model import Thresholds

__all__ = ["ROUNDING", "Shortfall", "below_mean", "below_session"]

ROUNDING = 1e-9
"""Points that binary arithmetic may lose in a mean; less than this below is not below."""


class Shortfall(Frozen):
    """One threshold that a session, or a mean, did not reach."""

    axis: str
    """The axis."""
    score: float
    """What was scored, 0–100."""
    threshold: float
    """What was asked for, 0–100."""


def below_session(thresholds: Thresholds, scores: Mapping[str, float]) -> tuple[Shortfall, ...]:
    """Return every per-session threshold that one session's scores miss, in their order.

    ``scores`` holds the scored axes, 0–100. Scores are compared as they are, not
    as they are printed: 69.96 misses 70, and 70 meets it. An axis without a
    score is not here; whether that fails the session is another question.
    """
    return _below(thresholds.session, scores)


def below_mean(thresholds: Thresholds, means: Mapping[str, float]) -> tuple[Shortfall, ...]:
    """Return every threshold on means that the suite's means miss; see ``below_session``."""
    return _below(thresholds.mean, means)


def _below(least: Mapping[str, float], scores: Mapping[str, float]) -> tuple[Shortfall, ...]:
    return tuple(
        Shortfall(axis=axis, score=scores[axis], threshold=threshold)
        for axis, threshold in least.items()
        if axis in scores and scores[axis] < threshold - ROUNDING
    )
