"""The judge's own noise: how much of what a comparison sees is the judge, not the agent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_sessioneval.gate.pairing import Pair
from pytest_sessioneval.gate.statistics import (
    ALPHA,
    POWER,
    SPREADLESS,
    detectable_effect,
    pooled_variance,
)

__all__ = ["best_repeats", "noise_floor", "noise_share"]


def noise_share(pairs: Sequence[Pair], se: float) -> float | None:
    """Return the share of ``se`` squared that repeats show to be judge noise, 0–1.

    ``se`` is the standard error of the pairs' mean difference. The judge's
    variance is pooled over all sessions judged more than once, on either side,
    and counts once for each judgement averaged into a score. A transcript that
    has not changed is judged once for both sides: it brings no noise. None
    without repeats, or without any spread to take a share of. Above one half,
    more repeats help; below, more sessions.
    """
    if not pairs or not SPREADLESS < se < math.inf:
        return None
    points = [point for pair in pairs for point in (pair.before, pair.after)]
    variance = pooled_variance(
        [(point.noise, point.repeats) for point in points if point.noise is not None]
    )
    if variance is None:
        return None
    noise = math.fsum(
        variance / pair.before.repeats + variance / pair.after.repeats
        for pair in pairs
        if pair.changed
    )
    return min(1.0, noise / len(pairs) ** 2 / se**2)


def noise_floor(
    judge_sd: float,
    pairs: int,
    *,
    baseline_repeats: int = 1,
    candidate_repeats: int = 1,
    alpha: float = ALPHA,
    power: float = POWER,
) -> float:
    """Return the smallest drop, in points, that could be seen if only the judge varied.

    ``judge_sd`` is the standard deviation of one judgement of the same session;
    a suite whose sessions vary too sees less.
    """
    variance = judge_sd**2 * (1 / baseline_repeats + 1 / candidate_repeats)
    return detectable_effect(math.sqrt(variance / pairs), alpha, power)


def best_repeats(
    between_sd: float, judge_sd: float, *, session_cost: float, judge_cost: float
) -> float:
    """Return the repeats per session that give the smallest standard error for the money.

    Minimises the variance at a fixed budget of sessions × (session_cost +
    repeats × judge_cost); at least 1. With transcripts on disk a session costs
    nothing and the answer is 1: judge more sessions instead.
    """
    if between_sd <= 0:
        return math.inf if judge_sd > 0 and session_cost > 0 else 1.0
    return max(1.0, math.sqrt(session_cost * judge_sd**2 / (judge_cost * between_sd**2)))
