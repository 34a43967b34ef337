"""Weekly averages, from verdicts as the store keeps them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache

from pytest_sessioneval.stores.listings import StatsResponse, WeekRow
from pytest_sessioneval.verdicts.means import BUCKETS, COMPLEXITY, bucket_of

__all__ = ["OVERALL", "VerdictRow", "weekly_stats"]

OVERALL = "overall"
"""The bucket that holds every session."""


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One verdict of the versions and days asked for."""

    suite: str
    key: str
    judged_at: str
    """As ``rows.instant`` writes it."""
    totals: Mapping[str, tuple[int, int]]
    """Per axis the total of its experts' scores, and how many; (0, 0): it has no mean."""


@dataclass(slots=True)
class _Sum:
    """The sessions of one row so far: how many, and per axis what was scored."""

    sessions: int = 0
    scored: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    """By axis and how many scores a session's mean rests on: sessions, and their total.

    Those are few, and whole numbers: so the mean is exact, whatever the order of adding.
    """


def weekly_stats(
    rows: Iterable[VerdictRow], axes: Sequence[str], *, by_bucket: bool
) -> StatsResponse:
    """Return the averages per week, each session by its latest verdict; every row has all axes.

    Means are over sessions. A session counts in the bucket of its unrounded
    complexity; without one, in ``overall`` only. Weeks and buckets without a
    session have no row.
    """
    latest: dict[tuple[str, str], VerdictRow] = {}
    for row in rows:
        known = latest.get((row.suite, row.key))
        if known is None or known.judged_at < row.judged_at:
            latest[row.suite, row.key] = row
    sums: dict[tuple[datetime, str], _Sum] = {}
    for row in latest.values():
        week = _week_of(row.judged_at[:10])
        for bucket in _buckets(row.totals.get(COMPLEXITY, (0, 0)), by_bucket=by_bucket):
            added = sums.setdefault((week, bucket), _Sum())
            added.sessions += 1
            for axis, (total, count) in row.totals.items():
                if count:
                    kept = added.scored.get((axis, count))
                    if kept is None:
                        added.scored[axis, count] = [1, total]
                    else:
                        kept[0] += 1
                        kept[1] += total
    order = (OVERALL, *BUCKETS)
    weekly = sorted(sums, key=lambda at: (at[1] != OVERALL, at[0], order.index(at[1])))
    return StatsResponse(
        buckets=BUCKETS if by_bucket else (OVERALL,),
        weekly=tuple(_row(week, bucket, sums[week, bucket], axes) for week, bucket in weekly),
    )


def _row(week: datetime, bucket: str, added: _Sum, axes: Sequence[str]) -> WeekRow:
    means: dict[str, int | None] = dict.fromkeys(axes)
    for axis in axes:
        of_axis = [(count, *kept) for (name, count), kept in added.scored.items() if name == axis]
        if of_axis:
            exact = sum((Fraction(total, count) for count, _, total in of_axis), Fraction())
            means[axis] = round(exact / sum(sessions for _, sessions, _ in of_axis))
    return WeekRow(week_start=week, bucket=bucket, sample_count=added.sessions, axis_means=means)


def _buckets(complexity: tuple[int, int], *, by_bucket: bool) -> Iterator[str]:
    yield OVERALL
    total, count = complexity
    if by_bucket and count:
        yield bucket_of(total / count)


@cache
def _week_of(day: str) -> datetime:
    moment = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return moment - timedelta(days=moment.weekday())
