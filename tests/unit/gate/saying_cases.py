"""Decisions that the tests of its words share."""

from __future__ import annotations

from typing import Any

from gate_builders import Score, baseline, candidate, gate

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.gate.saying import notes

__all__ = ["FORTY", "WIGGLE", "decided", "noted", "shifted"]

FORTY: list[Score] = [50.0] * 40

WIGGLE = [0.0, 5.0, -5.0, 10.0, -10.0, 0.0, 0.0, -5.0] * 5


def decided(after: list[Score], before: list[Score] | None = None, **changes: Any) -> Decision:
    """Return the decision on one axis that was 50 throughout."""
    side = baseline(FORTY if before is None else before)
    return decide(candidate(after), {"baseline": side}, gate(**changes))


def shifted(by: float) -> list[Score]:
    """Return forty scores that vary a little around 50 plus the shift."""
    return [50.0 + change + by for change in WIGGLE]


def noted(decision: Decision) -> str:
    """Return the notes as one text."""
    return "\n".join(notes(decision))
