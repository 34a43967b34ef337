"""Listings of sessions: order, status, averages and filters, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from listing_values import AXES, CURRENT, NOW, both, recorded, said

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.listings import SessionOverview, SessionQuery
from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.suites.model import FeedbackEntry


def _keys(store: SqlStore, query: SessionQuery | None = None) -> list[str]:
    return [listed.key for listed in store.list_sessions(query or SessionQuery(), [CURRENT])]


def _only(store: SqlStore) -> SessionOverview:
    (listed,) = store.list_sessions(SessionQuery(), [CURRENT])
    return listed.overview


# order and pages


def test_pinned_sessions_come_first_then_the_last_active(store: SqlStore) -> None:
    """Pinned ones lead, each part newest first; those without a time come last."""
    hour = timedelta(hours=1)
    store.put_sessions(
        [
            recorded("old", active=NOW - hour),
            recorded("timeless", active=None),
            recorded("new", active=NOW),
            recorded("pinned old", active=NOW - 2 * hour, pinned=True),
            recorded("pinned new", active=NOW - hour, pinned=True),
        ]
    )
    assert ["pinned new", "pinned old", "new", "old", "timeless"] == _keys(store)


def test_pages_follow_one_another(store: SqlStore) -> None:
    """Limit and offset cut one order into pages, ties included."""
    names = [f"s{number}" for number in range(7)]
    store.put_sessions([recorded(name) for name in names])
    pages = [_keys(store, SessionQuery(limit=3, offset=offset)) for offset in (0, 3, 6, 9)]
    assert [names[:3], names[3:6], names[6:], []] == pages


def test_one_id_lists_its_sessions_and_no_others(store: SqlStore) -> None:
    """A session of that id in every suite that has one, in the order of listings, cut as asked."""
    store.put_sessions([recorded("a", suite="retail"), recorded("a"), recorded("b")])
    store.put_opinions("run-1", both("a"))
    found = store.list_sessions(SessionQuery(session_id="a-id"), [CURRENT])
    assert [("airline", "a", "evaluated"), ("retail", "a", "pending")] == [
        (one.suite, one.key, one.overview.eval_status) for one in found
    ]
    assert found[1:] == store.list_sessions(
        SessionQuery(session_id="a-id", limit=1, offset=1), [CURRENT]
    )


def test_filters_leave_out_the_others(store: SqlStore) -> None:
    """Profile, suite and time of recording filter; a session without a time stays."""
    day = timedelta(days=1)
    store.put_sessions(
        [
            recorded("a", profile="refunds", created=NOW - day),
            recorded("b", suite="retail", created=NOW),
            recorded("c", profile="refunds", created=None),
        ]
    )
    assert ["a", "c"] == _keys(store, SessionQuery(profile="refunds"))
    assert ["b"] == _keys(store, SessionQuery(suite="retail"))
    assert ["c", "b"] == _keys(store, SessionQuery(since=NOW))
    assert [] == _keys(store, SessionQuery(suite="retail", profile="refunds"))


# status


@pytest.mark.parametrize(
    ("status", "opinions"),
    [
        ("pending", ()),
        ("evaluated", both("a")),
        ("stale", both("a")[:1]),
        ("stale", both("a", judge="panel@1#other")),
        ("stale", tuple(replace(one, digest="d0") for one in both("a"))),
        ("stale", (*both("a", days_ago=1), *both("a", judge="panel@1#other"))),
        ("evaluated", (*both("a"), *both("a", judge="panel@1#other", days_ago=1))),
        ("evaluated", (*both("a"), said("a", {"efficiency": 20}, expert="process", repeat=1))),
    ],
    ids=[
        "no evaluation",
        "both experts",
        "one expert of two",
        "another judge",
        "another transcript",
        "the latest is another judge's",
        "an earlier one is another judge's",
        "asked more than once",
    ],
)
def test_status_is_that_of_the_latest_evaluation(
    store: SqlStore, status: str, opinions: tuple[StoredOpinion, ...]
) -> None:
    """Current versions, current transcript and every expected expert make it evaluated."""
    store.put_sessions([recorded("a")])
    store.put_opinions("run-1", opinions)
    assert status == _only(store).eval_status
    for asked in ("evaluated", "pending", "stale"):
        found = _keys(store, SessionQuery(status=asked))
        assert (["a"] if asked == status else []) == found


def test_a_rubric_that_changed_makes_evaluations_stale(store: SqlStore) -> None:
    """What was judged by another rubric is not current."""
    store.put_sessions([recorded("a")])
    store.put_opinions("run-1", both("a"))
    (listed,) = store.list_sessions(SessionQuery(), [replace(CURRENT, rubric_version="agent@2#x")])
    assert "stale" == listed.overview.eval_status


def test_a_transcript_that_grew_makes_evaluations_stale(store: SqlStore) -> None:
    """The session's digest is the current one, whichever was judged."""
    store.put_sessions([recorded("a")])
    store.put_opinions("run-1", both("a"))
    store.put_sessions([recorded("a", digest="d2")])
    assert "stale" == _only(store).eval_status


def test_without_current_versions_nothing_is_evaluated(store: SqlStore) -> None:
    """Where nobody knows what is current, judged sessions are stale."""
    store.put_sessions([recorded("a"), recorded("b")])
    store.put_opinions("run-1", both("a"))
    listed = store.list_sessions(SessionQuery(), [])
    assert ["stale", "pending"] == [one.overview.eval_status for one in listed]


def test_experts_that_are_not_known_are_not_asked_for(store: SqlStore) -> None:
    """With no word on the panel, versions and digest decide."""
    store.put_sessions([recorded("a")])
    store.put_opinions("run-1", both("a")[:1])
    (listed,) = store.list_sessions(SessionQuery(), [replace(CURRENT, experts=())])
    assert "evaluated" == listed.overview.eval_status


# averages


def test_averages_are_over_the_experts_of_the_latest_evaluation(store: SqlStore) -> None:
    """Every axis of the rubric is there; halves are rounded to even, missing scores are null."""
    store.put_sessions([recorded("a")])
    store.put_opinions("run-1", both("a", 100, judge="panel@1#old", days_ago=1))
    store.put_opinions(
        "run-2",
        [
            said("a", {"goal_completion": 60, "efficiency": 61, "safety": "not_applicable"}),
            said("a", {"goal_completion": 65, "safety": 40}, expert="process"),
        ],
    )
    expected = dict.fromkeys(AXES) | {"goal_completion": 62, "efficiency": 61, "safety": 40}
    assert expected == _only(store).latest_avg


@pytest.mark.parametrize("reason", ["unverified", "tampered"])
def test_an_axis_one_expert_cannot_vouch_for_has_no_average(store: SqlStore, reason: str) -> None:
    """There is no mean over the experts that survived, as in a verdict."""
    store.put_sessions([recorded("a")])
    axes = {"goal_completion": reason}
    store.put_opinions(
        "run-1",
        [said("a", {"goal_completion": 80}), said("a", axes, expert="process")],  # type: ignore[arg-type]  # a reason
    )
    average = _only(store).latest_avg
    assert average is not None
    assert average["goal_completion"] is None


def test_an_expert_asked_again_counts_once(store: SqlStore) -> None:
    """When what an expert is shown changed, its latest answer is the one that counts."""
    store.put_sessions([recorded("a")])
    later = said("a", {"goal_completion": 20}, shown="thumbs", days_ago=0)
    store.put_opinions("run-2", [later])
    store.put_opinions("run-1", [said("a", {"goal_completion": 100}, days_ago=1)])
    average = _only(store).latest_avg
    assert average is not None
    assert 20 == average["goal_completion"]


def test_an_overview_says_what_is_known(store: SqlStore) -> None:
    """Every field of a judged session with thumbs."""
    store.put_sessions([recorded("a", profile="refunds", created=NOW - timedelta(1), pinned=True)])
    store.put_opinions("run-1", both("a", 80))
    store.put_feedback(
        [
            FeedbackEntry(session_id="a-id", message_index=number, rating=rating)
            for number, rating in enumerate((1, 1, -1))
        ]
    )
    assert SessionOverview(
        session_id="a-id",
        profile_id="refunds",
        name="About a",
        created_at=NOW - timedelta(1),
        last_active=NOW,
        pinned=True,
        msg_count=5,
        likes=2,
        dislikes=1,
        eval_status="evaluated",
        latest_avg=dict.fromkeys(AXES) | {"goal_completion": 80},
        latest_eval_date=NOW,
        latest_judge_version="panel@1#j",
        latest_rubric_version="agent@1#r",
    ) == _only(store)


def test_an_overview_of_a_session_nobody_judged_has_no_average(store: SqlStore) -> None:
    """Without an evaluation there is neither average nor date nor version."""
    store.put_sessions([recorded("a")])
    overview = _only(store)
    assert (None, None, None, None) == (
        overview.latest_avg,
        overview.latest_eval_date,
        overview.latest_judge_version,
        overview.latest_rubric_version,
    )


# one session


def test_a_session_nobody_knows_has_no_detail(store: SqlStore) -> None:
    """An unknown id is None."""
    assert store.session_detail("nobody") is None


def test_a_detail_has_a_row_per_expert_newest_first(store: SqlStore) -> None:
    """Every opinion ever given is there, with its run, versions, scores and comment."""
    store.put_sessions([recorded("a"), recorded("b")])
    store.put_opinions("run-1", both("a", 20, judge="panel@1#old", days_ago=2))
    store.put_opinions("run-2", [*both("a", 80), *both("b")])
    store.put_feedback([FeedbackEntry(session_id="a-id", message_index=3, rating=-1)])
    detail = store.session_detail("a-id")
    assert detail is not None
    assert ("a-id", None, "About a", NOW, NOW, 5) == (
        detail.session_id,
        detail.profile_id,
        detail.name,
        detail.created_at,
        detail.last_active,
        detail.msg_count,
    )
    assert [(3, -1)] == [(entry.message_index, entry.rating) for entry in detail.feedback]
    assert [
        ("run-2", "outcome", {"goal_completion": 80}, "outcome on a", "panel@1#j"),
        ("run-2", "process", {"goal_completion": 80}, "process on a", "panel@1#j"),
        ("run-1", "outcome", {"goal_completion": 20}, "outcome on a", "panel@1#old"),
        ("run-1", "process", {"goal_completion": 20}, "process on a", "panel@1#old"),
    ] == [
        (row.eval_run_id, row.expert_id, row.scores, row.comment, row.judge_version)
        for row in detail.evaluations
    ]


def test_the_detail_of_an_id_in_two_suites_is_the_one_listed_first(store: SqlStore) -> None:
    """The same order decides as in listings: pinned, then the last active, then the suite."""
    day = timedelta(days=1)
    store.put_sessions([recorded("a", suite="x"), recorded("a", suite="y", active=NOW + day)])
    detail = store.session_detail("a-id")
    assert detail is not None
    assert NOW + day == detail.last_active
    store.put_sessions([recorded("a", suite="x", active=NOW - day, pinned=True)])
    detail = store.session_detail("a-id")
    assert detail is not None
    assert NOW - day == detail.last_active


def test_a_verdict_that_cannot_be_read_is_named(store: SqlStore) -> None:
    """A broken row is an error with table and key, never a missing average."""
    store.put_sessions([recorded("a")])
    store.put_opinions("run-1", both("a"))
    with store._database.writing() as transaction:
        transaction.run("UPDATE verdicts SET answers = ?", [("{",)])
    with pytest.raises(StoreError, match="cannot be read"):
        store.list_sessions(SessionQuery(), [CURRENT])
    with pytest.raises(StoreError, match="row 'a' of table verdicts cannot be read"):
        store.weekly_stats([CURRENT], since=NOW - timedelta(days=1))
