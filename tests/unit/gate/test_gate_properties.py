"""What holds of every decision, whatever the scores."""

from __future__ import annotations

from typing import Any

from gate_builders import AXIS, Score, baseline, candidate, gate
from hypothesis import HealthCheck, given, settings, strategies as st

from pytest_sessioneval.gate.baseline import baseline_text, parse_baseline
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.gate.rules import SEVERITY
from pytest_sessioneval.gate.statistics import (
    distribution_free_lower,
    interval,
    mean_estimate,
    p_noninferior,
)
from pytest_sessioneval.verdicts.model import UnscoredReason

Pairs = list[tuple[float, float]]

middle = st.integers(min_value=4, max_value=16).map(lambda level: level * 5.0)
"""Scores 20 to 80, so that a shift by up to 20 stays on the scale."""
pairs = st.lists(st.tuples(middle, middle), min_size=2, max_size=45)
UNJUDGED: list[UnscoredReason] = ["failed", "declined", "skipped"]
reason = st.sampled_from(UNJUDGED)
quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def decided(before: list[Score], after: list[Score], **changes: Any) -> Decision:
    """Return the decision on one axis."""
    return decide(candidate(after), {"baseline": baseline(before)}, gate(**changes))


def split(scored: Pairs) -> tuple[list[Score], list[Score]]:
    """Return the two sides of scored pairs."""
    return [before for before, _ in scored], [after for _, after in scored]


def severity(decision: Decision) -> tuple[int, bool]:
    """Return how bad a decision is; larger is worse."""
    return SEVERITY.index(decision.status), decision.blocks


@quick
@given(pairs, st.data())
def test_survivors_cannot_improve_the_decision(scored: Pairs, data: st.DataObject) -> None:
    """Whichever sessions the judge fails on, the run does not pass for it."""
    before, after = split(scored)
    keys = st.sets(st.integers(0, len(scored) - 1), min_size=1)
    for position in data.draw(keys):
        after[position] = data.draw(reason)
    decision = decided(before, after, on_inconclusive="pass")
    assert decision.blocks
    assert decision.status in {"incomplete", "regressed"}


@quick
@given(pairs, st.data())
def test_lost_sessions_cannot_improve_the_decision(scored: Pairs, data: st.DataObject) -> None:
    """Whichever sessions do not turn up, the run does not pass for it."""
    before, after = split(scored)
    kept = data.draw(st.integers(0, len(scored) - 1))
    decision = decided(before, after[:kept], on_inconclusive="pass")
    assert decision.blocks
    assert decision.status in {"incomplete", "regressed"}


@quick
@given(pairs, st.floats(min_value=0.5, max_value=20))
def test_higher_scores_are_never_worse(scored: Pairs, rise: float) -> None:
    """Adding the same points to every session of the run does not worsen the decision."""
    before, after = split(scored)
    risen: list[Score] = [score + rise for score in after if not isinstance(score, str)]
    assert severity(decided(before, risen)) <= severity(decided(before, after))


@quick
@given(pairs, st.integers(min_value=-20, max_value=20))
def test_adding_a_constant_to_both_sides_changes_nothing(scored: Pairs, shift: int) -> None:
    """Only differences count."""
    before, after = split(scored)
    shifted = [
        [score + shift for score in side if not isinstance(score, str)] for side in (before, after)
    ]
    first, second = decided(before, after), decided(list(shifted[0]), list(shifted[1]))
    assert severity(first) == severity(second)


@quick
@given(pairs, st.randoms(use_true_random=False))
def test_order_of_sessions_changes_nothing(scored: Pairs, random: Any) -> None:
    """A decision does not depend on the order in which sessions arrive."""
    before, after = split(scored)
    run, against = candidate(after), baseline(before)
    shuffled = list(run.sessions)
    random.shuffle(shuffled)
    again = run.model_copy(update={"sessions": tuple(shuffled)})
    sides = {"baseline": against}
    assert decide(run, sides, gate()) == decide(again, sides, gate())


@quick
@given(pairs)
def test_passing_means_the_interval_clears_the_margin(scored: Pairs) -> None:
    """A passed axis has its lower limit above the margin and enough pairs."""
    decision = decided(*split(scored))
    shown = decision.axes[0].shown
    if decision.status == "passed":
        assert shown is not None
        assert shown.overall is not None
        assert shown.overall.low is not None
        assert shown.overall.low > -5 - 1e-9
        assert shown.overall.units >= 20


@quick
@given(pairs)
def test_strict_never_passes_what_the_default_does_not(scored: Pairs) -> None:
    """Strict only adds a condition."""
    strict, usual = decided(*split(scored), strict=True), decided(*split(scored))
    assert SEVERITY.index(usual.status) <= SEVERITY.index(strict.status)


@quick
@given(pairs)
def test_a_larger_margin_is_never_harder(scored: Pairs) -> None:
    """Tolerating more does not worsen the status."""
    statuses = [
        SEVERITY.index(decided(*split(scored), margins={AXIS: margin}).status) for margin in (3, 9)
    ]
    assert statuses[1] <= statuses[0]


@quick
@given(st.lists(st.integers(-20, 20).map(lambda n: n * 5.0), min_size=2, max_size=40))
def test_limit_and_p_value_agree(differences: list[float]) -> None:
    """The lower limit clears the margin exactly when the p-value is below alpha."""
    estimate = mean_estimate(differences)
    low, _ = interval(estimate)
    if abs(low + 5) > 1e-6:
        assert (low > -5) == (p_noninferior(estimate, 5) < 0.05)


@quick
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=25))
def test_free_bound_lies_between_floor_and_mean(values: list[float]) -> None:
    """The distribution-free bound is no lower than possible and no higher than observed."""
    bound = distribution_free_lower(values, -100)
    assert -100 <= bound <= sum(values) / len(values) + 1e-6


@quick
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=25), st.floats(0, 50))
def test_free_bound_does_not_fall_when_values_rise(values: list[float], rise: float) -> None:
    """Better values have no worse bound."""
    bounds = [
        distribution_free_lower(side, -100) for side in (values, [one + rise for one in values])
    ]
    assert bounds[0] <= bounds[1] + 1e-6


@quick
@given(pairs, st.integers(min_value=1, max_value=5))
def test_copies_within_a_task_are_no_evidence(scored: Pairs, copies: int) -> None:
    """Judging the same task's sessions again and again does not count as more tasks."""
    before, after = split(scored[:6])

    def task(number: int) -> str:
        return f"task-{number % len(before)}"

    run = candidate(after * copies, cluster=task)
    sides = {"baseline": baseline(before * copies, cluster=task)}
    assert "passed" != decide(run, sides, gate()).status


@quick
@given(
    st.lists(
        st.one_of(
            st.floats(0, 100), st.sampled_from(["not_applicable", "unverified", "unsupported"])
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_baseline_reads_back(scores: list[Score]) -> None:
    """Writing and reading a baseline loses nothing."""
    blessed = baseline(scores)
    assert blessed == parse_baseline(baseline_text(blessed))
