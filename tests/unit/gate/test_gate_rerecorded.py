"""Sessions recorded anew must pass alone, and against the anchor as well."""

from __future__ import annotations

from decision_cases import MIDDLE, OTHER_RUBRIC, STEADY, WIGGLE, against, only, overall
from gate_builders import (
    baseline,
    candidate,
)

from pytest_sessioneval.gate.model import Baseline, Candidate


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


def test_all_but_one_rerecorded_are_tested_alone() -> None:
    """A single unchanged session is none of them."""
    changed = only(against(*rerecorded(99, 0))).changed_only
    assert changed is not None
    assert 99 == changed.pairs


def test_better_than_the_baseline_alone_is_no_improvement() -> None:
    """Where the anchor was as good: both must be surpassed."""
    run = candidate([50.0 + 8 + change for change in WIGGLE])
    anchor = baseline([58.0] * 40)
    assert against(run, baseline(MIDDLE)).axes[0].improved
    decision = against(run, baseline(MIDDLE), anchor)
    assert ("passed", False) == (decision.status, decision.axes[0].improved)


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


def test_anchor_is_compared_with_all_that_the_run_has() -> None:
    """Also with sessions that the newer baseline does not have."""
    decision = against(candidate(MIDDLE), baseline(MIDDLE[:38]), baseline(MIDDLE))
    rolling, anchor = decision.baselines
    assert (38, 40, ()) == (rolling.pairs, anchor.pairs, anchor.retired)


def test_anchor_of_another_rubric_is_not_comparable() -> None:
    """The anchor must be re-scored when the rubric changes: it cannot be passed over."""
    anchor = baseline(STEADY, versions=OTHER_RUBRIC)
    decision = against(candidate(MIDDLE), baseline(MIDDLE), anchor)
    assert ("not_comparable", True) == (decision.status, decision.blocks)
    assert ["passed", "not_comparable"] == [one.status for one in decision.axes[0].comparisons]
