"""The statistics behind a decision: plain numbers in, plain numbers out.

Everywhere ``alpha`` is one-sided, and a difference is candidate minus baseline
in points, so that a drop is negative.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from pytest_sessioneval.gate.distributions import (
    beta_quantile,
    exponential_race,
    normal_quantile,
    student_lower_tail,
    student_quantile,
)

__all__ = [
    "ALPHA",
    "POWER",
    "Estimate",
    "clopper_pearson",
    "detectable_effect",
    "distribution_free_lower",
    "distribution_free_pairs",
    "holm",
    "interval",
    "mcnemar",
    "mean_estimate",
    "p_drop",
    "p_noninferior",
    "pooled_variance",
    "sample_size",
    "unseen_share",
    "welch_estimate",
]

ALPHA = 0.05
"""One-sided level of every test of the gate: its intervals are two-sided 90 %."""

POWER = 0.8
"""The chance with which a suite should see a drop, where its size is talked about."""

SPREADLESS = 1e-9
"""Points of standard error below which there is no spread but binary rounding."""

_SMALL_SAMPLE = 20
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean difference and what is known of its precision."""

    mean: float
    """Points; negative is a drop."""
    se: float
    """Standard error in points; infinite when one unit cannot show any spread."""
    df: float
    """Degrees of freedom of the standard error."""
    units: int
    """Independent units: sessions, or clusters where several sessions share one."""
    values: int
    """Values the mean rests on."""

    @property
    def spreadless(self) -> bool:
        """Whether all units agree, so that the mean alone decides."""
        return self.se <= SPREADLESS


def mean_estimate(values: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Estimate:
    """Return the mean of the values and its standard error.

    Without clusters: the textbook standard error with n - 1 degrees of freedom.
    With clusters (one label per value): the cluster-robust standard error of
    Miller 2024 (arXiv:2411.00640, appendix A) with the factor G/(G - 1), and
    G - 1 degrees of freedom for G clusters. Assumes independent units. Fewer
    than two units give an infinite standard error, never a zero one.
    """
    count, mean = len(values), fmean(values)
    if clusters is None:
        units = count
        squares = math.fsum((value - mean) ** 2 for value in values)
    else:
        residuals: dict[Hashable, list[float]] = {}
        for value, cluster in zip(values, clusters, strict=True):
            residuals.setdefault(cluster, []).append(value - mean)
        units = len(residuals)
        squares = math.fsum(math.fsum(members) ** 2 for members in residuals.values())
    if units < 2:  # noqa: PLR2004 -- the fewest that can differ
        return Estimate(mean, math.inf, 1, units, count)
    se = math.sqrt(squares * units / (units - 1)) / count
    return Estimate(mean, se, units - 1, units, count)


def welch_estimate(
    baseline: Sequence[float],
    candidate: Sequence[float],
    clusters: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
) -> Estimate:
    """Return the difference of two independent means, candidate minus baseline.

    Welch's test with Welch–Satterthwaite degrees of freedom; each side's
    standard error is ``mean_estimate``'s. Assumes that the two sides share no
    session; ``units`` and ``values`` are the smaller side's.
    """
    before = mean_estimate(baseline, None if clusters is None else clusters[0])
    after = mean_estimate(candidate, None if clusters is None else clusters[1])
    se = math.hypot(before.se, after.se)
    df: float = before.df + after.df
    if SPREADLESS < se < math.inf:
        df = se**4 / (before.se**4 / before.df + after.se**4 / after.df)
    units = min(before.units, after.units)
    values = min(before.values, after.values)
    return Estimate(after.mean - before.mean, se, df, units, values)


def interval(estimate: Estimate, alpha: float = ALPHA) -> tuple[float, float]:
    """Return the lower and upper confidence limit, each at one-sided ``alpha`` (Student's t).

    Infinite on both sides when a single unit shows no spread.
    """
    if math.isinf(estimate.se):
        return -math.inf, math.inf
    reach = student_quantile(1 - alpha, estimate.df) * estimate.se
    return estimate.mean - reach, estimate.mean + reach


def p_noninferior(estimate: Estimate, margin: float) -> float:
    """Return the p-value against "the mean dropped by the margin or more".

    Small values show that the drop is smaller than the margin. Without any
    spread the mean decides: 0 when it dropped by less, else 1. With a margin
    of 0 "less" is "not at all".
    """
    if math.isinf(estimate.se):
        return 1.0
    if estimate.spreadless:
        dropped = estimate.mean <= SPREADLESS - margin and estimate.mean < -SPREADLESS
        return 1.0 if dropped else 0.0
    return student_lower_tail(-(estimate.mean + margin) / estimate.se, estimate.df)


def p_drop(estimate: Estimate) -> float:
    """Return the p-value against "the mean did not drop"; small values show a drop.

    Without any spread the mean decides: 0 when it dropped, else 1.
    """
    if math.isinf(estimate.se):
        return 1.0
    if estimate.spreadless:
        return 0.0 if estimate.mean < -SPREADLESS else 1.0
    return student_lower_tail(estimate.mean / estimate.se, estimate.df)


def detectable_effect(se: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the smallest drop, in points, that a test with this standard error sees.

    "Sees" is: with chance ``power`` at one-sided level ``alpha``; normal approximation.
    """
    return (normal_quantile(1 - alpha) + normal_quantile(power)) * se


def sample_size(sd: float, margin: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return how many units show a drop below ``margin`` when nothing dropped.

    ``sd`` is the standard deviation of one unit's difference, in points. The
    normal approximation; where it gives fewer than 20, which it underestimates,
    the quantiles are Student's t for that many.
    """
    reach = normal_quantile(1 - alpha) + normal_quantile(power)
    size = (reach * sd / margin) ** 2
    if not 0 < size < _SMALL_SAMPLE:
        return size
    for _ in range(20):  # a few rounds settle it
        df = max(size, 2.0) - 1
        reach = student_quantile(1 - alpha, df) + student_quantile(power, df)
        size = (size + (reach * sd / margin) ** 2) / 2
    return size


def unseen_share(units: int, alpha: float = ALPHA) -> float:
    """Return the largest share of sessions that may break without one having been sampled.

    A failure that hits a share p of sessions is missed by n of them with chance
    (1 - p)^n; this is the p at which that chance is ``alpha``: Clopper–Pearson's
    upper bound for no failure in ``units``.
    """
    return clopper_pearson(0, units, alpha)[1]


def clopper_pearson(successes: int, trials: int, alpha: float = ALPHA) -> tuple[float, float]:
    """Return the exact lower and upper bound of a share, each at one-sided ``alpha``."""
    lower, upper = 0.0, 1.0
    if successes > 0:
        lower = beta_quantile(alpha, successes, trials - successes + 1)
    if successes < trials:
        upper = beta_quantile(1 - alpha, successes + 1, trials - successes)
    return lower, upper


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided exact McNemar p-value of two discordant counts.

    Assumes independent pairs. With a fair coin both counts are equally likely.
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    if total == 0:
        return 1.0
    tail = sum(math.comb(total, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**total))


def holm(p_values: Mapping[Name, float]) -> dict[Name, float]:
    """Return Holm's adjusted p-values, by the same names (Holm 1979).

    Calling those at or below alpha keeps the chance of any false call at alpha.
    """
    adjusted: dict[Name, float] = {}
    largest = 0.0
    ranked = sorted(p_values.items(), key=lambda item: item[1])
    for rank, (name, p_value) in enumerate(ranked):
        largest = max(largest, min(1.0, (len(ranked) - rank) * p_value))
        adjusted[name] = largest
    return adjusted


def pooled_variance(samples: Sequence[tuple[float, int]]) -> float | None:
    """Return the variance pooled over samples given as (standard deviation, size).

    Samples of one value say nothing and are left out; None when none is left.
    """
    degrees = sum(size - 1 for _, size in samples if size > 1)
    if degrees == 0:
        return None
    return math.fsum(sd**2 * (size - 1) for sd, size in samples if size > 1) / degrees


def distribution_free_lower(
    values: Sequence[float], floor: float, alpha: float = ALPHA, tolerance: float = 1e-7
) -> float:
    """Return Gaffke's lower confidence bound for a mean: no shape is assumed.

    The ``alpha``-quantile of the mean of the values and one more at ``floor``,
    their smallest possible value, under weights that are uniform on the simplex
    (Gaffke 2005; Learned-Miller & Thomas, arXiv:1905.06208: conjectured valid,
    no counterexample known). For values 0 and 1 it is Clopper–Pearson's bound.
    Computed exactly to ``tolerance``, not by sampling: with weights proportional
    to exponentials, the weighted mean is at most c when those above c, each
    times its excess, add up to no more than those below c, each times its want.
    """
    points = [*values, floor]

    def chance_at_most(cut: float) -> float:
        above = [point - cut for point in points if point > cut]
        below = [cut - point for point in points if point < cut]
        return exponential_race(above, below)

    low, high = floor, max(points)
    if high - low <= tolerance:
        return low
    p_low, p_high = -alpha, 1 - alpha  # chance_at_most minus alpha at both ends
    side = 0
    while high - low > tolerance:
        # Illinois false position, with a bisection wherever it would crawl.
        cut = (low * p_high - high * p_low) / (p_high - p_low)
        if not low + tolerance / 4 < cut < high - tolerance / 4:
            cut = (low + high) / 2
        p_cut = chance_at_most(cut) - alpha
        if p_cut > 0:
            high, p_high = cut, p_cut
            p_low = p_low / 2 if side > 0 else p_low
            side = 1
        else:
            low, p_low = cut, p_cut
            p_high = p_high / 2 if side < 0 else p_high
            side = -1
    return low


def distribution_free_pairs(margin: float, reach: float = 100, alpha: float = ALPHA) -> int:
    """Return the fewest pairs with which no difference at all shows a drop below ``margin``.

    No method that is right for every distribution on ``reach`` points does it
    with fewer: a rare total failure could have been missed (58.4, so 59 pairs,
    at a margin of 5 points).
    """
    return math.floor(math.log(alpha) / math.log1p(-margin / reach)) + 1
