"""Intervals against the normal ones, published ones, and the equation they solve."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from pytest_sessioneval.gate.agreement.deviation import (
    auc,
)
from pytest_sessioneval.gate.agreement.resampling import bootstrap_interval, wilson
from pytest_sessioneval.gate.statistics import clopper_pearson


def test_the_bootstrap_gives_the_same_interval_again() -> None:
    """It is seeded by nothing but itself."""
    rows = [float(number % 7) for number in range(40)]
    first = bootstrap_interval(rows, lambda drawn: math.fsum(drawn) / len(drawn))
    assert first == bootstrap_interval(rows, lambda drawn: math.fsum(drawn) / len(drawn))


def test_the_bootstrap_of_a_mean_is_near_to_the_normal_interval() -> None:
    """Where theory knows the answer, it is found: 1.645 standard errors to each side."""
    rows = [float(number % 11) for number in range(200)]
    mean = sum(rows) / len(rows)
    reach = 1.645 * np.std(rows) / math.sqrt(len(rows))
    found = bootstrap_interval(rows, lambda drawn: sum(drawn) / len(drawn))
    assert pytest.approx((mean - reach, mean + reach), abs=0.06) == found


def test_clusters_are_drawn_as_a_whole() -> None:
    """Four copies of each session add no certainty, where they are told to be one task."""
    rows = [float(number // 4) for number in range(80)]
    tasks = [number // 4 for number in range(80)]

    def mean(drawn: Any) -> float:
        return float(sum(drawn) / len(drawn))

    alone = bootstrap_interval(rows, mean)
    together = bootstrap_interval(rows, mean, clusters=tasks)
    assert alone is not None
    assert together is not None
    assert pytest.approx(2, rel=0.15) == (together[1] - together[0]) / (alone[1] - alone[0])


def test_one_session_has_no_interval() -> None:
    """Nothing can be said of how it might have been otherwise."""
    assert bootstrap_interval([1.0], lambda drawn: drawn[0]) is None


def test_there_is_no_interval_where_most_resamples_say_nothing() -> None:
    """A single failure among successes is missing in a third of the resamples."""
    rows = [(80.0, True)] * 9 + [(20.0, False)]

    def separation(drawn: Any) -> float | None:
        return auc([s for s, good in drawn if good], [s for s, good in drawn if not good])

    assert bootstrap_interval(rows, separation) is None


@pytest.mark.parametrize(
    ("successes", "trials", "interval"),
    [(0, 10, (0.0, 0.2775)), (5, 10, (0.2366, 0.7634)), (81, 263, (0.2553, 0.3662))],
)
def test_wilsons_interval_is_as_published(
    successes: int, trials: int, interval: tuple[float, float]
) -> None:
    """Two-sided 95 %; the last is Newcombe's example (1998, table I)."""
    assert pytest.approx(interval, abs=5e-4) == wilson(successes, trials, alpha=0.025)


@given(st.integers(0, 40), st.integers(1, 40))
def test_wilsons_limits_solve_the_score_equation(successes: int, trials: int) -> None:
    """At each limit inside (0, 1) the observed share lies 1.645 standard errors away."""
    assume(0 < successes < trials)
    share = successes / trials
    for limit in wilson(successes, trials):
        error = math.sqrt(limit * (1 - limit) / trials)
        assert pytest.approx(1.6448536, abs=1e-6) == abs(share - limit) / error


def test_no_attack_of_sixty_leaves_five_percent_open() -> None:
    """The method page's example: 0 of 60 is at most 4.9 %."""
    assert pytest.approx(0.049, abs=5e-4) == clopper_pearson(0, 60)[1]
