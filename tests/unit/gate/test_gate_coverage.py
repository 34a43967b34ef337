"""What judges were shown on either side: a difference is told, for scores may come from it."""

from __future__ import annotations

import pytest
from gate_builders import baseline, candidate

from pytest_sessioneval.gate.baseline import baseline_text, parse_baseline
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import Baseline, Candidate
from pytest_sessioneval.gate.notes import notes
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.suites.model import GateSettings

SCORES = [50.0, 60.0, 70.0] * 10


def _before(share: float) -> Baseline:
    made = baseline(SCORES)
    seen = tuple(one.model_copy(update={"coverage": share}) for one in made.sessions)
    return made.model_copy(update={"sessions": seen})


def _after(share: float) -> Candidate:
    made = candidate(SCORES)
    seen = tuple(one.model_copy(update={"coverage": share}) for one in made.sessions)
    return made.model_copy(update={"sessions": seen})


def _decision(before: float, after: float) -> Decision:
    settings = GateSettings(axes=("goal_completion",))
    return decide(_after(after), {"baseline": _before(before)}, settings)


def _told(decision: Decision) -> list[str]:
    return [note for note in notes(decision) if "were shown" in note]


@pytest.mark.parametrize(("before", "after"), [(1.0, 0.94), (0.5, 0.6)])
def test_more_than_five_points_of_difference_are_told(before: float, after: float) -> None:
    """In either direction, with both shares; the decision stays what the scores say."""
    decision = _decision(before, after)
    (note,) = _told(decision)
    assert f"{after:.0%} of these sessions" in note
    assert f"{before:.0%} of those of the baseline" in note
    assert "passed" == decision.status


@pytest.mark.parametrize(("before", "after"), [(1.0, 1.0), (1.0, 0.96), (0.5, 0.54)])
def test_a_small_difference_is_not_told(before: float, after: float) -> None:
    """Five points or less say nothing."""
    assert [] == _told(_decision(before, after))


def test_a_baseline_keeps_what_was_shown() -> None:
    """Only where it was not everything, so that other lines stay as they are."""
    assert 0.25 == parse_baseline(baseline_text(_before(0.25))).sessions[0].coverage
    assert "coverage" not in baseline_text(_before(1.0))
