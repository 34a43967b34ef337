"""PPI++ against the reference values, by hand, and in a simulation of a judge that flatters."""

import math
import random

import pytest

from pytest_sessioneval.gate.correction import (
    Corrected,
    Labelled,
    Unlabelled,
    corrected_estimate,
)
from pytest_sessioneval.gate.statistics import interval, mean_estimate, p_noninferior

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


def _passes(chance: random.Random, *, drop: float) -> tuple[bool, bool]:
    """Return whether judge alone and correction pass at a margin of 5; the judge flatters by 5."""
    pairs = []
    for _ in range(300):
        human = chance.gauss(-drop, 12)
        pairs.append((human, human + 5 + chance.gauss(0, 9)))
    labelled = [Labelled(h, j, n) for n, (h, j) in enumerate(pairs[:40])]
    rest = [Unlabelled(j, 40 + n) for n, (_, j) in enumerate(pairs[40:])]
    found = corrected_estimate(labelled, rest)
    assert found is not None
    alone = mean_estimate([j for _, j in pairs])
    return p_noninferior(alone, 5) < 0.05, p_noninferior(found.estimate, 5) < 0.05


def test_a_judge_that_flatters_fools_the_raw_gate_and_not_the_corrected_one() -> None:
    """METHOD §2.4: the judge alone passes a true drop of 5 in 99 %, the correction in about 5 %."""
    chance = random.Random(7)  # noqa: S311 - a simulation
    runs = [_passes(chance, drop=5) for _ in range(400)]
    assert 0.99 <= sum(raw for raw, _ in runs) / 400
    # 5 % of 400: within four standard errors
    assert 0.01 < sum(fixed for _, fixed in runs) / 400 < 0.094


def test_the_correction_sees_that_nothing_changed_more_often_than_labels_alone() -> None:
    """Power is what the judge's many scores are for."""
    chance = random.Random(11)  # noqa: S311 - a simulation
    fixed = sum(_passes(chance, drop=0)[1] for _ in range(200))
    chance = random.Random(11)  # noqa: S311 - a simulation
    people = 0
    for _ in range(200):
        values = [chance.gauss(0, 12) for _ in range(40)]
        people += p_noninferior(mean_estimate(values), 5) < 0.05
    assert people + 10 < fixed
