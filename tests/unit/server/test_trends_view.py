"""Weekly averages as charts: what is drawn, and where."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pytest_sessioneval.server.pages import rendering
from pytest_sessioneval.server.pages.trends_view import HEIGHT, ORDER, WIDTH, trends_view
from pytest_sessioneval.stores.listings import StatsResponse, WeekRow

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


def _week(ago: int, bucket: str = "overall", sessions: int = 3, **means: int | None) -> WeekRow:
    return WeekRow(
        week_start=MONDAY - timedelta(weeks=ago),
        bucket=bucket,
        sample_count=sessions,
        axis_means=means,
    )


def _stats(*rows: WeekRow) -> StatsResponse:
    return StatsResponse(buckets=("overall",), weekly=rows)


def test_an_axis_without_a_score_has_no_chart() -> None:
    """It is named instead."""
    view = trends_view(_stats(_week(0, goal=None, tone=40)), days=30, by_bucket=False)
    assert (["tone"], ("goal",)) == ([chart.axis for chart in view.charts], view.unscored)


def test_a_missing_week_breaks_the_line() -> None:
    """No average is drawn where there is none."""
    rows = [_week(ago, tone=50) for ago in (6, 5, 3, 2, 1)]
    (chart,) = trends_view(_stats(*rows), days=90, by_bucket=False).charts
    assert [2, 3] == [len(stretch) for stretch in chart.lines[0].stretches]


def test_weeks_lie_in_order_and_means_by_height() -> None:
    """From the left to the right edge; 100 is at the top and 0 at the bottom."""
    rows = [_week(2, tone=0), _week(1, tone=50), _week(0, tone=100)]
    (chart,) = trends_view(_stats(*rows), days=30, by_bucket=False).charts
    first, middle, last = chart.lines[0].points
    assert 0 < first.x < middle.x < last.x < WIDTH
    assert HEIGHT > first.y > middle.y > last.y > 0
    assert middle.y == (first.y + last.y) / 2


def test_a_single_week_lies_in_the_middle() -> None:
    """And nothing is said of a change."""
    (chart,) = trends_view(_stats(_week(0, tone=70)), days=30, by_bucket=False).charts
    assert ((70, None), 1) == ((chart.latest, chart.change), len(chart.lines[0].points))


def test_the_change_is_that_of_all_sessions() -> None:
    """From the first week with an average to the last."""
    rows = [_week(2, tone=80), _week(1, tone=None), _week(0, tone=60)]
    rows += [_week(2, "0-25", tone=10), _week(0, "0-25", tone=100)]
    (chart,) = trends_view(_stats(*rows), days=30, by_bucket=True).charts
    assert (60, -20) == (chart.latest, chart.change)
    assert ["overall", "0-25"] == [line.bucket for line in chart.lines]


def test_every_number_is_listed_latest_week_first() -> None:
    """All sessions before the buckets, those from the least complex on."""
    rows = [_week(1), _week(0), _week(0, "76+"), _week(0, "0-25"), _week(1, "26-50")]
    view = trends_view(_stats(*rows), days=30, by_bucket=True)
    assert [(0, "overall"), (0, "0-25"), (0, "76+"), (1, "overall"), (1, "26-50")] == [
        ((MONDAY - row.week_start).days // 7, row.bucket) for row in view.rows
    ]
    assert ("0-25", "26-50", "76+") == view.buckets


def test_a_period_of_its_own_is_offered_too() -> None:
    """Whoever asks for 45 days sees that it is 45 days."""
    view = trends_view(_stats(), days=45, by_bucket=True)
    assert ["7 days", "30 days", "45 days", "90 days", "365 days"] == [
        one.words for one in view.periods
    ]
    assert ["/trends?days=45&by_bucket=1"] == [one.url for one in view.periods if one.current]


def test_the_legend_shows_each_line_as_it_is_drawn() -> None:
    """Also where a bucket between others holds no session."""
    rows = [_week(ago, bucket, tone=50) for ago in (1, 0) for bucket in ("overall", "0-25", "76+")]
    view = trends_view(_stats(*rows), days=30, by_bucket=True)
    page = rendering.page(
        "trends.html", here="Trends", view=view, width=WIDTH, height=HEIGHT, order=ORDER
    )
    legend = re.findall(r'<path class="line (b\d)"', page)
    assert ["b0", "b1", "b4"] == legend
    assert legend == sorted(re.findall(r'<polyline class="line (b\d)"', page))
