"""A mean that the judge estimated on many sessions and people corrected on a random few.

PPI++ (Angelopoulos et al., arXiv:2301.09633 and 2311.01453), with Student's t in
place of the normal distribution: in METHOD's simulations a judge that flatters
by 5 points then passes a true drop of 5 in 5 % of the runs with 20 to 80 labels.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from pytest_sessioneval.gate.statistics import Estimate

__all__ = ["Corrected", "Labelled", "Unlabelled", "corrected_estimate"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One unit that people and the judge looked at."""

    human: float
    """People's value: a difference, or a score."""
    judge: float
    """The judge's value of the same."""
    unit: Hashable
    """What it is one observation of."""


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """One unit that only the judge looked at."""

    judge: float
    """The judge's value."""
    unit: Hashable
    """What it is one observation of."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The corrected mean, and what it rests on."""

    estimate: Estimate
    """Mean and standard error; ``units`` and the degrees of freedom are the labelled ones'."""
    weight: float
    """How much of the judge's values is used, 0–1; 0: people's alone."""
    human: float
    """People's mean over the labelled."""
    judge: float
    """The judge's mean over the same."""


def corrected_estimate(
    labelled: Sequence[Labelled], unlabelled: Sequence[Unlabelled]
) -> Corrected | None:
    """Return the mean over all, people's values counting where there are any; None without a label.

    ``mean(h) + w (mean_U(j) - mean_L(j))`` over the labelled L (n of them) and
    the unlabelled U (N), with ``w = cov_L(h, j) / ((1 + n/N) var(j))`` kept
    within 0 and 1; its variance is ``var_L(h - w j)/n + w² var_U(j)/N`` with the
    labelled units' degrees of freedom. Where units share a cluster the variance
    is the cluster-robust one of ``mean_estimate``, over both parts together.

    Assumes that L was drawn at random with one chance for all: labels that
    people volunteered bias it, whatever their number. Fewer than two labelled
    units give an infinite standard error, never a zero one.
    """
    if not labelled:
        return None
    human, judge = fmean(one.human for one in labelled), fmean(one.judge for one in labelled)
    n, rest = len(labelled), len(unlabelled)
    weight = _weight(labelled, unlabelled)
    mean, rest_mean = human, 0.0
    if weight:
        rest_mean = fmean(one.judge for one in unlabelled)
        mean += weight * (rest_mean - judge)
    centre = human - weight * judge
    known = _summed((one.unit, (one.human - weight * one.judge - centre) / n) for one in labelled)
    units = len(known)
    if units < 2:  # noqa: PLR2004 -- the fewest that can differ
        return Corrected(Estimate(mean, math.inf, 1, units, n + rest), weight, human, judge)
    shares = {unit: share * math.sqrt(units / (units - 1)) for unit, share in known.items()}
    if weight:
        others = _summed((one.unit, weight * (one.judge - rest_mean) / rest) for one in unlabelled)
        factor = math.sqrt(len(others) / (len(others) - 1))
        for unit, share in others.items():
            shares[unit] = shares.get(unit, 0.0) + share * factor
    se = math.sqrt(math.fsum(share**2 for share in shares.values()))
    return Corrected(Estimate(mean, se, units - 1, units, n + rest), weight, human, judge)


def _weight(labelled: Sequence[Labelled], unlabelled: Sequence[Unlabelled]) -> float:
    """Return the weight with the smallest variance; 0 where the judge has nothing to add."""
    n, rest = len(labelled), len(unlabelled)
    if n < 2 or len({one.unit for one in unlabelled}) < 2:  # noqa: PLR2004 -- see above
        return 0.0
    values = [*(one.judge for one in labelled), *(one.judge for one in unlabelled)]
    centre = fmean(values)
    variance = math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1)
    if not variance:
        return 0.0
    human, judge = fmean(one.human for one in labelled), fmean(one.judge for one in labelled)
    products = ((one.human - human) * (one.judge - judge) for one in labelled)
    covariance = math.fsum(products) / (n - 1)
    return min(1.0, max(0.0, covariance / ((1 + n / rest) * variance)))


def _summed(shares: Iterable[tuple[Hashable, float]]) -> dict[Hashable, float]:
    """Return the sum per unit."""
    parts: dict[Hashable, list[float]] = {}
    for unit, share in shares:
        parts.setdefault(unit, []).append(share)
    return {unit: math.fsum(members) for unit, members in parts.items()}
