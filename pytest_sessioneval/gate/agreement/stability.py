"""How much a judge agrees with itself, and how many votes a panel is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean, stdev

from pytest_sessioneval.gate.agreement.deviation import correlation
from pytest_sessioneval.gate.statistics import pooled_variance

__all__ = [
    "effective_votes",
    "flipped",
    "mean_correlation",
    "pooled_sd",
    "repeat_sd",
    "spread",
]

_PAIR = 2


def repeat_sd(repeats: Sequence[Sequence[float]]) -> float | None:
    """Return sigma_j: the standard deviation of repeats within sessions, pooled, in points.

    One sequence per session. None where no session was rated twice.
    """
    return pooled_sd([spread(scores) for scores in repeats if len(scores) >= _PAIR])


def spread(scores: Sequence[float]) -> tuple[float, int]:
    """Return the standard deviation of one session's repeats, and how many there are: two or more.

    Taken once a session, not once a resample: the exact arithmetic is slow.
    """
    return stdev(scores), len(scores)


def pooled_sd(spreads: Sequence[tuple[float, int]]) -> float | None:
    """Return sigma_j of sessions whose spreads are known; None without any."""
    variance = pooled_variance(spreads)
    return None if variance is None else math.sqrt(variance)


def flipped(scores: Sequence[float], line: float) -> bool:
    """Return whether a session's repeats lie on both sides of a pass line (``>=`` passes)."""
    return min(scores) < line <= max(scores)


def mean_correlation(columns: Sequence[Sequence[float]]) -> float | None:
    """Return the mean correlation over all pairs of columns, one column per rater.

    None where no pair has one, as with a single rater or raters that never vary.
    """
    pairs = [correlation(first, second) for first, second in combinations(columns, 2)]
    known = [value for value in pairs if value is not None]
    return fmean(known) if known else None


def effective_votes(count: int, correlated: float) -> float:
    """Return how many independent votes ``count`` votes are worth (Kish 1965).

    ``correlated`` is the mean correlation of their errors; below 0 it counts as
    0: no panel is worth more than its seats. 9 votes at 0.4375 are worth 2.
    """
    return count / (1 + (count - 1) * max(correlated, 0.0))
