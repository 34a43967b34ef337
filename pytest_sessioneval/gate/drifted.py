"""What canaries change about a decision: who moved, and whether anything vouches for that."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_sessioneval.gate.canaries import CanaryCheck
from pytest_sessioneval.gate.outcome import AxisDecision
from pytest_sessioneval.gate.rules import worst

__all__ = ["unchecked_canaries", "with_drift"]


def unchecked_canaries(canaries: Sequence[CanaryCheck], current: str) -> bool:
    """Return whether canaries that there should be vouch for nothing.

    ``current`` names the baseline of today: an anchor may be older than the
    canaries, and only counts what it shares. Where nobody was asked about any,
    that is said and stops nothing.
    """
    return any(
        check.state != "not_asked" and not check.whole
        for check in canaries
        if check.baseline == current
    )


def with_drift(axis: AxisDecision, canaries: Sequence[CanaryCheck]) -> AxisDecision:
    """Return the axis; not comparable with the baselines since which its judge moved."""
    moved = {check.baseline for check in canaries if axis.axis in check.moved}
    if not axis.gated or not moved:
        return axis
    comparisons = tuple(
        one.model_copy(
            update={"status": "not_comparable", "blocks": True, "reasons": ("judge_moved",)}
        )
        if one.baseline in moved
        else one
        for one in axis.comparisons
    )
    return axis.model_copy(
        update={
            "status": worst(one.status for one in comparisons if one.status is not None),
            "blocks": True,
            "improved": False,
            "comparisons": comparisons,
        }
    )
