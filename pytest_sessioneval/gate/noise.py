"""The judge's own noise: how much of what a comparison sees is the judge, not the agent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance
from typing import Annotated

from pydantic import Field

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.pairing import Pair
from pytest_sessioneval.gate.statistics import (
    ALPHA,
    POWER,
    SPREADLESS,
    detectable_effect,
    pooled_variance,
    sample_size,
)

__all__ = [
    "FEWEST_DEGREES",
    "AxisNoise",
    "VisibleDrop",
    "axis_noise",
    "best_repeats",
    "differences_sd",
    "noise_floor",
    "noise_share",
    "visible_drop",
]

FEWEST_DEGREES = 20
"""Degrees of freedom below which a spread is not worth keeping: it is then good to about 16 %."""

_FEWEST_CHANGED = 10


class AxisNoise(Frozen):
    """How much a judge differs from itself on one axis, over sessions judged repeatedly."""

    axis: str
    """The axis."""
    sessions: Annotated[int, Field(ge=0)]
    """Sessions with a score in two repeats or more."""
    degrees: Annotated[int, Field(ge=0)]
    """Scores that the spread rests on, less one per session."""
    sd: float | None
    """Standard deviation of one judgement of the same session, in points; null: no repeats."""
    varied: Annotated[int, Field(ge=0)] = 0
    """Sessions whose score was not always the same."""
    partly: Annotated[int, Field(ge=0)] = 0
    """Sessions that had a score in some repeats and none in others."""
    threshold: float | None = None
    """The lowest score a session may have; null: none is set."""
    flipped: int | None = None
    """Sessions that reached the threshold in some repeats only; null: there is none."""

    @property
    def known(self) -> bool:
        """Whether the spread rests on enough to be kept."""
        return self.sd is not None and self.degrees >= FEWEST_DEGREES


class VisibleDrop(Frozen):
    """What the judge's noise does to the smallest drop that a suite shows on one axis, in points.

    With 80 % chance at one-sided 5 %, normal approximation, sessions taken as independent.
    """

    axis: str
    """The axis."""
    margin: float
    """Points of mean drop that are tolerated."""
    pairs: Annotated[int, Field(ge=1)]
    """Sessions the suite has."""
    baseline_repeats: Annotated[int, Field(ge=1)]
    """Judgements averaged into a score of the baseline."""
    repeats: Annotated[int, Field(ge=1)]
    """The same of a run."""
    judge_alone: float
    """The smallest visible drop if nothing but the judge varied."""
    with_noise: float | None = None
    """The smallest visible drop; null: how much sessions differ is not known."""
    without_noise: float | None = None
    """The same with a judge that always says the same; null: as above."""
    repeats_needed: int | None = None
    """Repeats on both sides that show a drop of the margin; null: no number of them does."""
    sessions_needed: int | None = None
    """Sessions that show it with today's repeats; null: with a margin of 0, none do."""


def axis_noise(
    axis: str, scores: Sequence[Sequence[float | None]], threshold: float | None = None
) -> AxisNoise:
    """Return how much a judge differs from itself: ``scores`` holds each session's, by repeat.

    None: no score in that repeat. The variance is pooled within sessions:
    the squared distances from each session's own mean over the scores less one
    per session. Assumes that repeats are independent of one another.
    """
    repeated = [
        given
        for session in scores
        if len(given := [score for score in session if score is not None]) > 1
    ]
    degrees = sum(len(given) - 1 for given in repeated)
    squares = math.fsum((score - fmean(given)) ** 2 for given in repeated for score in given)
    flipped = None
    if threshold is not None:
        flipped = sum(min(given) < threshold <= max(given) for given in repeated)
    return AxisNoise(
        axis=axis,
        sessions=len(repeated),
        degrees=degrees,
        sd=math.sqrt(squares / degrees) if degrees else None,
        varied=sum(max(given) > min(given) for given in repeated),
        partly=sum(0 < session.count(None) < len(session) for session in scores),
        threshold=threshold,
        flipped=flipped,
    )


def visible_drop(
    noise: AxisNoise,
    *,
    margin: float,
    pairs: int,
    baseline_repeats: int,
    repeats: int,
    fewest: int,
    differing: float | None = None,
) -> VisibleDrop:
    """Return what the noise does to the smallest visible drop of a suite of ``pairs`` sessions.

    ``differing`` is the standard deviation, in points, of how much sessions
    truly change from one recording to the next (``differences_sd``); without it
    the needed repeats and sessions are the least that could do. At least
    ``fewest`` sessions are needed in any case. Raises ``ValueError`` where the
    noise has no spread. METHOD §1.1: Var = (true variance + judge variance ×
    (1/k of the baseline + 1/k of the run)) / n.
    """
    if noise.sd is None:
        raise ValueError(f"{noise.axis}: there is no spread")
    judge = noise.sd**2
    true = (differing or 0.0) ** 2
    spread = math.sqrt(true + judge * (1 / baseline_repeats + 1 / repeats))
    reach = detectable_effect(1.0)
    room = pairs * (margin / reach) ** 2 - true
    return VisibleDrop(
        axis=noise.axis,
        margin=margin,
        pairs=pairs,
        baseline_repeats=baseline_repeats,
        repeats=repeats,
        judge_alone=noise_floor(
            noise.sd, pairs, baseline_repeats=baseline_repeats, candidate_repeats=repeats
        ),
        with_noise=None if differing is None else reach * spread / math.sqrt(pairs),
        without_noise=None if differing is None else reach * differing / math.sqrt(pairs),
        repeats_needed=max(1, math.ceil(2 * judge / room)) if room > 0 else None,
        sessions_needed=(
            max(fewest, math.ceil(sample_size(spread, margin))) if margin > 0 else None
        ),
    )


def differences_sd(pairs: Sequence[Pair], judge_sd: float) -> float | None:
    """Return how much sessions truly change between recordings, without the judge's noise.

    The standard deviation in points, from the pairs whose transcripts differ:
    their variance less the part that the judge's own (``judge_sd`` for one
    judgement) explains, at least 0. None with fewer than ten.
    """
    changed = [pair for pair in pairs if pair.changed]
    if len(changed) < _FEWEST_CHANGED:
        return None
    noise = judge_sd**2 * fmean(1 / one.before.repeats + 1 / one.after.repeats for one in changed)
    return math.sqrt(max(0.0, variance(pair.difference for pair in changed) - noise))


def noise_share(pairs: Sequence[Pair], se: float, judge_sd: float | None = None) -> float | None:
    """Return the share of ``se`` squared that repeats show to be judge noise, 0–1.

    ``se`` is the standard error of the pairs' mean difference. The judge's
    variance is pooled over all sessions judged more than once, on either side,
    and counts once for each judgement averaged into a score. A transcript that
    has not changed is judged once for both sides: it brings no noise. Without
    repeats it is ``judge_sd``, a spread measured before (``axis_noise``), that
    counts. None without either, or without any spread to take a share of. Above
    one half, more repeats help; below, more sessions.
    """
    if not pairs or not SPREADLESS < se < math.inf:
        return None
    points = [point for pair in pairs for point in (pair.before, pair.after)]
    pooled = pooled_variance(
        [(point.noise, point.repeats) for point in points if point.noise is not None]
    )
    if pooled is None and judge_sd is not None:
        pooled = judge_sd**2
    if pooled is None:
        return None
    noise = math.fsum(
        pooled / pair.before.repeats + pooled / pair.after.repeats for pair in pairs if pair.changed
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
