"""Several gated axes: the worst one decides."""

from __future__ import annotations

from typing import Any

import pytest
from decision_cases import MIDDLE, WIGGLE, against, moved, overall
from gate_builders import (
    AXIS,
    VERSIONS,
    baseline,
    candidate,
    gate,
    point,
)

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import Baseline, Candidate, SessionScores
from pytest_sessioneval.gate.outcome import Decision


def two_axes(first: list[float], second: list[float], recording: str) -> tuple[SessionScores, ...]:
    """Return sessions scored on goal_completion and communication."""
    return tuple(
        SessionScores(
            key=f"session-{number:03d}",
            digest=f"{recording}-{number}",
            axes={AXIS: point(one), "communication": point(two)},
        )
        for number, (one, two) in enumerate(zip(first, second, strict=True))
    )


def decide_two(
    first: list[float], second: list[float], gated: tuple[str, ...], **settings: Any
) -> Decision:
    """Return the decision on two axes that both were 50 throughout."""
    axes = (AXIS, "communication")
    flat = [50.0] * len(first)
    before = Baseline(
        suite="airline", versions=VERSIONS, axes=axes, sessions=two_axes(flat, flat, "before")
    )
    run = Candidate(
        suite="airline", versions=VERSIONS, axes=axes, sessions=two_axes(first, second, "after")
    )
    return decide(run, {"baseline": before}, gate(axes=gated, **settings))


FALLEN = [50.0 + change - 12 for change in WIGGLE]

HELD = [50.0 + change for change in WIGGLE]


def test_overall_is_the_worst_axis() -> None:
    """One regressed axis of two regresses the suite."""
    decision = decide_two(HELD, FALLEN, (AXIS, "communication"))
    assert ("regressed", ["passed", "regressed"]) == (
        decision.status,
        [axis.status for axis in decision.axes],
    )


def test_axis_that_is_not_gated_is_only_reported() -> None:
    """Its numbers are there, its fall stops nothing."""
    decision = decide_two(HELD, FALLEN, (AXIS,))
    other = decision.axes[1]
    assert ("passed", False, None) == (decision.status, decision.blocks, other.status)
    assert other.shown is not None
    assert other.shown.overall is not None
    assert -12.625 == pytest.approx(other.shown.overall.difference)


def test_broken_session_on_an_axis_that_is_not_gated_stops_nothing() -> None:
    """The hard floor is a rule of the gate's axes."""
    decision = decide_two(HELD, [0.0, *HELD[1:]], (AXIS,))
    assert ("passed", False) == (decision.status, decision.blocks)


def test_passing_needs_no_correction_for_several_axes() -> None:
    """Each axis passes at its own level: the same p-value with one axis or two."""
    one, two = decide_two(HELD, HELD, (AXIS,)), decide_two(HELD, HELD, (AXIS, "communication"))
    assert overall(one).p_noninferior == overall(two).p_noninferior


def test_regressing_is_corrected_for_several_axes() -> None:
    """A drop at p = .04 regresses alone, and is undecided beside a second gated axis (Holm)."""
    weak = [34.0 + change for change in [27.0, -27.0] * 6]
    flat = [50.0] * 12
    alone = decide_two(weak, flat, (AXIS,), min_pairs=2, **{"break": 100})
    beside = decide_two(weak, flat, (AXIS, "communication"), min_pairs=2, **{"break": 100})
    assert 0.025 < overall(alone).p_drop < 0.05
    assert ("regressed", "inconclusive") == (alone.axes[0].status, beside.axes[0].status)
    assert 2 * overall(alone).p_drop == overall(beside).p_drop_adjusted


def test_smaller_alpha_widens_the_interval() -> None:
    """A look of a sequential plan tests at its own level."""
    run, before = candidate(moved(WIGGLE, MIDDLE)), baseline(MIDDLE)
    wide, usual = (overall(against(run, before, alpha=level)) for level in (0.001, 0.05))
    assert wide.low is not None
    assert usual.low is not None
    assert wide.low < usual.low
