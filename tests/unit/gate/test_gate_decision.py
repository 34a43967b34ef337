"""What the gate decides: every row of the design's table, its settings, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from decision_cases import (
    MIDDLE,
    OTHER_RUBRIC,
    STEADY,
    WIGGLE,
    against,
    failing,
    moved,
    only,
    overall,
)
from gate_builders import (
    AXIS,
    VERSIONS,
    WORKED,
    Score,
    baseline,
    candidate,
    gate,
    reasons,
)

from pytest_sessioneval.errors import BaselineError, SuiteError
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import AxisScore, Baseline, Candidate, SessionScores
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.gate.rules import Status

COARSE = [0.0, 20.0, -20.0, 30.0, -30.0, 0.0, 0.0, -5.0] * 5
"""Differences that average -0.6 and are too large to rule out a drop of 5."""


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    run: Candidate
    status: Status
    blocks: bool
    against: Mapping[str, Baseline] = field(default_factory=lambda: {"baseline": baseline(MIDDLE)})
    settings: Mapping[str, Any] = field(default_factory=dict)
    required: bool = False


TWELVE = baseline(MIDDLE[:12])

OTHER_JUDGE = VERSIONS.model_copy(update={"judge": "openai:x@1#dd"})

OTHER_SCORING = VERSIONS.model_copy(update={"scoring": "2"})


def reread(run: Candidate) -> Candidate:
    """Return the run as another version of its reader gave it."""
    sessions = [session.model_copy(update={"reader": "native@2"}) for session in run.sessions]
    return run.model_copy(update={"sessions": tuple(sessions)})


TABLE = {
    "every axis non-inferior": Row(candidate(moved(WIGGLE, MIDDLE)), "passed", False),
    "an axis regressed": Row(
        candidate(moved([change - 12 for change in WIGGLE], MIDDLE)), "regressed", True
    ),
    "a session fell by more than break": Row(
        candidate([5.0, *moved(WIGGLE[1:], MIDDLE[1:])]), "regressed", True
    ),
    "a session fell by exactly break": Row(
        candidate([10.0, *moved(WIGGLE[1:], MIDDLE[1:])]), "passed", False
    ),
    "straddles, configured to fail": Row(
        candidate(moved(COARSE, MIDDLE)), "inconclusive", True, settings={"on_inconclusive": "fail"}
    ),
    "straddles, auto, unpowered, no observed drop": Row(
        candidate(moved(COARSE, MIDDLE)), "inconclusive", False
    ),
    "straddles, auto, powered": Row(
        candidate(moved([change - 4 for change in WIGGLE], MIDDLE)), "inconclusive", True
    ),
    "straddles, auto, observed drop reaches the margin": Row(
        candidate(moved([change - 6 for change in COARSE[:8]], MIDDLE[:8])),
        "inconclusive",
        True,
        against={"baseline": baseline(MIDDLE[:8])},
    ),
    "straddles, configured to pass": Row(
        candidate(moved([change - 4 for change in WIGGLE], MIDDLE)),
        "inconclusive",
        False,
        settings={"on_inconclusive": "pass"},
    ),
    "too few pairs, auto": Row(
        candidate(MIDDLE[:12]), "inconclusive", False, against={"baseline": TWELVE}
    ),
    "sessions of the baseline lost": Row(candidate(MIDDLE[:39]), "incomplete", True),
    "a session not scored": Row(candidate(failing(1, MIDDLE)), "incomplete", True),
    "judge down for all": Row(candidate(failing(40, MIDDLE)), "incomplete", True),
    "budget spent": Row(candidate([*MIDDLE[:39], "skipped"]), "incomplete", True),
    "judge declined": Row(candidate([*MIDDLE[:39], "declined"]), "incomplete", True),
    "every score null": Row(candidate(reasons("not_applicable", 40)), "incomplete", True),
    "a file could not be read": Row(candidate(MIDDLE, unreadable=1), "incomplete", True),
    "nothing selected but a file that could not be read": Row(
        candidate([], partial="-k nothing", left_out=None, unreadable=1), "incomplete", True
    ),
    "sessions added": Row(candidate([*MIDDLE, 10.0, 20.0]), "passed", False),
    "rubric changed": Row(candidate(MIDDLE, versions=OTHER_RUBRIC), "not_comparable", True),
    "judge changed": Row(candidate(MIDDLE, versions=OTHER_JUDGE), "not_comparable", True),
    "scoring version changed": Row(
        candidate(MIDDLE, versions=OTHER_SCORING), "not_comparable", True
    ),
    "reader changed": Row(reread(candidate(MIDDLE)), "not_comparable", True),
    "baseline missing": Row(candidate(MIDDLE), "no_baseline", True, against={}),
    "baseline missing, configured to pass": Row(
        candidate(MIDDLE),
        "no_baseline",
        False,
        against={},
        settings={"on_missing_baseline": "pass"},
    ),
    "baseline missing, gate required": Row(
        candidate(MIDDLE),
        "no_baseline",
        True,
        against={},
        settings={"on_missing_baseline": "pass"},
        required=True,
    ),
    "partial selection": Row(
        candidate(
            moved(WIGGLE, MIDDLE)[:24],
            partial="-k task",
            left_out=frozenset(f"session-{number:03d}" for number in range(24, 40)),
        ),
        "passed",
        False,
    ),
    "partial selection by path": Row(
        candidate(moved(WIGGLE, MIDDLE)[:24], partial="a path", left_out=None), "passed", False
    ),
    "partial selection, worse": Row(
        candidate(
            moved([change - 12 for change in WIGGLE], MIDDLE)[:24], partial="--lf", left_out=None
        ),
        "regressed",
        True,
    ),
    "partial selection that lost one besides": Row(
        candidate(
            MIDDLE[:23],
            partial="-k task",
            left_out=frozenset(f"session-{number:03d}" for number in range(24, 40)),
        ),
        "incomplete",
        True,
    ),
    "whole suite deselected": Row(
        candidate([], partial="-k nothing", left_out=None), "not_run", False
    ),
    "whole suite deselected, gate required": Row(
        candidate([], partial="-k nothing", left_out=None), "not_run", True, required=True
    ),
    "nothing collected": Row(candidate([]), "incomplete", True),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_table(row: Row) -> None:
    """Each situation has its status, and stops the merge or does not."""
    decision = decide(row.run, row.against, gate(**row.settings), required=row.required)
    assert (row.status, row.blocks) == (decision.status, decision.blocks)


def worked(**settings: Any) -> Decision:
    """Return the decision on the worked example."""
    run = candidate([50 + change for change in WORKED])
    return against(run, baseline([50.0] * 10), **settings)


def test_worked_example() -> None:
    """The worked example is inconclusive with the method page's numbers."""
    test = overall(worked())
    assert ("inconclusive", 10, 10) == (worked().status, test.pairs, test.units)
    assert (-3.0, -7.3636816, 1.3636816, 0.2112858, 0.1196362) == pytest.approx(
        (test.difference, test.low, test.high, test.p_noninferior, test.p_drop), abs=1e-6
    )


def test_worked_example_says_how_many_are_missing() -> None:
    """Ten pairs of sd 7.5 need the floor of twenty: ten are missing."""
    test = overall(worked())
    assert (20, 10) == (test.units_needed, test.units_missing)


def test_worked_example_without_floor() -> None:
    """Without the floor of twenty, sd 7.5 asks for 16 pairs, by the t quantiles."""
    assert 16 == overall(worked(min_pairs=2)).units_needed


def test_powered_needs_pairs_and_a_visible_margin() -> None:
    """Twelve equal pairs see everything, and are still too few to be powered."""
    decision = against(candidate(MIDDLE[:12]), TWELVE)
    assert (0.0, False) == (overall(decision).detectable, overall(decision).powered)


def test_floor_counts_clusters() -> None:
    """Forty sessions of ten tasks are ten observations, below the floor of twenty."""

    def task(number: int) -> str:
        return f"task-{number % 10}"

    decision = against(candidate(MIDDLE, cluster=task), baseline(MIDDLE, cluster=task))
    assert ("inconclusive", ("too_few",)) == (decision.status, only(decision).reasons)
    assert (40, 10, "clustered") == (
        overall(decision).pairs,
        overall(decision).units,
        only(decision).method,
    )


def test_two_pairs_can_be_told_to_be_enough() -> None:
    """The floor is a setting."""
    decision = against(candidate([50.0, 50.0]), baseline([50.0, 50.0]), min_pairs=2)
    assert "passed" == decision.status


@pytest.mark.parametrize(
    ("drop", "status"), [(0.0, "passed"), (4.9, "passed"), (5.0, "regressed"), (9.0, "regressed")]
)
def test_equal_differences_are_decided_by_the_mean(drop: float, status: Status) -> None:
    """With no spread at all and enough pairs, the mean decides."""
    decision = against(candidate([50.0 - drop] * 40), baseline(MIDDLE))
    assert status == decision.status


def test_few_equal_drops_are_no_proof() -> None:
    """Two sessions that fall alike decide nothing, and stop the merge by what was seen."""
    decision = against(candidate([40.0, 40.0]), baseline([50.0, 50.0]))
    assert ("inconclusive", True) == (decision.status, decision.blocks)


def test_improvement_is_a_note() -> None:
    """Better than the baseline beyond chance is passed, and noted."""
    decision = against(
        candidate(moved([change + 8 for change in WIGGLE], MIDDLE)), baseline(MIDDLE)
    )
    assert ("passed", True) == (decision.status, decision.axes[0].improved)


def test_too_few_to_pass_is_no_improvement() -> None:
    """Two sessions that rise alike are not noted as an improvement."""
    decision = against(candidate([60.0, 60.0]), baseline([50.0, 50.0]))
    assert ("inconclusive", False) == (decision.status, decision.axes[0].improved)


def test_interval_stays_on_the_scale() -> None:
    """Two sessions, one up and one down by 100: no mean change can lie beyond -100 and 100."""
    test = overall(against(candidate([0.0, 100.0]), baseline([100.0, 0.0])))
    assert (-100.0, 100.0) == (test.low, test.high)


def test_duplicate_keys_are_refused() -> None:
    """A run that holds a key twice cannot be paired."""
    run = candidate(MIDDLE)
    twice = run.model_copy(update={"sessions": (*run.sessions, run.sessions[0])})
    with pytest.raises(SuiteError, match="session-000"):
        against(twice, baseline(MIDDLE))


def test_margin_of_an_axis_overrides_the_default() -> None:
    """A drop of 4 passes a margin of 8 and not one of 3."""
    run = candidate(moved([change - 4 for change in WIGGLE], MIDDLE))
    statuses = [
        against(run, baseline(MIDDLE), margins={"default": 50, AXIS: margin}).status
        for margin in (8, 3)
    ]
    assert ["passed", "regressed"] == statuses


def test_margin_of_zero_passes_what_did_not_drop() -> None:
    """No drop tolerated, and none there: no spread, no drop, passed."""
    assert "passed" == against(candidate(MIDDLE), baseline(MIDDLE), margins={"default": 0}).status


def test_strict_asks_for_more() -> None:
    """Forty equal pairs pass by the t-test, and not without assumptions: 59 are needed."""
    run, before = candidate(MIDDLE), baseline(MIDDLE)
    decision = against(run, before, strict=True)
    assert ("passed", "inconclusive") == (against(run, before).status, decision.status)
    assert (("unproven",), 59) == (only(decision).reasons, overall(decision).units_needed)


def test_strict_passes_with_enough_pairs() -> None:
    """Sixty equal pairs pass strictly."""
    scores: list[Score] = [50.0] * 60
    assert "passed" == against(candidate(scores), baseline(scores), strict=True).status


def test_break_can_be_switched_off() -> None:
    """A session cannot fall by more than 100 points."""
    run = candidate([STEADY[0], 15.0, *STEADY[2:]])
    statuses = [against(run, baseline(STEADY), **{"break": points}).status for points in (40, 100)]
    assert ["regressed", "passed"] == statuses


def test_broken_session_is_named_with_its_scores() -> None:
    """The report can say which session broke."""
    decision = against(candidate([*STEADY[:39], 10.0]), baseline(STEADY))
    fall = only(decision).broken[0]
    assert ("session-039", 90.0, 10.0) == (fall.key, fall.before, fall.after)


@pytest.mark.parametrize(("after", "risen"), [(90.0, 0), (91.0, 1)])
def test_rises_are_counted_as_falls_are(after: float, risen: int) -> None:
    """By more than ``break``, which is 40: by exactly as much is no break either way."""
    assert risen == only(against(candidate([*MIDDLE[:39], after]), baseline(MIDDLE))).risen


def noisy(before: AxisScore, after: AxisScore, index: int) -> tuple[SessionScores, SessionScores]:
    """Return one session on both sides, scored like this."""
    key = f"session-{index:03d}"
    return (
        SessionScores(key=key, digest="before", axes={AXIS: before}),
        SessionScores(key=key, digest="after", axes={AXIS: after}),
    )


def test_judge_noise_share_by_hand() -> None:
    """Noise sd 6 over 3 repeats, 1 repeat now: (36/3 + 36/1) / 40 over the squared error."""
    pairs = [
        noisy(AxisScore(score=50, repeats=3, noise=6.0), AxisScore(score=50.0 + change), index)
        for index, change in enumerate(WIGGLE)
    ]
    before = baseline([50.0]).model_copy(update={"sessions": tuple(one for one, _ in pairs)})
    run = candidate([]).model_copy(update={"sessions": tuple(other for _, other in pairs)})
    decision = against(run, before)
    mean = sum(WIGGLE) / 40
    squared_error = sum((change - mean) ** 2 for change in WIGGLE) / 39 / 40
    expected = min(1.0, (36 / 3 + 36) / 40 / squared_error)
    assert expected == pytest.approx(only(decision).judge_noise_share)


def test_judge_noise_is_unknown_without_repeats() -> None:
    """One judgement per session says nothing about the judge."""
    decision = against(candidate(moved(WIGGLE, MIDDLE)), baseline(MIDDLE))
    assert only(decision).judge_noise_share is None


def test_unseen_share_is_of_the_pairs() -> None:
    """Forty sessions may all have missed what hits 7.2 % of them."""
    assert 0.0722 == pytest.approx(
        overall(against(candidate(MIDDLE), baseline(MIDDLE))).unseen_share, abs=1e-4
    )


def test_gate_without_axes_is_refused() -> None:
    """A gate on nothing would always pass."""
    with pytest.raises(SuiteError, match=r"\[gate\] axes is empty"):
        decide(candidate(MIDDLE), {"baseline": baseline(MIDDLE)}, gate(axes=()))


def test_gate_on_an_unknown_axis_is_refused() -> None:
    """The message names the axes there are."""
    with pytest.raises(SuiteError, match="'tone' is no axis of the rubric; it has goal_completion"):
        decide(candidate(MIDDLE), {"baseline": baseline(MIDDLE)}, gate(axes=("tone",)))


def test_margin_of_an_unknown_axis_is_refused() -> None:
    """A misspelt margin would be tolerated nowhere."""
    with pytest.raises(SuiteError, match=r"\[gate.margins\]: 'goal' is no axis"):
        decide(candidate(MIDDLE), {"baseline": baseline(MIDDLE)}, gate(margins={"goal": 3}))


def test_baseline_without_the_gated_axis_is_refused() -> None:
    """The same rubric and judge, and the axis was never scored: a usage error."""
    with pytest.raises(BaselineError, match="the baseline: no session has a score"):
        decide(candidate(MIDDLE), {"baseline": baseline(reasons("unsupported", 40))}, gate())


def test_decision_is_json() -> None:
    """A decision survives being written and read, infinities and all."""
    lone = against(candidate([50.0]), baseline([50.0]))
    assert lone == Decision.model_validate_json(lone.model_dump_json())
