"""One mean difference against its margin: the test, why it did not pass, what stops the merge."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pytest_sessioneval.gate.outcome import MeanTest, Nulls, Reason
from pytest_sessioneval.gate.rules import FEWEST_LABELS, Status, inconclusive_blocks
from pytest_sessioneval.gate.statistics import (
    SPREADLESS,
    Estimate,
    detectable_effect,
    distribution_free_pairs,
    interval,
    p_drop,
    p_noninferior,
    sample_size,
    unseen_share,
)
from pytest_sessioneval.suites.model import GateSettings

__all__ = ["LOWEST_DIFFERENCE", "mean_test", "reason_of", "undecided_blocks"]

LOWEST_DIFFERENCE = -100.0
"""The deepest drop there is, in points."""


def mean_test(
    estimate: Estimate,
    settings: GateSettings,
    *,
    margin: float,
    alpha: float,
    adjusted: float | None,
    bound: float | None = None,
    paired: int | None = None,
) -> MeanTest:
    """Return what an estimate says; ``adjusted`` None: it does not decide.

    ``adjusted`` is Holm's p-value of a drop, ``bound`` the distribution-free
    lower limit where the gate is strict. ``paired`` marks an estimate corrected
    by people's labels, whose own units are the labelled ones, and says how many
    units were paired.
    """
    low, high = interval(estimate, alpha)
    known = math.isfinite(estimate.se)
    detectable = detectable_effect(estimate.se, alpha) if known else None
    floor = settings.min_pairs if paired is None else FEWEST_LABELS
    enough = estimate.units >= floor and (paired is None or paired >= settings.min_pairs)
    p_harmless, p_fell = p_noninferior(estimate, margin), p_drop(estimate)
    status: Status | None = None
    if adjusted is not None:
        free = not settings.strict or (bound is not None and bound > -margin)
        if p_harmless < alpha and enough and free:
            status = "passed"
        elif (
            adjusted <= alpha
            and _reaches(estimate.mean, margin)
            and (enough or not estimate.spreadless)
        ):
            status = "regressed"
        else:
            status = "inconclusive"
    needed = _units_needed(estimate, margin, settings, alpha, floor=floor)
    return MeanTest(
        pairs=estimate.values,
        units=estimate.units,
        difference=estimate.mean,
        # Student's t does not know the ends of the scale.
        low=max(low, LOWEST_DIFFERENCE) if known else None,
        high=min(high, -LOWEST_DIFFERENCE) if known else None,
        p_noninferior=p_harmless,
        p_drop=p_fell,
        p_drop_adjusted=adjusted,
        free_bound=bound,
        detectable=detectable,
        powered=enough and detectable is not None and detectable <= margin,
        units_needed=needed,
        units_missing=None if needed is None else max(0, needed - estimate.units),
        unseen_share=unseen_share(estimate.units),
        status=status,
    )


def reason_of(
    test: MeanTest, part: str, settings: GateSettings, *, paired: int, alpha: float
) -> Reason | None:
    """Return why a test that decides did not pass; None: it passed, or lacks labels.

    ``paired`` is how many units its part of the comparison has.
    """
    if test.status == "regressed":
        return "regressed" if part == "overall" else "changed_regressed"
    if test.status != "inconclusive":
        return None
    if settings.decide_on == "corrected" and test.units < FEWEST_LABELS:
        return None  # that labels are too few is told once, for all parts together
    if part != "overall":
        return "changed_undecided"
    if paired < settings.min_pairs:
        return "too_few"
    return "unproven" if settings.strict and test.p_noninferior < alpha else "straddles"


def undecided_blocks(
    tests: Iterable[MeanTest], nulls: Nulls, settings: GateSettings, *, margin: float
) -> bool:
    """Return whether undecided tests, or nulls that moved (given), stop the merge."""
    tests = list(tests)
    undecided = [test for test in tests if test.status == "inconclusive"]
    falls = [test.difference for test in undecided]
    powered = any(test.powered for test in undecided)
    if nulls.moved:
        powered = powered or any(test.powered for test in tests)
        if nulls.worst_difference is not None:
            falls.append(nulls.worst_difference)
    dropped = any(_reaches(fall, margin) for fall in falls)
    return inconclusive_blocks(settings, powered=powered, dropped=dropped)


def _units_needed(
    estimate: Estimate, margin: float, settings: GateSettings, alpha: float, *, floor: int
) -> int | None:
    if not math.isfinite(estimate.se) or margin <= 0:
        return None
    sd = estimate.se * math.sqrt(estimate.units)
    needed = max(floor, math.ceil(sample_size(sd, margin, alpha)))
    if not settings.strict or margin >= -LOWEST_DIFFERENCE:
        return needed
    return max(needed, distribution_free_pairs(margin, -LOWEST_DIFFERENCE, alpha))


def _reaches(difference: float, margin: float) -> bool:
    """Return whether a drop reaches the margin."""
    return difference <= SPREADLESS - margin and difference < -SPREADLESS
