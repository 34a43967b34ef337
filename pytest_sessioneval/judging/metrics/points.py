"""A metric's value as a score, or why there is none."""

from __future__ import annotations

from pytest_sessioneval.verdicts.model import AxisOpinion, Scored, Unscored

__all__ = ["NOTHING_COMPARED", "points"]

NOTHING_COMPARED = "there is nothing to compare: no statement, or no call, on either side"


def points(value: float | None, said: str, nothing: str) -> AxisOpinion:
    """Return a value of 0–1 as a score of 0–100; ``nothing`` says why where there is none."""
    if value is None:
        return Unscored(reason="not_applicable", detail=nothing)
    return Scored(score=round(100 * value), comment=said)
