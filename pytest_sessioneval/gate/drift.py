"""Judge drift: frozen canary sessions say whether the judge moved rather than the agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.statistics import (
    SPREADLESS,
    Estimate,
    interval,
    mean_estimate,
    p_drop,
)

__all__ = ["DRIFT_LEVEL", "DRIFT_POINTS", "FEWEST_CANARIES", "AxisDrift", "judge_drift"]

DRIFT_POINTS = 3.0
"""Smallest mean shift of the canaries, in points, that counts as drift."""

DRIFT_LEVEL = 0.01
"""Two-sided level at which the shift must be beyond chance."""

FEWEST_CANARIES = 10
"""Canaries below which a steady judge is not vouched for; 10 to 20 are meant."""


class AxisDrift(Frozen):
    """What the canaries say of one axis."""

    axis: str
    """The axis."""
    canaries: Annotated[int, Field(ge=0)]
    """Canary sessions scored both then and now."""
    status: Literal["steady", "moved", "too_few"]
    """``moved``: shifted by 3 points or more, beyond chance. ``too_few``: cannot be said."""
    shift: float | None = None
    """Mean of now minus then, in points; null: no canary."""
    low: float | None = None
    """Lower limit of the shift's 99 % interval; null: one canary."""
    high: float | None = None
    """Upper limit."""
    p_value: float | None = None
    """Two-sided p-value of the shift; null: no canary."""


def judge_drift(axis: str, then: Mapping[str, float], now: Mapping[str, float]) -> AxisDrift:
    """Return whether the judge moved on an axis.

    ``then`` and ``now`` map the keys of frozen canary sessions (the same
    transcripts, rubric and judge) to their scores, 0–100; keys on one side only
    are ignored. A paired t-test: moved when the mean shifted by 3 points or more
    at two-sided p < .01. Assumes that the transcripts have not changed.
    """
    keys = sorted(then.keys() & now.keys())
    if not keys:
        return AxisDrift(axis=axis, canaries=0, status="too_few")
    estimate = mean_estimate([now[key] - then[key] for key in keys])
    p_value = _two_sided(estimate)
    low, high = interval(estimate, DRIFT_LEVEL / 2)
    shifted = abs(estimate.mean) >= DRIFT_POINTS - SPREADLESS and p_value < DRIFT_LEVEL
    # A few equal shifts have no spread to test against: that is no evidence.
    if shifted and (len(keys) >= FEWEST_CANARIES or not estimate.spreadless):
        status: Literal["steady", "moved", "too_few"] = "moved"
    else:
        status = "too_few" if len(keys) < FEWEST_CANARIES else "steady"
    single = len(keys) == 1
    return AxisDrift(
        axis=axis,
        canaries=len(keys),
        status=status,
        shift=estimate.mean,
        low=None if single else low,
        high=None if single else high,
        p_value=p_value,
    )


def _two_sided(estimate: Estimate) -> float:
    mirrored = Estimate(-estimate.mean, estimate.se, estimate.df, estimate.units, estimate.values)
    return min(1.0, 2 * min(p_drop(estimate), p_drop(mirrored)))
