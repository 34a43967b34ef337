"""One session with all that is kept of it, and weekly averages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from served import AXES, NOW, Caller, asked, evaluated, record

from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.listings import CurrentVersions

OpenService = Callable[..., Service]
Call = Callable[..., Caller]


@pytest.fixture
def shop(open_service: OpenService, tmp_path: Path) -> Service:
    """Return a service of four sessions."""
    return open_service(record(tmp_path / "shop", *map(asked, "abcd")))


def weeks(client: Caller, query: str = "") -> list[dict[str, Any]]:
    """Return the rows of the weekly averages."""
    rows: list[dict[str, Any]] = client.get(f"/eval/stats{query}").json()["weekly"]
    return rows


def test_a_detail_has_one_row_per_expert_newest_first(shop: Service, call: Call) -> None:
    """Of every evaluation, also of older ones, with the scores that the expert gave."""
    evaluated(shop, "a", {"efficiency": 20}, expert="one", days_ago=3)
    evaluated(shop, "a", {"efficiency": 40, "goal_completion": None}, expert="two", days_ago=1)
    rows = call(shop).get("/eval/sessions/a").json()["evaluations"]
    assert [
        ("two", {"efficiency": 40, "goal_completion": None}),
        ("one", {"efficiency": 20}),
    ] == [(row["expert_id"], row["scores"]) for row in rows]


def test_a_detail_has_the_feedback(shop: Service, call: Call) -> None:
    """People's thumbs, and the likes and dislikes of the overview are their counts."""
    client = call(shop)
    for index, rating in ((0, 1), (2, -1), (3, -1)):
        sent = {"session_id": "a", "message_index": index, "rating": rating}
        client.post("/eval/feedback", json=sent)
    detail, overview = client.get("/eval/sessions/a").json(), client.get("/eval/sessions").json()
    assert [(0, 1), (2, -1), (3, -1)] == [
        (one["message_index"], one["rating"]) for one in detail["feedback"]
    ]
    assert (1, 2) == (overview[0]["likes"], overview[0]["dislikes"])


def test_a_session_nobody_knows_is_not_found(service: Service, call: Call) -> None:
    """The answer names the id."""
    answer = call(service).get("/eval/sessions/task-99")
    assert (404, {"detail": "session not found: task-99"}) == (answer.status_code, answer.json())


# weekly averages


def test_buckets_are_overall_alone_unless_split(shop: Service, call: Call) -> None:
    """The names of the buckets are there whether or not a session is in them."""
    client = call(shop)
    split = client.get("/eval/stats?by_complexity_bucket=true").json()
    assert ["overall"] == client.get("/eval/stats").json()["buckets"]
    assert ["0-25", "26-50", "51-75", "76+"] == split["buckets"]


def test_every_row_has_all_seven_axes(shop: Service, call: Call) -> None:
    """As integers or null, in weeks that begin on Monday at 00:00 UTC."""
    evaluated(shop, "a", {"efficiency": 60})
    (row,) = weeks(call(shop))
    assert "2026-11-16T00:00:00Z" == row["week_start"]
    assert dict.fromkeys(AXES) | {"efficiency": 60} == row["axis_means"]


def test_means_are_over_sessions_each_over_its_experts_first(shop: Service, call: Call) -> None:
    """A session that two experts looked at counts as much as another: (mean(0, 50) + 80) / 2."""
    (now,) = shop.current()
    for expert, score in (("evidence", 0), ("two", 50)):
        evaluated(shop, "a", {"efficiency": score}, expert=expert)
    evaluated(shop, "b", {"efficiency": 80})
    evaluated(shop, "c", {"efficiency": 90})
    both = CurrentVersions(now.suite, now.rubric_version, now.judge_version, (), now.axes)
    stats = shop.store.weekly_stats([both], since=NOW - timedelta(days=30))
    assert [(3, 65)] == [(row.sample_count, row.axis_means["efficiency"]) for row in stats.weekly]
    (row,) = weeks(call(shop))
    assert (2, 85) == (row["sample_count"], row["axis_means"]["efficiency"])


@pytest.mark.parametrize(
    ("complexity", "bucket"),
    [((25,), "0-25"), ((25, 26), "26-50"), ((50,), "26-50"), ((51,), "51-75"), ((76,), "76+")],
)
def test_a_bucket_is_decided_on_the_unrounded_complexity(
    shop: Service, call: Call, complexity: tuple[int, ...], bucket: str
) -> None:
    """25.5 is above 25 though it is rounded to 26; the row of all sessions comes first."""
    (now,) = shop.current()
    for number, score in enumerate(complexity):
        evaluated(shop, "a", {"task_complexity": score}, expert=("evidence", "two")[number])
    if len(complexity) > 1:
        both = CurrentVersions(now.suite, now.rubric_version, now.judge_version)
        stats = shop.store.weekly_stats([both], since=NOW - timedelta(days=30), by_bucket=True)
        assert ["overall", bucket] == [row.bucket for row in stats.weekly]
    else:
        rows = weeks(call(shop), "?by_complexity_bucket=true")
        assert ["overall", bucket] == [row["bucket"] for row in rows]


def test_without_a_complexity_a_session_is_in_overall_only(shop: Service, call: Call) -> None:
    """And `overall` is there, split or not."""
    evaluated(shop, "a", {"task_complexity": None, "efficiency": 60})
    client = call(shop)
    assert weeks(client) == weeks(client, "?by_complexity_bucket=true")
    assert ["overall"] == [row["bucket"] for row in weeks(client)]


def test_only_evaluations_of_current_versions_within_the_days_count(
    shop: Service, call: Call
) -> None:
    """Older ones and those of other judges are left out; of a session the latest counts."""
    (now,) = shop.current()
    other = CurrentVersions(now.suite, now.rubric_version, "panel@1#old")
    evaluated(shop, "a", {"efficiency": 10}, days_ago=40)
    evaluated(shop, "b", {"efficiency": 20}, versions=other)
    evaluated(shop, "c", {"efficiency": 30}, days_ago=3)
    evaluated(shop, "c", {"efficiency": 40}, days_ago=1)
    client = call(shop)
    assert [40] == [row["axis_means"]["efficiency"] for row in weeks(client)]
    assert [10, 40] == [row["axis_means"]["efficiency"] for row in weeks(client, "?days=41")]
    assert [] == weeks(client, "?days=1")[1:]


def test_rounding_is_that_of_python(shop: Service, call: Call) -> None:
    """A half goes to the even neighbour."""
    for session_id, score in zip("abcd", (60, 61, 60, 61), strict=True):
        evaluated(shop, session_id, {"efficiency": score, "communication": score + 1})
    (row,) = weeks(call(shop))
    assert (60, 62) == (row["axis_means"]["efficiency"], row["axis_means"]["communication"])


@pytest.mark.parametrize("query", ["days=0", "days=366", "days=x", "by_complexity_bucket=2"])
def test_stats_refuse_what_they_do_not_know(service: Service, call: Call, query: str) -> None:
    """The answer names the parameter."""
    answer = call(service).get(f"/eval/stats?{query}")
    field = query.partition("=")[0]
    assert (422, ["query", field]) == (answer.status_code, answer.json()["detail"][0]["loc"])
