"""Averages of a suite's verdicts: over scored values only, with what they rest on beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.verdicts.model import UnscoredReason, Verdict

__all__ = [
    "BUCKETS",
    "COMPLEXITY",
    "AxisMean",
    "axis_means",
    "bucket_of",
    "complexity_bucket",
    "means_by_bucket",
]

BUCKETS = ("0-25", "26-50", "51-75", "76+")
"""The complexity buckets, in order."""

COMPLEXITY = "task_complexity"
"""The axis that describes a session, and that is never gated."""


class AxisMean(Frozen):
    """One axis's average over a set of sessions."""

    axis: str
    """The axis."""
    mean: float | None
    """Mean over the scored sessions, 0–100; null when none is scored."""
    minimum: float | None
    """Lowest score; null when none is scored."""
    scored: int
    """How many sessions the mean rests on."""
    sessions: int
    """How many there are, scored or not."""
    unscored: dict[UnscoredReason, int] = {}
    """How many have no score, by reason."""
    unjudged: int = 0
    """How many have no verdict at all."""


def axis_means(axes: Iterable[str], verdicts: Sequence[Verdict | None]) -> tuple[AxisMean, ...]:
    """Return one AxisMean per axis, in the order given; ``None`` is a session without verdict."""
    tallies = {axis: _Tally() for axis in axes}
    for verdict in verdicts:
        if verdict is None:
            continue
        for axis, result in verdict.axes.items():
            if (tally := tallies.get(axis)) is None:
                continue
            if result.kind == "scored":
                tally.scores.append(result.score)
            else:
                tally.reasons[result.reason] += 1
    return tuple(tally.mean(axis, len(verdicts)) for axis, tally in tallies.items())


def complexity_bucket(verdict: Verdict | None) -> str | None:
    """Return the bucket of a session's unrounded mean complexity; None without one."""
    result = verdict.axes.get(COMPLEXITY) if verdict is not None else None
    return bucket_of(result.score) if result is not None and result.kind == "scored" else None


def bucket_of(complexity: float) -> str:
    """Return the bucket of an unrounded complexity, 0–100."""
    for name, upper in zip(BUCKETS, (25, 50, 75), strict=False):
        if complexity <= upper:
            return name
    return BUCKETS[-1]


def means_by_bucket(
    axes: Iterable[str], verdicts: Sequence[Verdict | None]
) -> dict[str, tuple[AxisMean, ...]]:
    """Return the means of each complexity bucket that holds a session, in bucket order."""
    axes = tuple(axes)
    members: dict[str, list[Verdict | None]] = {}
    for verdict in verdicts:
        bucket = complexity_bucket(verdict)
        if bucket is not None:
            members.setdefault(bucket, []).append(verdict)
    return {name: axis_means(axes, members[name]) for name in BUCKETS if name in members}


class _Tally:
    """What the verdicts say on one axis."""

    def __init__(self) -> None:
        self.scores: list[float] = []
        self.reasons: Counter[UnscoredReason] = Counter()

    def mean(self, axis: str, sessions: int) -> AxisMean:
        scores = self.scores
        return AxisMean(
            axis=axis,
            mean=fmean(scores) if scores else None,
            minimum=min(scores, default=None),
            scored=len(scores),
            sessions=sessions,
            unscored=dict(sorted(self.reasons.items())),
            unjudged=sessions - len(scores) - self.reasons.total(),
        )
