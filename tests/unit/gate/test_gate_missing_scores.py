"""Scores that are missing never turn a gate green."""

from __future__ import annotations

import pytest
from decision_cases import MIDDLE, STEADY, WIGGLE, against, failing, moved, only, overall
from gate_builders import (
    Score,
    baseline,
    candidate,
    gate,
    reasons,
)

from pytest_sessioneval.gate.decision import decide


def test_broken_session_counts_in_an_incomplete_run() -> None:
    """A judge that is down elsewhere does not hide a broken session."""
    decision = against(candidate([*failing(20, STEADY)[:39], 10.0]), baseline(STEADY))
    assert ("regressed", None) == (decision.status, only(decision).overall)


def test_mean_is_not_shown_when_much_is_missing() -> None:
    """Above 5 % unjudged there is no mean: survivors are not the suite."""
    shown = only(against(candidate(failing(3, MIDDLE)), baseline(MIDDLE)))
    assert (None, None, None) == (shown.overall, shown.baseline_mean, shown.candidate_mean)
    assert 3 / 40 == shown.missing_share


def test_lost_sessions_are_missing_too() -> None:
    """Three of forty that did not turn up, and nobody knows what they would have scored."""
    shown = only(against(candidate(MIDDLE[:37]), baseline(MIDDLE)))
    assert (None, 3 / 40) == (shown.overall, shown.missing_share)


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
