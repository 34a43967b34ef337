"""Weekly averages, on both databases, and against an independent computation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from listing_values import AXES, CURRENT, NOW, both, recorded, said

from pytest_sessioneval.judging.panel import combine
from pytest_sessioneval.stores.listings import SessionQuery, StatsResponse, WeekRow
from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.suites.rubric import load_rubric

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
_WEEK = timedelta(weeks=1)


def _stats(store: SqlStore, *, days: int = 30, by_bucket: bool = False) -> StatsResponse:
    return store.weekly_stats([CURRENT], since=NOW - timedelta(days=days), by_bucket=by_bucket)


def _row(week: datetime, bucket: str, count: int, **means: int) -> WeekRow:
    axis_means: dict[str, int | None] = dict.fromkeys(AXES)
    return WeekRow(
        week_start=week, bucket=bucket, sample_count=count, axis_means=axis_means | means
    )


def _whole(key: str, *, days_ago: float = 0, **axes: int) -> list[StoredOpinion]:
    return [said(key, axes, expert=expert, days_ago=days_ago) for expert in CURRENT.experts]


def test_nothing_evaluated_is_no_week(store: SqlStore) -> None:
    """Without evaluations there are buckets and no rows."""
    assert StatsResponse(buckets=("overall",), weekly=()) == _stats(store)


def test_weeks_begin_on_monday(store: SqlStore) -> None:
    """The last moment of Sunday and the first of Monday fall into two weeks."""
    since_monday = (NOW - MONDAY) / timedelta(days=1)
    store.put_opinions("run-1", both("monday", 80, days_ago=since_monday))
    store.put_opinions("run-1", both("sunday", 40, days_ago=since_monday + 1e-9))
    store.put_opinions("run-1", both("today", 60))
    assert (
        _row(MONDAY - _WEEK, "overall", 1, goal_completion=40),
        _row(MONDAY, "overall", 2, goal_completion=70),
    ) == _stats(store).weekly


def test_only_the_last_days_count(store: SqlStore) -> None:
    """An evaluation older than asked for is left out."""
    store.put_opinions("run-1", both("new", 80, days_ago=6.9))
    store.put_opinions("run-1", both("old", 20, days_ago=7.1))
    assert [1] == [row.sample_count for row in _stats(store, days=7).weekly]


@pytest.mark.parametrize(
    "versions",
    [{"judge_version": "x"}, {"rubric_version": "x"}, {"suite": "x"}, {"experts": ("x",)}],
    ids=["judge", "rubric", "suite", "panel"],
)
def test_only_current_versions_count(store: SqlStore, versions: dict[str, Any]) -> None:
    """Evaluations by another judge, rubric, suite or panel are left out."""
    store.put_opinions("run-1", both("a"))
    current = replace(CURRENT, **versions)
    assert () == store.weekly_stats([current], since=NOW - timedelta(days=1)).weekly


def test_an_evaluation_that_lacks_an_expert_does_not_count(store: SqlStore) -> None:
    """A verdict exists only when every expected expert answered."""
    store.put_opinions("run-1", both("a")[:1])
    assert () == _stats(store).weekly


def test_the_latest_evaluation_of_a_session_counts(store: SqlStore) -> None:
    """A session that grew counts once, in the week of its latest evaluation."""
    store.put_opinions("run-1", both("a", 20, days_ago=8))
    grown = [replace(one, digest="d2") for one in both("a", 80)]
    store.put_opinions("run-2", grown)
    assert (_row(MONDAY, "overall", 1, goal_completion=80),) == _stats(store).weekly


def test_a_later_evaluation_by_another_judge_hides_nothing(store: SqlStore) -> None:
    """The latest of the current versions counts, also when others came after it."""
    store.put_opinions("run-1", both("a", 80, days_ago=1))
    store.put_opinions("run-2", both("a", 20, judge="panel@1#other"))
    assert (_row(MONDAY, "overall", 1, goal_completion=80),) == _stats(store).weekly


def test_means_are_over_sessions(store: SqlStore) -> None:
    """Each session counts once, however many experts scored it on an axis."""
    store.put_opinions(
        "run-1",
        [
            said("a", {"efficiency": 100}, expert="outcome"),
            said("a", {"efficiency": 100}, expert="process"),
            said("b", {"efficiency": 0}, expert="outcome"),
            said("b", {"safety": 10}, expert="process"),
        ],
    )
    assert (_row(MONDAY, "overall", 2, efficiency=50, safety=10),) == _stats(store).weekly


def test_halves_are_rounded_to_even(store: SqlStore) -> None:
    """62.5 is 62 and 63.5 is 64, as Python rounds."""
    store.put_opinions(
        "run-1",
        _whole("a", efficiency=62, safety=63) + _whole("b", efficiency=63, safety=64),
    )
    assert (_row(MONDAY, "overall", 2, efficiency=62, safety=64),) == _stats(store).weekly


def test_buckets_follow_the_rows_of_all_sessions(store: SqlStore) -> None:
    """Overall rows come first; buckets are decided on the unrounded complexity."""
    quarter = [
        said("over 25", {"task_complexity": 25, "safety": 40}, expert="outcome"),
        said("over 25", {"task_complexity": 26, "safety": 40}, expert="process"),
    ]
    store.put_opinions(
        "run-1",
        [
            *_whole("25", task_complexity=25, safety=20),
            *quarter,
            *_whole("75", task_complexity=75, safety=60),
            *_whole("76", task_complexity=76, safety=80),
            *_whole("none", safety=100),
            *_whole("before", task_complexity=50, days_ago=7),
        ],
    )
    assert StatsResponse(
        buckets=("0-25", "26-50", "51-75", "76+"),
        weekly=(
            _row(MONDAY - _WEEK, "overall", 1, task_complexity=50),
            _row(MONDAY, "overall", 5, task_complexity=50, safety=60),
            _row(MONDAY - _WEEK, "26-50", 1, task_complexity=50),
            _row(MONDAY, "0-25", 1, task_complexity=25, safety=20),
            _row(MONDAY, "26-50", 1, task_complexity=26, safety=40),
            _row(MONDAY, "51-75", 1, task_complexity=75, safety=60),
            _row(MONDAY, "76+", 1, task_complexity=76, safety=80),
        ),
    ) == _stats(store, by_bucket=True)


# against pandas and against the panel

_SCORES = st.dictionaries(
    st.sampled_from(AXES),
    st.one_of(st.integers(0, 100), st.sampled_from(["not_applicable", "unsupported"])),
    max_size=4,
)
_SESSIONS = st.lists(st.tuples(_SCORES, _SCORES, st.integers(0, 40)), min_size=1, max_size=12)
_suites = itertools.count()


@pytest.fixture
def new_suite() -> Callable[[], str]:
    """Return what names a suite that nothing was put into: examples share one store."""
    return lambda: f"suite {next(_suites)}"


def _opinions(
    suite: str, sessions: Sequence[tuple[dict[str, Any], dict[str, Any], int]]
) -> list[StoredOpinion]:
    return [
        said(f"s{number}", axes, expert=expert, suite=suite, days_ago=days)
        for number, (first, second, days) in enumerate(sessions)
        for expert, axes in zip(CURRENT.experts, (first, second), strict=True)
    ]


def _frame(opinions: Sequence[StoredOpinion]) -> pd.DataFrame:
    """Return a row per session: its week and the unrounded mean of each axis, by pandas."""
    rows = pd.DataFrame(
        {
            "key": [one.key for one in opinions],
            "at": pd.to_datetime([one.opinion.judged_at for one in opinions]),
            **{
                axis: pd.array(
                    [getattr(one.opinion.axes.get(axis), "score", None) for one in opinions],
                    dtype="Float64",
                )
                for axis in AXES
            },
        }
    )
    sessions = rows.groupby("key").agg({"at": "first", **dict.fromkeys(AXES, "mean")})
    naive = sessions["at"].dt.tz_localize(None)
    sessions["week"] = naive.dt.to_period("W-SUN").dt.start_time.dt.tz_localize("UTC")
    edges = [-1, 25, 50, 75, 100]
    complexity = sessions["task_complexity"].astype("float64")
    sessions["bucket"] = pd.cut(complexity, edges, labels=["0-25", "26-50", "51-75", "76+"])
    return sessions


def _same(shown: int | None, mean: Any) -> bool:
    """Whether an integer is the mean rounded; a sum of floats may miss a half by a hair."""
    if shown is None or pd.isna(mean):
        return shown is None and bool(pd.isna(mean))
    return shown == round(mean) or abs(abs(float(mean) - int(mean)) - 0.5) < 1e-9


@given(sessions=_SESSIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_averages_equal_those_of_pandas(
    store: SqlStore, new_suite: Callable[[], str], sessions: Any
) -> None:
    """Weeks, buckets, counts and means are those that a data frame gives."""
    suite = new_suite()
    opinions = _opinions(suite, sessions)
    store.put_opinions("run-1", opinions)
    found = store.weekly_stats(
        [replace(CURRENT, suite=suite)], since=NOW - timedelta(days=365), by_bucket=True
    )
    frame = _frame(opinions)
    rows = {(row.week_start, row.bucket): row for row in found.weekly}
    groups: dict[Any, pd.DataFrame] = {}
    for week, group in frame.groupby("week"):
        groups[week, "overall"] = group
    groups |= dict(iter(frame.groupby(["week", "bucket"], observed=True)))
    assert {(week.to_pydatetime(), bucket) for week, bucket in groups} == set(rows)
    for (week, bucket), group in groups.items():
        row = rows[week.to_pydatetime(), bucket]
        assert len(group) == row.sample_count
        for axis in AXES:
            assert _same(row.axis_means[axis], group[axis].mean()), (week, bucket, axis)


_REASONS = st.sampled_from(
    ["not_applicable", "unsupported", "unverified", "tampered", "failed", "declined"]
)


@given(scores=st.lists(st.one_of(st.integers(0, 100), _REASONS), min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_averages_of_a_session_are_those_of_its_verdict(
    store: SqlStore, new_suite: Callable[[], str], scores: list[Any]
) -> None:
    """What the store keeps of a panel gives the score that the panel's verdict has."""
    suite = new_suite()
    opinions = [
        said("s", {"efficiency": score}, expert=f"e{number}", suite=suite)
        for number, score in enumerate(scores)
    ]
    session = recorded("s", suite=suite)
    store.put_sessions([session])
    store.put_opinions("run-1", opinions)
    verdict = combine(
        load_rubric("agent", base=Path()),
        session,
        [one.opinion for one in opinions],
        from_store=False,
    )
    (listed,) = store.list_sessions(SessionQuery(suite=suite), [CURRENT])
    assert listed.overview.latest_avg is not None
    score = verdict.scores.get("efficiency")
    whole = [value for value in scores if isinstance(value, int)]
    exact = None if score is None else round(Fraction(sum(whole), len(whole)))
    assert exact == listed.overview.latest_avg["efficiency"]
    assert score is None or abs(score - sum(whole) / len(whole)) < 1e-9
