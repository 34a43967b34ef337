"""Agreement coefficients: Krippendorff's alpha, the kappas, intraclass correlation."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

__all__ = [
    "Intraclass",
    "Measurement",
    "accuracy",
    "cohen_kappa",
    "intraclass",
    "krippendorff_alpha",
    "nearest_level",
    "quadratic_kappa",
]

Measurement = Literal["nominal", "ordinal", "interval"]
"""What differences mean: none but same or other, ranks, or distances."""

_PAIR = 2


def krippendorff_alpha(
    units: Sequence[Sequence[float | None]], measurement: Measurement = "interval"
) -> float | None:
    """Return Krippendorff's alpha: 1 is perfect agreement, 0 is what chance gives.

    One unit per thing rated, holding each rater's value or None where one is
    missing; units with fewer than two values say nothing and are left out.
    None where no unit is left or all values are the same: there is then nothing
    to tell agreement from chance by.

    ``alpha = 1 - D_o / D_e`` with the squared difference of values (interval),
    of cumulative midpoints of the values' counts (ordinal), or 1 for any two
    different values (nominal): Krippendorff, Content Analysis (2004), ch. 11.
    """
    rated = [[value for value in unit if value is not None] for unit in units]
    rated = [unit for unit in rated if len(unit) >= _PAIR]
    if measurement == "ordinal":
        codes = _midpoints(value for unit in rated for value in unit)
        rated = [[codes[value] for value in unit] for unit in rated]
    disagreement = _different if measurement == "nominal" else _squares
    values = [value for unit in rated for value in unit]
    if len(set(values)) < _PAIR:
        return None
    expected = disagreement(values) / (len(values) - 1)
    observed = math.fsum(disagreement(unit) / (len(unit) - 1) for unit in rated)
    return 1 - observed / expected


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return Cohen's kappa of two raters' categories (Cohen 1960).

    None where both use one and the same category throughout.
    """
    if len({*first, *second}) < _PAIR:
        return None
    count, ours, theirs = len(first), Counter(first), Counter(second)
    by_chance = sum(ours[category] * theirs[category] for category in ours) / count**2
    agreed = sum(1 for a, b in zip(first, second, strict=True) if a == b) / count
    return (agreed - by_chance) / (1 - by_chance)


def accuracy(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return the share of equal pairs, 0–1; None without any."""
    if not first:
        return None
    return sum(1 for a, b in zip(first, second, strict=True) if a == b) / len(first)


def quadratic_kappa(
    first: Sequence[float], second: Sequence[float], levels: Sequence[float]
) -> float | None:
    """Return the kappa of two raters with quadratic weights over ordered levels (Cohen 1968).

    Values count as the nearest of ``levels`` (sorted), and levels as equally far
    apart. None where nothing varies.
    """
    ours = [nearest_level(value, levels) for value in first]
    theirs = [nearest_level(value, levels) for value in second]
    if len({*ours, *theirs}) < _PAIR:
        return None
    count = len(ours)
    observed = math.fsum((a - b) ** 2 for a, b in zip(ours, theirs, strict=True)) / count
    # Over all pairs of one rater's level with the other's: E(a - b)² by its moments.
    expected = _moment(ours, 2) - 2 * _moment(ours, 1) * _moment(theirs, 1) + _moment(theirs, 2)
    return 1 - observed / expected


def nearest_level(value: float, levels: Sequence[float]) -> int:
    """Return the position of the level nearest to a value; the higher of two equally near."""
    at = bisect_left(levels, value)
    if at == 0:
        return 0
    if at == len(levels):
        return at - 1
    return at if levels[at] - value <= value - levels[at - 1] else at - 1


@dataclass(frozen=True, slots=True)
class Intraclass:
    """Intraclass correlations, two-way random effects, absolute agreement (Shrout–Fleiss 1979)."""

    single: float
    """ICC(2,1): of one rater."""
    average: float | None
    """ICC(2,k): of the mean over the raters; None where its denominator vanishes."""


def intraclass(ratings: Sequence[Sequence[float]]) -> Intraclass | None:
    """Return ICC(2,1) and ICC(2,k); a row per thing rated, a column per rater, none missing.

    Assumes that raters are a sample of raters. None with fewer than two rows or
    columns, or where nothing varies.
    """
    rows = len(ratings)
    columns = len(ratings[0]) if rows else 0
    if min(rows, columns) < _PAIR or len({value for row in ratings for value in row}) < _PAIR:
        return None
    by_row = [fmean(row) for row in ratings]
    by_column = [fmean(column) for column in zip(*ratings, strict=True)]
    mean = fmean(by_row)
    between = columns * math.fsum((value - mean) ** 2 for value in by_row) / (rows - 1)
    raters = rows * math.fsum((value - mean) ** 2 for value in by_column) / (columns - 1)
    residual = math.fsum(
        (value - row - column + mean) ** 2
        for ratings_of, row in zip(ratings, by_row, strict=True)
        for value, column in zip(ratings_of, by_column, strict=True)
    ) / ((rows - 1) * (columns - 1))
    shift = (raters - residual) / rows
    average = between + shift
    return Intraclass(
        single=(between - residual) / (between + (columns - 1) * residual + columns * shift),
        average=(between - residual) / average if average > 0 else None,
    )


def _squares(values: Sequence[float]) -> float:
    """Return the sum of squared differences over all ordered pairs."""
    if len(values) == _PAIR:  # nearly every unit of a thousand resamples
        return 2 * (values[0] - values[1]) ** 2
    mean = fmean(values)
    return 2 * math.fsum((value - mean) ** 2 for value in values) * len(values)


def _midpoints(values: Iterable[float]) -> dict[float, float]:
    """Return for each value how many lie below it, and half of those equal to it."""
    codes, below = {}, 0
    for value, count in sorted(Counter(values).items()):
        codes[value] = below + count / 2
        below += count
    return codes


def _different(values: Sequence[float]) -> float:
    """Return how many ordered pairs differ."""
    return len(values) ** 2 - sum(count * count for count in Counter(values).values())


def _moment(values: Sequence[int], power: int) -> float:
    return math.fsum(value**power for value in values) / len(values)
