"""How far scores lie from labels, and whether they put sessions in the right order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

__all__ = ["auc", "correlation", "mean_absolute_error", "mean_bias", "slope"]

_PAIR = 2


def mean_bias(scores: Sequence[float], labels: Sequence[float]) -> float | None:
    """Return the mean of score minus label, in points: above 0 the judge is lenient."""
    if not scores:
        return None
    return fmean(score - label for score, label in zip(scores, labels, strict=True))


def mean_absolute_error(scores: Sequence[float], labels: Sequence[float]) -> float | None:
    """Return the mean distance of score and label, in points."""
    if not scores:
        return None
    return fmean(abs(score - label) for score, label in zip(scores, labels, strict=True))


def slope(scores: Sequence[float], labels: Sequence[float]) -> float | None:
    """Return the least-squares slope of scores on labels.

    1: a point more by the label is a point more by the judge; near 0: the judge
    hardly tells sessions apart. None where the labels are all the same.
    """
    if len(set(labels)) < _PAIR:
        return None
    mean, middle = fmean(labels), fmean(scores)
    spread = math.fsum((label - mean) ** 2 for label in labels)
    shared = math.fsum(
        (score - middle) * (label - mean) for score, label in zip(scores, labels, strict=True)
    )
    return shared / spread


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Pearson's correlation; None where one side is all the same."""
    if len(set(first)) < _PAIR or len(set(second)) < _PAIR:
        return None
    ours, theirs = slope(first, second), slope(second, first)
    if ours is None or theirs is None:
        return None
    return math.copysign(math.sqrt(min(ours * theirs, 1.0)), ours)


def auc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Return P(score of a positive > score of a negative), half of the ties counted.

    The area under the ROC curve, as the Mann–Whitney statistic: 0.5 is chance,
    below it the scores point the wrong way. None where a side is empty.
    """
    if not positive or not negative:
        return None
    ranked = sorted([(score, 1) for score in positive] + [(score, 0) for score in negative])
    wins = 0.0
    below = at = 0
    while at < len(ranked):
        end, tied = at, [0, 0]
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            tied[ranked[end][1]] += 1
            end += 1
        wins += tied[1] * (below + tied[0] / 2)
        below += tied[0]
        at = end
    return wins / (len(positive) * len(negative))
