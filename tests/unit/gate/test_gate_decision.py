"""What the gate decides: every row of the design's table, and what may not turn it green."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from gate_builders import (
    AXIS,
    VERSIONS,
    WORKED,
    Score,
    baseline,
    candidate,
    gate,
    point,
    reasons,
)

from pytest_sessioneval.errors import BaselineError, SuiteError
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import AxisScore, Baseline, Candidate, SessionScores
from pytest_sessioneval.gate.outcome import Comparison, Decision, MeanTest
from pytest_sessioneval.gate.rules import Status

STEADY: list[Score] = [80.0, 60.0, 100.0, 70.0, 90.0] * 8
"""Forty sessions of a baseline."""

WIGGLE = [0.0, 5.0, -5.0, 10.0, -10.0, 0.0, 0.0, -5.0] * 5
"""Differences that average -0.6 and are small enough to rule out a drop of 5."""

COARSE = [0.0, 20.0, -20.0, 30.0, -30.0, 0.0, 0.0, -5.0] * 5
"""Differences that average -0.6 and are too large to rule out a drop of 5."""


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
OTHER_RUBRIC = VERSIONS.model_copy(update={"rubric": "agent@2#cc"})
OTHER_JUDGE = VERSIONS.model_copy(update={"judge": "openai:x@1#dd"})
OTHER_SCORING = VERSIONS.model_copy(update={"scoring": "2"})


def reread(run: Candidate) -> Candidate:
    """Return the run as another version of its reader gave it."""
    sessions = [session.model_copy(update={"reader": "native@2"}) for session in run.sessions]
    return run.model_copy(update={"sessions": tuple(sessions)})


def failing(count: int, scores: list[Score]) -> list[Score]:
    """Return the scores with the judge failing on the first of them."""
    return reasons("failed", count) + scores[count:]


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


def test_broken_session_counts_in_an_incomplete_run() -> None:
    """A judge that is down elsewhere does not hide a broken session."""
    decision = against(candidate([*failing(20, STEADY)[:39], 10.0]), baseline(STEADY))
    assert ("regressed", None) == (decision.status, only(decision).overall)


def test_mean_is_not_shown_when_much_is_missing() -> None:
    """Above 5 % unjudged there is no mean: survivors are not the suite."""
    shown = only(against(candidate(failing(3, MIDDLE)), baseline(MIDDLE)))
    assert (None, None, None) == (shown.overall, shown.baseline_mean, shown.candidate_mean)
    assert 3 / 40 == shown.missing_share


def test_mean_is_shown_when_little_is_missing() -> None:
    """At 5 % unjudged the numbers stand, and the run is incomplete all the same."""
    decision = against(candidate(failing(2, MIDDLE)), baseline(MIDDLE))
    assert ("incomplete", 38) == (decision.status, overall(decision).pairs)


def test_judge_down_on_the_worst_does_not_improve() -> None:
    """The case that raised a peer's average from .667 to .900: the worst one fails to be judged."""
    worse = [50.0 - 20 * (number < 2) for number in range(40)]
    seen = against(candidate(list(worse)), baseline(MIDDLE))
    hidden = against(candidate(failing(2, list(worse))), baseline(MIDDLE))
    assert ("passed", "incomplete", True) == (seen.status, hidden.status, hidden.blocks)


def test_lost_sessions_are_named() -> None:
    """Whoever reads the decision knows which sessions did not turn up."""
    decision = against(candidate(MIDDLE[:38]), baseline(MIDDLE))
    assert ("session-038", "session-039") == decision.baselines[0].lost


def test_added_sessions_change_no_number() -> None:
    """New sessions have nothing to be compared with."""
    run = moved(WIGGLE, MIDDLE)
    tests = [overall(against(candidate(s), baseline(MIDDLE))) for s in (run, [*run, 0.0, 0.0])]
    assert tests[0] == tests[1]


def test_added_session_that_nobody_judged_makes_the_run_incomplete() -> None:
    """Green must mean judged."""
    assert "incomplete" == against(candidate([*MIDDLE, "failed"]), baseline(MIDDLE)).status


def test_null_axis_alone_is_no_failure() -> None:
    """Sessions without a score on both sides drop out of the axis."""
    scores: list[Score] = MIDDLE[:36] + reasons("not_applicable", 4)
    decision = against(candidate(scores), baseline(scores))
    assert ("passed", 36, 4) == (
        decision.status,
        overall(decision).pairs,
        only(decision).nulls.both,
    )


def test_winning_by_nulls_is_not_possible() -> None:
    """Six sessions that lose their score are more than chance: inconclusive, and it blocks."""
    run = candidate(reasons("not_applicable", 6) + MIDDLE[6:])
    decision = against(run, baseline(MIDDLE))
    assert ("inconclusive", True, ("nulls_moved",)) == (
        decision.status,
        decision.blocks,
        only(decision).reasons,
    )


def test_worst_case_of_nulls_is_told() -> None:
    """Had the five that lost a score of 50 scored 0, the mean change would be -6.25."""
    run = candidate(reasons("not_applicable", 5) + MIDDLE[5:])
    decision = against(run, baseline(MIDDLE))
    assert ("passed", -6.25) == (decision.status, only(decision).nulls.worst_difference)


def test_much_unverified_is_incomplete() -> None:
    """More than a tenth without verified evidence cannot be gated, even when it always was."""
    scores: list[Score] = reasons("unverified", 5) + MIDDLE[5:]
    decision = against(candidate(scores), baseline(scores))
    assert ("incomplete", ("unverified",)) == (decision.status, only(decision).reasons)


@pytest.mark.parametrize(("limit", "status"), [(20, "passed"), (11, "incomplete")])
def test_how_much_may_be_unverified_is_a_setting(limit: float, status: str) -> None:
    """Five of forty are 12.5 %."""
    scores: list[Score] = reasons("unverified", 5) + MIDDLE[5:]
    rules = gate(max_unverified=limit)
    assert status == decide(candidate(scores), {"baseline": baseline(scores)}, rules).status


def test_unverified_sessions_that_are_new_count_too() -> None:
    """They are of the run, whether or not the baseline knows them."""
    run = candidate([*MIDDLE, *reasons("unverified", 5)])
    decision = against(run, baseline(MIDDLE))
    assert ("incomplete", ("unverified",)) == (decision.status, only(decision).reasons)


def test_unverified_sessions_of_two_groups_count() -> None:
    """Unpaired as paired."""
    scores: list[Score] = reasons("unverified", 5) + MIDDLE[5:]
    rules = gate()
    decision = decide(candidate(scores), {"baseline": baseline(MIDDLE)}, rules, unpaired=True)
    assert "incomplete" == decision.status


def test_little_unverified_is_a_null() -> None:
    """Up to a tenth drops out of the axis."""
    scores: list[Score] = reasons("unverified", 4) + MIDDLE[4:]
    assert "passed" == against(candidate(scores), baseline(scores)).status


def rerecorded(count: int, drop: float, size: int = 100) -> tuple[Candidate, Baseline]:
    """Return a run of which the first ``count`` transcripts are new and fell, and its baseline."""
    before = baseline([50.0] * size)
    fell = candidate([50.0 - drop + (number % 2) for number in range(count)]).sessions
    run = candidate([]).model_copy(update={"sessions": (*fell, *before.sessions[count:])})
    return run, before


def test_ten_rerecorded_of_a_hundred_that_got_worse() -> None:
    """Ninety identical files do not vouch for ten that fell by twelve points."""
    decision = against(*rerecorded(10, 12))
    assert ("regressed", True, ("changed_regressed",)) == (
        decision.status,
        decision.blocks,
        only(decision).reasons,
    )
    assert "passed" == overall(decision).status


def test_rerecorded_pairs_must_pass_alone() -> None:
    """Ten that did not fall are too few to pass alone; it is told, and stops nothing."""
    decision = against(*rerecorded(10, 0))
    assert ("inconclusive", False, ("changed_undecided",)) == (
        decision.status,
        decision.blocks,
        only(decision).reasons,
    )


def test_enough_rerecorded_pairs_pass_alone() -> None:
    """Thirty that did not fall pass, like the whole."""
    assert "passed" == against(*rerecorded(30, 0)).status


def test_nothing_rerecorded_passes() -> None:
    """Verdicts on identical files are identical: there is nothing to find."""
    decision = against(*rerecorded(0, 0))
    assert ("passed", 0) == (decision.status, only(decision).changed)


def test_everything_rerecorded_is_tested_once() -> None:
    """Where every transcript is new, the changed pairs are all pairs."""
    assert None is only(against(*rerecorded(100, 0))).changed_only


def test_anchor_and_baseline_must_both_pass() -> None:
    """Slow decay that each step hides from the rolling baseline is seen by the anchor."""
    run = candidate([50.0 - 4] * 40)
    rolling, anchor = baseline(MIDDLE), baseline([52.0] * 40)
    decision = against(run, rolling, anchor)
    assert ("passed", "regressed", True) == (
        against(run, rolling).status,
        decision.status,
        decision.blocks,
    )
    assert ["baseline", "anchor"] == [one.baseline for one in decision.axes[0].comparisons]


def test_anchor_equal_to_the_baseline_counts_once() -> None:
    """The same scores under two names are one test."""
    decision = against(candidate(MIDDLE), baseline(MIDDLE), baseline(MIDDLE))
    assert 1 == len(decision.axes[0].comparisons)


def test_anchor_does_not_miss_what_the_baseline_retired() -> None:
    """A session that a reviewed baseline gave up is not lost to the anchor for ever."""
    decision = against(candidate(MIDDLE[:38]), baseline(MIDDLE[:38]), baseline(STEADY))
    use = decision.baselines[1]
    assert (("session-038", "session-039"), ()) == (use.retired, use.lost)


def test_anchor_of_another_rubric_is_not_comparable() -> None:
    """The anchor must be re-scored when the rubric changes: it cannot be passed over."""
    anchor = baseline(STEADY, versions=OTHER_RUBRIC)
    decision = against(candidate(MIDDLE), baseline(MIDDLE), anchor)
    assert ("not_comparable", True) == (decision.status, decision.blocks)
    assert ["passed", "not_comparable"] == [one.status for one in decision.axes[0].comparisons]


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


def test_new_ids_under_the_same_keys_pair() -> None:
    """Sessions pair by key: a re-recorded suite has new ids and digests throughout."""
    decision = against(candidate(MIDDLE, recording="again"), baseline(MIDDLE))
    assert ("passed", 40, 40) == (
        decision.status,
        decision.baselines[0].pairs,
        decision.baselines[0].changed,
    )


def test_unpaired_runs_are_compared_by_welch() -> None:
    """Runs of different sessions have no pairs, and no lost sessions either."""
    before = baseline(STEADY)
    renamed = tuple(
        session.model_copy(update={"key": f"other-{session.key}"})
        for session in candidate(STEADY).sessions
    )
    run = candidate([]).model_copy(update={"sessions": renamed})
    decision = decide(run, {"baseline": before}, gate(), unpaired=True)
    assert ("welch", (), 40) == (
        only(decision).method,
        decision.baselines[0].lost,
        overall(decision).units,
    )


def test_unpaired_run_that_was_not_judged_is_incomplete() -> None:
    """Different sessions, same rule: green must mean judged."""
    run = candidate(failing(1, MIDDLE))
    decision = decide(run, {"baseline": baseline(MIDDLE)}, gate(), unpaired=True)
    assert "incomplete" == decision.status


def test_unpaired_run_without_any_score_is_inconclusive() -> None:
    """Nothing on one side is nothing to compare, and no crash."""
    run = candidate(reasons("not_applicable", 40))
    decision = decide(run, {"baseline": baseline(MIDDLE)}, gate(), unpaired=True)
    assert ("inconclusive", ("nothing_paired",)) == (decision.status, only(decision).reasons)


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
