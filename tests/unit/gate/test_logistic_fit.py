"""Ridge logistic regression: held against the conditions of its maximum and a closed form."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from pytest_sessioneval.gate.fitting.logistic import Logistic, fit_logistic

RIDGE = 2.0


def cases(count: int, columns: int, seed: int) -> tuple[list[list[float]], list[float]]:
    """Return random rows, and labels that lean on the first column."""
    chance = random.Random(seed)  # noqa: S311
    rows = [[chance.gauss(3, 2) for _ in range(columns)] for _ in range(count)]
    labels = [float(chance.random() < 1 / (1 + math.exp(3 - row[0]))) for row in rows]
    return rows, labels


def deviations(fit: Logistic, row: Sequence[float]) -> list[float]:
    """Return the row in standard deviations, cut to three."""
    return [
        max(-3.0, min(3.0, (value - mean) / scale))
        for value, mean, scale in zip(row, fit.means, fit.scales, strict=True)
    ]


def slopes(
    fit: Logistic, rows: Sequence[Sequence[float]], labels: Sequence[float], ridge: float
) -> list[float]:
    """Return the slope of the penalised log likelihood in intercept and weights."""
    found = [0.0, *(-ridge * weight for weight in fit.weights)]
    for row, label in zip(rows, labels, strict=True):
        at = [1.0, *deviations(fit, row)]
        odds = math.fsum(w * x for w, x in zip([fit.intercept, *fit.weights], at, strict=True))
        missing = label - 1 / (1 + math.exp(-odds))
        found = [slope + missing * x for slope, x in zip(found, at, strict=True)]
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_fit_is_the_maximum(seed: int) -> None:
    """The penalised likelihood is concave: where no slope is left, that is its only maximum."""
    rows, labels = cases(80, 4, seed)
    fit = fit_logistic(rows, labels, ridge=RIDGE)
    assert [0.0] * 5 == pytest.approx(slopes(fit, rows, labels, RIDGE), abs=1e-7)


def test_without_a_penalty_a_yes_or_no_column_weighs_its_log_odds_ratio() -> None:
    """Of 40 without it 10 succeed, of 60 with it 45: the ratio of the odds is 9."""
    rows = [[0.0]] * 40 + [[1.0]] * 60
    labels = [1.0] * 10 + [0.0] * 30 + [1.0] * 45 + [0.0] * 15
    fit = fit_logistic(rows, labels, ridge=1e-9)
    assert math.log(9) == pytest.approx(fit.weights[0] / fit.scales[0], abs=1e-6)


def test_labels_that_a_column_tells_apart_leave_finite_weights() -> None:
    """Without a penalty they would grow for ever."""
    fit = fit_logistic([[float(n)] for n in range(20)], [0.0] * 10 + [1.0] * 10, ridge=1.0)
    assert 1 < fit.weights[0] < 5


def test_a_column_that_never_varies_weighs_nothing() -> None:
    """And divides by nothing."""
    rows, labels = cases(40, 1, 1)
    fit = fit_logistic([[*row, 7.0] for row in rows], labels, ridge=RIDGE)
    assert 1.0 == fit.scales[1]
    assert pytest.approx(0.0, abs=1e-12) == fit.weights[1]


def test_a_stronger_penalty_holds_weights_closer_to_zero() -> None:
    """It is what few labels need."""
    rows, labels = cases(60, 3, 2)
    sizes = [sum(w * w for w in fit_logistic(rows, labels, ridge=r).weights) for r in (0.1, 1, 10)]
    assert sorted(sizes, reverse=True) == sizes


def test_what_lies_beyond_three_deviations_counts_as_three() -> None:
    """A session ten times as long as any that was labelled is no ten times clearer case."""
    import numpy as np

    rows, labels = cases(60, 1, 3)
    fit = fit_logistic(rows, labels, ridge=RIDGE)
    far, farther = fit.log_odds(np.asarray([[30.0], [3000.0]]))
    assert far == farther


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_labels_of_one_kind_are_refused(label: float) -> None:
    """Nothing can be told apart."""
    with pytest.raises(ValueError, match="both kinds"):
        fit_logistic([[1.0], [2.0]], [label, label], ridge=1.0)
