"""Intervals: by resampling whole sessions, and of shares."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from pytest_sessioneval.gate.distributions import normal_quantile
from pytest_sessioneval.gate.statistics import ALPHA

__all__ = ["RESAMPLES", "bootstrap_interval", "wilson"]

RESAMPLES = 1_000
"""How often a sample is drawn again."""

_SEED = 20_261_121
_UNDEFINED = 0.1
"""The share of resamples without a value beyond which there is no interval."""

Row = TypeVar("Row")


def bootstrap_interval(
    rows: Sequence[Row],
    statistic: Callable[[Sequence[Row]], float | None],
    *,
    clusters: Sequence[Hashable] | None = None,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> tuple[float, float] | None:
    """Return the percentile interval of a statistic, each limit at one-sided ``alpha``.

    One row per session; sessions are drawn again with replacement, or whole
    clusters where several share a task (one label per row). The same rows give
    the same interval: the generator is seeded by nothing else. None with a
    single session or cluster, and where the statistic is undefined on more than
    one resample in ten. Percentile intervals are somewhat narrow below thirty
    sessions (Efron & Tibshirani 1993, ch. 13).
    """
    groups: dict[Hashable, list[Row]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(number if clusters is None else clusters[number], []).append(row)
    units = list(groups.values())
    if len(units) < 2:  # noqa: PLR2004 -- one cannot differ from itself
        return None
    chance = random.Random(_SEED)  # noqa: S311 -- no secret rests on it
    values = []
    for _ in range(resamples):
        drawn = chance.choices(units, k=len(units))
        value = statistic([row for unit in drawn for row in unit])
        if value is not None:
            values.append(value)
    if len(values) < (1 - _UNDEFINED) * resamples:
        return None
    values.sort()
    return _quantile(values, alpha), _quantile(values, 1 - alpha)


def wilson(successes: int, trials: int, alpha: float = ALPHA) -> tuple[float, float]:
    """Return Wilson's score interval of a share, each limit at one-sided ``alpha`` (Wilson 1927).

    Nearer to its level than Clopper–Pearson's, which never undercovers.
    """
    if not trials:
        return 0.0, 1.0
    z = normal_quantile(1 - alpha)
    share, square = successes / trials, z * z / trials
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _quantile(ordered: Sequence[float], p: float) -> float:
    """Return the quantile, linear between its neighbours."""
    at = p * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
