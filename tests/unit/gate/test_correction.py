"""PPI++ against the reference values and by hand."""

import math

import pytest

from pytest_sessioneval.gate.correction import (
    Corrected,
    Labelled,
    Unlabelled,
    corrected_estimate,
)
from pytest_sessioneval.gate.statistics import interval, mean_estimate

HUMAN = (-5, 0, 5, -10, 0, -20, 5, 0, -5, 0)
JUDGE = (-5, 0, 0, -5, 5, -15, 5, 5, -5, 0)
REST = (0, 5, -5, 0, 0, 10, -5, 5, 0, -10, 5, 0, 0, -5, 5, 0, 10, -5, 0, 5)


def corrected(
    human: tuple[float, ...], judge: tuple[float, ...], rest: tuple[float, ...] = ()
) -> Corrected:
    """Return the correction of independent sessions."""
    labelled = [Labelled(h, j, ("l", n)) for n, (h, j) in enumerate(zip(human, judge, strict=True))]
    found = corrected_estimate(labelled, [Unlabelled(j, ("u", n)) for n, j in enumerate(rest)])
    assert found is not None
    return found


def test_the_reference_values_of_the_method_are_met() -> None:
    """The worked example of the reference implementation, to 1e-6."""
    found = corrected(HUMAN, JUDGE, REST)
    low, high = interval(found.estimate)
    expected = (-0.9592592592592593, 1.5302917015866968, 0.9069958847736626)
    assert expected == pytest.approx(
        (found.estimate.mean, found.estimate.se, found.weight), abs=1e-6
    )
    assert (-3.764456768174348, 1.8459382496558296) == pytest.approx((low, high), abs=1e-6)
    assert 9 == found.estimate.df


def test_a_judge_that_agrees_makes_few_labels_worth_more() -> None:
    """By hand: cov 50, var 30, n/N = 1/2 give a weight of 1, and the mean is the rest's."""
    found = corrected((0, 10), (0, 10), (0, 10, 0, 4))
    assert (1.0, 3.5) == pytest.approx((found.weight, found.estimate.mean))


def test_a_judge_that_knows_nothing_is_left_out() -> None:
    """No covariance: the mean and standard error are people's alone."""
    found = corrected((10, -10, 10, -10), (5, 5, -5, -5), (50, -50, 50, -50))
    assert 0.0 == found.weight
    people = mean_estimate([10, -10, 10, -10])
    assert (people.mean, people.se) == pytest.approx((found.estimate.mean, found.estimate.se))


def test_a_judge_that_is_wrong_the_other_way_round_is_left_out() -> None:
    """A negative weight would make a gate reward disagreement."""
    assert 0.0 == corrected((10, -10, 5), (-10, 10, -5), (1, 2, 3)).weight


@pytest.mark.parametrize("rest", [(), (3,)], ids=["none", "one"])
def test_without_two_others_people_alone_count(rest: tuple[float, ...]) -> None:
    """Nothing is known of the spread of fewer than two."""
    found = corrected((1, 2, 4), (1, 2, 3), rest)
    assert (0.0, 7 / 3) == pytest.approx((found.weight, found.estimate.mean))


def test_one_label_shows_no_spread() -> None:
    """A zero-width interval would always pass."""
    found = corrected((1,), (1,), (1, 2, 3))
    assert math.isinf(found.estimate.se)
    assert (-math.inf, math.inf) == interval(found.estimate)


def test_no_label_is_no_correction() -> None:
    """Nothing to correct with."""
    assert corrected_estimate([], [Unlabelled(1, 1), Unlabelled(2, 2)]) is None


def test_labels_of_one_task_are_one_unit() -> None:
    """Twice the same sessions under the same tasks say no more than once."""
    labelled = [Labelled(h, j, n) for n, (h, j) in enumerate(zip(HUMAN, JUDGE, strict=True))]
    rest = [Unlabelled(j, 100 + n) for n, j in enumerate(REST)]
    once = corrected_estimate(labelled, rest)
    twice = corrected_estimate([*labelled, *labelled], [*rest, *rest])
    assert once is not None
    assert twice is not None
    assert once.estimate.mean == pytest.approx(twice.estimate.mean, abs=0.1)
    assert once.estimate.se == pytest.approx(twice.estimate.se, rel=0.02)
    assert (10, 9) == (twice.estimate.units, twice.estimate.df)


def test_a_task_on_both_sides_is_one_observation() -> None:
    """Its labelled and unlabelled sessions move together, and the standard error knows."""
    labelled = [Labelled(h, h, n) for n, h in enumerate((0.0, 10.0, 20.0, 30.0))]
    together = corrected_estimate(labelled, [Unlabelled(10.0 * n, n) for n in range(4)])
    apart = corrected_estimate(labelled, [Unlabelled(10.0 * n, 9 + n) for n in range(4)])
    assert together is not None
    assert apart is not None
    assert 0.5 < together.weight < 1
    # shares of one task add before they are squared: (1-w)+w = 1 of each value, not (1-w)² + w²
    values = mean_estimate([0, 10, 20, 30])
    assert values.se == pytest.approx(together.estimate.se)
    assert together.estimate.se > apart.estimate.se
