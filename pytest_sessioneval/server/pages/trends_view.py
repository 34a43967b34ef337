"""Weekly averages as their page shows them: a small chart per axis, and every number. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pytest_sessioneval.server.pages.links import trends_url
from pytest_sessioneval.stores.listings import StatsResponse, WeekRow
from pytest_sessioneval.stores.trends import OVERALL
from pytest_sessioneval.verdicts.means import BUCKETS

__all__ = [
    "HEIGHT",
    "ORDER",
    "WIDTH",
    "Chart",
    "Line",
    "Point",
    "Switch",
    "TrendsView",
    "trends_view",
]

WIDTH, HEIGHT = 320, 120
"""Of a chart, in its own units."""

ORDER = {name: place for place, name in enumerate((OVERALL, *BUCKETS))}
"""The lines of a chart, and the place of each: as it is drawn in charts and in their legend."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 26, 8, 8, 20
_DAYS = (7, 30, 90, 365)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Point:
    """One week's average on a chart."""

    x: float
    y: float
    mean: int
    week: date


@dataclass(frozen=True, slots=True)
class Line:
    """The averages of one bucket on a chart: drawn apart where weeks are missing."""

    bucket: str
    stretches: tuple[tuple[Point, ...], ...]

    @property
    def points(self) -> tuple[Point, ...]:
        """Every point of it."""
        return tuple(point for stretch in self.stretches for point in stretch)


@dataclass(frozen=True, slots=True)
class Chart:
    """One axis over the weeks."""

    axis: str
    lines: tuple[Line, ...]
    first: date
    last: date
    latest: int | None
    """The overall average of the last week that has one."""
    change: int | None
    """By how much that differs from the first week's; None: there is one week only."""

    def height_of(self, mean: float) -> float:
        """Return where a mean lies on the chart."""
        return _y(mean)


@dataclass(frozen=True, slots=True)
class Switch:
    """Another way to look at the same."""

    words: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class TrendsView:
    """Weekly averages."""

    charts: tuple[Chart, ...]
    """One per axis that has an average in any week."""
    unscored: tuple[str, ...]
    """Axes that have none."""
    axes: tuple[str, ...]
    rows: tuple[WeekRow, ...]
    """As the store answers, latest week first."""
    days: int
    by_bucket: bool
    periods: tuple[Switch, ...]
    splits: tuple[Switch, ...]
    buckets: tuple[str, ...]
    """Those that hold a session."""


def trends_view(stats: StatsResponse, *, days: int, by_bucket: bool) -> TrendsView:
    """Return the page of these averages, of so many days."""
    axes = tuple(dict.fromkeys(axis for row in stats.weekly for axis in row.axis_means))
    charts = [chart for axis in axes if (chart := _chart(axis, stats.weekly)) is not None]
    scored = {chart.axis for chart in charts}
    rows = sorted(stats.weekly, key=lambda row: (-row.week_start.toordinal(), ORDER[row.bucket]))
    return TrendsView(
        charts=tuple(charts),
        unscored=tuple(axis for axis in axes if axis not in scored),
        axes=axes,
        rows=tuple(rows),
        days=days,
        by_bucket=by_bucket,
        periods=tuple(
            Switch(f"{number} days", trends_url(days=number, by_bucket=by_bucket), number == days)
            for number in sorted({*_DAYS, days})
        ),
        splits=(
            Switch("all sessions", trends_url(days=days), not by_bucket),
            Switch("by complexity", trends_url(days=days, by_bucket=True), by_bucket),
        ),
        buckets=tuple(name for name in BUCKETS if any(row.bucket == name for row in stats.weekly)),
    )


def _chart(axis: str, rows: Sequence[WeekRow]) -> Chart | None:
    means: dict[str, dict[date, int]] = {}
    for row in rows:
        mean = row.axis_means.get(axis)
        if mean is not None:
            means.setdefault(row.bucket, {})[row.week_start.date()] = mean
    overall = means.get(OVERALL)
    if overall is None:
        return None
    # Every chart of a page has the same weeks, also those in which the axis has no average.
    weeks = [row.week_start.date() for row in rows]
    first, last = min(weeks), max(weeks)
    mine = [overall[week] for week in sorted(overall)]
    return Chart(
        axis=axis,
        lines=tuple(
            Line(bucket, tuple(_stretches(means[bucket], first, last)))
            for bucket in ORDER
            if bucket in means
        ),
        first=first,
        last=last,
        latest=mine[-1],
        change=mine[-1] - mine[0] if len(mine) > 1 else None,
    )


def _stretches(means: dict[date, int], first: date, last: date) -> Iterator[tuple[Point, ...]]:
    stretch: list[Point] = []
    for week in sorted(means):
        if stretch and week - stretch[-1].week > _WEEK:
            yield tuple(stretch)
            stretch = []
        stretch.append(Point(_x(week, first, last), _y(means[week]), means[week], week))
    yield tuple(stretch)


def _x(week: date, first: date, last: date) -> float:
    if first == last:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) / 2
    share = (week - first) / (last - first)
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


def _y(mean: float) -> float:
    return round(_TOP + (100 - mean) / 100 * (HEIGHT - _TOP - _BOTTOM), 1)
