"""Distances and order of scores and labels, against numpy and against the definitions."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from agreement_cases import level
from hypothesis import assume, given, strategies as st

from pytest_sessioneval.gate.agreement.deviation import (
    auc,
    correlation,
    mean_absolute_error,
    mean_bias,
    slope,
)

scores = st.lists(st.integers(0, 20).map(lambda value: value * 5.0), min_size=1, max_size=20)


def test_a_judge_that_adds_ten_points_is_off_by_ten() -> None:
    """Bias and distance are ten points, and the slope is that of a faithful judge."""
    labels = [10.0, 40, 70, 90]
    lenient = [label + 10 for label in labels]
    assert 10 == mean_bias(lenient, labels)
    assert 10 == mean_absolute_error(lenient, labels)
    assert pytest.approx(1) == slope(lenient, labels)


@given(st.lists(st.tuples(level, level), min_size=3, max_size=20))
def test_slope_and_correlation_are_numpys(given_pairs: list[tuple[int, int]]) -> None:
    """The least-squares line, and Pearson's r."""
    given_scores, labels = zip(*given_pairs, strict=True)
    assume(len(set(labels)) > 1)
    expected = np.polyfit(labels, given_scores, 1)[0]
    assert pytest.approx(expected, abs=1e-9) == slope(given_scores, labels)
    if len(set(given_scores)) > 1:
        expected = np.corrcoef(given_scores, labels)[0, 1]
        assert pytest.approx(expected, abs=1e-9) == correlation(given_scores, labels)


def test_nothing_follows_from_labels_that_are_all_the_same() -> None:
    """There is no line through one label."""
    assert slope([1, 2, 3], [50, 50, 50]) is None
    assert correlation([1, 2, 3], [50, 50, 50]) is None


def test_auc_is_the_references() -> None:
    """80 and 90 against 70 and 80: three and a half of four comparisons."""
    assert auc([80, 90], [70, 80]) == 0.875


@given(scores, scores)
def test_auc_is_every_comparison(positive: list[float], negative: list[float]) -> None:
    """Each positive with each negative: a win counts one, a tie a half."""
    won = sum((p > n) + (p == n) / 2 for p, n in product(positive, negative))
    assert pytest.approx(won / len(positive) / len(negative)) == auc(positive, negative)


def test_auc_needs_both_sides() -> None:
    """With nothing but successes nothing can be told apart."""
    assert auc([80, 90], []) is None
