"""What a judge's scores mean in people's: isotonic calibration, and a corrected pass rate.

Both rest on labels drawn at random. Neither changes a score: they are shown
beside the raw numbers.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import fmean

from pytest_sessioneval.gate.correction import Labelled
from pytest_sessioneval.gate.distributions import normal_quantile
from pytest_sessioneval.gate.statistics import ALPHA

__all__ = [
    "FEWEST_LABELS",
    "Calibration",
    "Isotonic",
    "Rate",
    "calibrate",
    "corrected_rate",
    "isotonic",
]

FEWEST_LABELS = 50
"""Labelled units below which no calibration is fitted (METHOD §2.4)."""

_FOLDS = 5
_NAME = "isotonic@1"


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A function that never falls: straight lines between its knots, level outside of them."""

    knots: tuple[tuple[float, float], ...]
    """(judge's score, people's score), by the judge's; at least one."""

    def __call__(self, score: float) -> float:
        """Return the people's score that the judge's stands for."""
        place = bisect_left(self.knots, (score, -math.inf))
        if place == len(self.knots):
            return self.knots[-1][1]
        right = self.knots[place]
        if place == 0 or right[0] == score:
            return right[1]
        left = self.knots[place - 1]
        share = (score - left[0]) / (right[0] - left[0])
        return left[1] + share * (right[1] - left[1])


def isotonic(points: Sequence[tuple[float, float]]) -> Isotonic:
    """Return the isotonic regression of (judge, human) points: pool adjacent violators.

    The function that never falls with the least squared error (Ayer et al. 1955;
    Barlow et al. 1972). Points with one judge's score share one fitted value.
    Raises ``ValueError`` without a point.
    """
    by_judge: dict[float, list[float]] = {}
    for judge, human in points:
        by_judge.setdefault(judge, []).append(human)
    if not by_judge:
        raise ValueError("isotonic regression needs at least one point")
    blocks: list[tuple[float, int, list[float]]] = []
    for judge in sorted(by_judge):
        value, size, members = fmean(by_judge[judge]), len(by_judge[judge]), [judge]
        while blocks and blocks[-1][0] >= value:
            before, count, earlier = blocks.pop()
            value = (before * count + value * size) / (count + size)
            size, members = count + size, [*earlier, *members]
        blocks.append((value, size, members))
    ends = ({members[0], members[-1]} for _, _, members in blocks)
    values = (value for value, _, _ in blocks)
    return Isotonic(
        tuple(
            (judge, value)
            for value, both in zip(values, ends, strict=True)
            for judge in sorted(both)
        )
    )


@dataclass(frozen=True, slots=True)
class Calibration:
    """An isotonic calibration and how much it helps, measured on sessions it had not seen."""

    function: Isotonic
    """Fitted on every label."""
    version: str
    """``isotonic@1#digest`` of the knots."""
    labels: int
    """How many labels it was fitted on."""
    raw_mean: float
    """Mean of the judge's scores over all sessions, labelled or not."""
    mean: float
    """Mean of the calibrated scores over the same, labelled ones calibrated by the other folds."""
    raw_error: float
    """Mean absolute distance of the judge's scores from people's, over the labelled."""
    error: float
    """The same of the calibrated scores, each by a fit that has not seen it."""


def calibrate(labelled: Sequence[Labelled], others: Sequence[float] = ()) -> Calibration | None:
    """Return the calibration of a judge; None with fewer than 50 labels.

    ``others`` are the judge's scores of sessions without a label. Cross-fitted
    in five folds: units that belong together (one task) are in one fold, and the
    same labels give the same folds.
    """
    if len(labelled) < FEWEST_LABELS:
        return None
    function = isotonic([(one.judge, one.human) for one in labelled])
    folds = _folds(labelled)
    if len(set(folds)) < 2:  # noqa: PLR2004 -- of a single task nothing can be held out
        return None
    unseen = {fold: _without(fold, labelled, folds) for fold in set(folds)}
    fitted = [unseen[fold](one.judge) for one, fold in zip(labelled, folds, strict=True)]
    judges = [one.judge for one in labelled]
    return Calibration(
        function=function,
        version=f"{_NAME}#{_digest(function)}",
        labels=len(labelled),
        raw_mean=fmean([*judges, *others]),
        mean=fmean([*fitted, *map(function, others)]),
        raw_error=fmean(abs(one.judge - one.human) for one in labelled),
        error=fmean(abs(value - one.human) for value, one in zip(fitted, labelled, strict=True)),
    )


def _without(fold: int, labelled: Sequence[Labelled], folds: Sequence[int]) -> Isotonic:
    """Return the fit on all other folds."""
    seen = (one for one, own in zip(labelled, folds, strict=True) if own != fold)
    return isotonic([(one.judge, one.human) for one in seen])


def _folds(labelled: Sequence[Labelled]) -> list[int]:
    """Return each label's fold: units in an order that their names' digests make, in turn."""
    names: dict[Hashable, str] = {
        one.unit: hashlib.sha256(repr(one.unit).encode()).hexdigest() for one in labelled
    }
    ranked = sorted(names, key=lambda unit: names[unit])
    fold = {unit: place % _FOLDS for place, unit in enumerate(ranked)}
    return [fold[one.unit] for one in labelled]


def _digest(function: Isotonic) -> str:
    text = ";".join(f"{judge:.6f}:{human:.6f}" for judge, human in function.knots)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its interval, all 0–1."""

    share: float
    low: float
    high: float


def corrected_rate(
    *,
    passed: tuple[int, int],
    true_passes: tuple[int, int],
    true_fails: tuple[int, int],
    alpha: float = ALPHA,
) -> Rate | None:
    """Return the share of sessions that truly pass; None where the judge cannot tell.

    ``passed`` is (sessions that the judge passes, all sessions), ``true_passes``
    (those that it passes, those that people pass), ``true_fails`` (those that it
    fails, those that people fail), the last two over random labels. Rogan and
    Gladen 1978, with the adjusted Wald interval of Lee et al. (arXiv:2511.21140)
    at one-sided ``alpha`` on each side. A judge whose sensitivity and
    specificity add up to 1 or less knows nothing, and there is no estimate.
    """
    (k, n), (k1, m1), (k0, m0) = passed, true_passes, true_fails
    if not (n and m1 and m0):
        return None
    p, q1, q0 = k / n, k1 / m1, k0 / m0
    gain = q0 + q1 - 1
    if gain <= 0:
        return None
    share = min(1.0, max(0.0, (p + q0 - 1) / gain))
    z = normal_quantile(1 - alpha)
    n_adj, m1_adj, m0_adj = n + z * z, m1 + 2, m0 + 2
    p_adj, q1_adj, q0_adj = (n * p + z * z / 2) / n_adj, (k1 + 1) / m1_adj, (k0 + 1) / m0_adj
    gain_adj = q0_adj + q1_adj - 1
    if gain_adj <= 0:
        return None
    centre = (p_adj + q0_adj - 1) / gain_adj
    spread0, spread1 = q0_adj * (1 - q0_adj) / m0_adj, q1_adj * (1 - q1_adj) / m1_adj
    shift = 2 * z * z * (centre * spread1 - (1 - centre) * spread0)
    variance = p_adj * (1 - p_adj) / n_adj + (1 - centre) ** 2 * spread0 + centre**2 * spread1
    reach = z * math.sqrt(variance) / gain_adj
    return Rate(share, max(0.0, centre + shift - reach), min(1.0, centre + shift + reach))
