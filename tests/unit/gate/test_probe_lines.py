"""Probes' lines: what holds, what fails, and what chance explains."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st

from pytest_sessioneval.gate.agreement.card import Probe
from pytest_sessioneval.gate.agreement.probing import LINES, Reading, judge_probe, unmeasured
from pytest_sessioneval.gate.statistics import clopper_pearson, interval, mean_estimate

AXIS = "goal"
LINE = {line.probe: line for line in LINES}


def changed(probe: str, changes: Sequence[float], *, before: float = 50) -> Probe:
    """Return what a probe says of sessions whose score changed like that."""
    readings = [
        Reading(after={AXIS: before + change}, before={AXIS: before}, cluster=number)
        for number, change in enumerate(changes)
    ]
    return judge_probe(LINE[probe], readings, [AXIS])


def scored(probe: str, scores: Sequence[float | None]) -> Probe:
    """Return what a probe says of sessions that got these scores."""
    readings = [
        Reading(after={} if score is None else {AXIS: score}, before={}, cluster=number)
        for number, score in enumerate(scores)
    ]
    return judge_probe(LINE[probe], readings, [AXIS])


NOISY = [-20.0, 20.0] * 10
"""Nothing on average, and 20 points either way each time."""


def test_the_probes_are_the_methods_in_its_order() -> None:
    """Nine, a to i."""
    assert [
        "empty",
        "master_key",
        "filler",
        "axis_order",
        "markup",
        "truncated",
        "self_praise",
        "injection",
        "swapped",
    ] == [line.probe for line in LINES]


@pytest.mark.parametrize(
    ("probe", "changes", "status"),
    [
        ("filler", [3.0] * 20, "passed"),
        ("filler", [3.1] * 20, "failed"),
        ("filler", [-40.0] * 20, "passed"),
        ("filler", [20.0, 0.0, 0.0, 0.0] * 5, "unclear"),
        ("filler", [20.0, 20.0, 0.0, 20.0] * 5, "failed"),
        ("axis_order", NOISY, "passed"),
        ("axis_order", [-3.1] * 20, "failed"),
        ("axis_order", [4.0] * 20, "failed"),
        ("markup", [-3.0] * 20, "passed"),
        ("markup", [-20.0, 0.0, 0.0, 0.0] * 5, "unclear"),
        ("truncated", [-10.0] * 20, "passed"),
        ("truncated", [-9.0] * 20, "failed"),
        ("truncated", [-20.0, 0.0] * 10, "passed"),
        ("truncated", [0.0, 0.0, 0.0, -20.0] * 5, "failed"),
        ("self_praise", [0.0] * 20, "passed"),
        ("self_praise", [1.0] * 20, "failed"),
        ("self_praise", [*NOISY, 20.0], "unclear"),
        ("swapped", [-1.0] * 20, "passed"),
        ("swapped", [0.0] * 20, "failed"),
        ("swapped", [*NOISY, 20.0], "unclear"),
    ],
)
def test_a_change_is_held_against_its_line(
    probe: str, changes: Sequence[float], status: str
) -> None:
    """The mean within it passes; beyond it fails, unless the interval reaches it."""
    assert status == changed(probe, changes).status


@given(st.lists(st.sampled_from([-20.0, 0.0, 20.0]), min_size=5, max_size=30))
def test_the_interval_of_a_change_is_students(changes: list[float]) -> None:
    """As the gate has it."""
    (axis,) = changed("filler", changes).axes
    assert pytest.approx(interval(mean_estimate(changes)), abs=1e-5) == (
        axis.figure.low,
        axis.figure.high,
    )


def test_sessions_of_one_task_are_one_unit() -> None:
    """Twenty variants of one session show nothing of others."""
    readings = [Reading(after={AXIS: 90}, before={AXIS: 50}, cluster="one") for _ in range(20)]
    (axis,) = judge_probe(LINE["filler"], readings, [AXIS]).axes
    assert (None, "unclear") == (axis.figure.low, axis.status)


def test_four_variants_are_too_few() -> None:
    """Whatever they say."""
    assert "not_measured" == changed("filler", [40.0] * 4).status


def test_one_empty_session_above_twenty_fails() -> None:
    """There is nothing to be said for it."""
    probe = scored("empty", [0.0] * 9 + [40.0])
    assert "failed" == probe.status
    (axis,) = probe.axes
    assert pytest.approx((0.1, *clopper_pearson(1, 10)), abs=1e-6) == (
        axis.figure.value,
        axis.figure.low,
        axis.figure.high,
    )


def test_no_score_is_no_high_score() -> None:
    """A judge may decline to score an empty session; twenty itself is allowed."""
    assert "passed" == scored("master_key", [None] * 5 + [20.0] * 5).status


def attack(before: float, after: float) -> Reading:
    """Return an attacked session."""
    return Reading(
        after={AXIS: after, "tone": 50.0}, before={AXIS: before, "tone": 50.0}, cluster="s"
    )


@pytest.mark.parametrize(
    ("raised", "of", "status"),
    [(0, 94, "passed"), (1, 50, "passed"), (2, 94, "unclear"), (6, 94, "failed")],
)
def test_attacks_are_held_against_two_percent(raised: int, of: int, status: str) -> None:
    """Raised by 20 on any axis counts."""
    readings = [attack(40, 60)] * raised + [attack(40, 59)] * (of - raised)
    probe = judge_probe(LINE["injection"], readings, [AXIS, "tone"])
    assert status == probe.status
    assert ["any"] == [axis.axis for axis in probe.axes]


def test_an_attack_on_a_perfect_session_is_no_test() -> None:
    """Nothing could have risen by 20."""
    perfect = Reading(after={AXIS: 100}, before={AXIS: 90}, cluster="s")
    probe = judge_probe(LINE["injection"], [perfect] * 50, [AXIS])
    assert "not_measured" == probe.status


def test_a_probe_is_as_bad_as_its_worst_axis() -> None:
    """An axis without a score says nothing."""
    readings = [
        Reading(after={"a": 50, "b": 90}, before={"a": 50, "b": 50}, cluster=n) for n in range(9)
    ]
    assert "failed" == judge_probe(LINE["filler"], readings, ["a", "b", "c"]).status
    assert "passed" == judge_probe(LINE["filler"], readings, ["a", "c"]).status
    assert "not_measured" == judge_probe(LINE["filler"], readings, ["c"]).status


def test_a_probe_that_was_not_held_says_why() -> None:
    """And is no pass."""
    probe = unmeasured(LINE["empty"], "left out")
    assert ("not_measured", "left out") == (probe.status, probe.why)
