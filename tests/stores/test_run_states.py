"""What is kept of runs in the background, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from listing_values import AXES, CURRENT, NOW, both, recorded
from store_values import run

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.listings import SessionQuery
from pytest_sessioneval.stores.run_statuses import BackgroundRun, PlacedSession, RunSession
from pytest_sessioneval.stores.sql import SqlStore

RUN = BackgroundRun("run-1", '{"scope":"all"}', "here", NOW)
LATER = NOW + timedelta(minutes=5)


def placed(name: str, **fields: object) -> PlacedSession:
    """Return a session of the suite; pending."""
    now = RunSession.model_validate({"session_id": f"{name}-id", "state": "pending", **fields})
    return PlacedSession("airline", name, now)


def test_a_run_that_begins_is_kept_with_its_request(store: SqlStore) -> None:
    """It is running, and says what was asked for, whose it is and when that was last seen."""
    store.run_states.begin(RUN, NOW)
    assert {"run-1": RUN} == store.run_states.of(["run-1", "another"])
    row = store.run("run-1")
    assert row is not None
    assert ("running", NOW, None) == (row.state, row.started_at, row.finished_at)


def test_a_run_of_pytest_is_none_in_the_background(store: SqlStore) -> None:
    """What only the table of runs knows is not found here."""
    store.finish_run(run("run-1"), state="done")
    assert {} == store.run_states.of(["run-1"])


def test_a_run_that_is_not_there_is_none(store: SqlStore) -> None:
    """Asking for an unknown id finds nothing."""
    assert store.run("nowhere") is None


def test_who_judges_is_kept_later(store: SqlStore) -> None:
    """Putting a run again sets who judges, and leaves owner and time alone."""
    store.run_states.begin(RUN, NOW)
    judged = replace(RUN, judge_model="evidence", judge_version="e@1#a", rubric_version="r@1#b")
    store.run_states.put(replace(judged, owner="elsewhere", seen_at=LATER))
    assert judged == store.run_states.of(["run-1"])["run-1"]


def test_sessions_of_a_run_come_back_in_order(store: SqlStore) -> None:
    """By position, whatever order they were put in; the same position again replaces."""
    done = placed("a", state="ok", avg={"goal_completion": 70, "efficiency": None})
    broke = placed("c", state="failed", error="JudgeError: \0 “no”")
    store.run_states.put_sessions("run-1", [(2, broke), (0, placed("a")), (1, placed("b"))])
    store.run_states.put_sessions("run-1", [(0, done)])
    store.run_states.put_sessions("run-2", [(0, placed("z"))])
    found = store.run_states.sessions(["run-1", "run-2"])
    assert {"run-1": [done, placed("b"), broke], "run-2": [placed("z")]} == found


def test_a_session_that_cannot_be_read_is_told_with_its_table(store: SqlStore) -> None:
    """A row that somebody broke is an error that names the table."""
    store.run_states.put_sessions("run-1", [(0, placed("a"))])
    with store._database.writing() as transaction:
        transaction.run("UPDATE run_sessions SET state = 'odd'")
    with pytest.raises(StoreError, match="of table run_sessions cannot be read"):
        store.run_states.sessions(["run-1"])


def test_runs_that_never_ended_are_found(store: SqlStore) -> None:
    """Only those in the background that are still running."""
    store.run_states.begin(RUN, NOW)
    store.run_states.begin(replace(RUN, run_id="run-2"), NOW)
    store.run_states.end("run-2", "failed", LATER)
    store.start_run("of pytest", NOW)
    assert (RUN,) == store.run_states.running()


def test_a_run_ends_without_a_summary(store: SqlStore) -> None:
    """State and time are noted."""
    store.run_states.begin(RUN, NOW)
    store.run_states.end("run-1", "failed", LATER)
    row = store.run("run-1")
    assert row is not None
    assert ("failed", LATER, None) == (row.state, row.finished_at, row.summary)


def test_an_abandoned_run_ended_when_its_owner_was_last_seen(store: SqlStore) -> None:
    """It is interrupted, at the time of the last sign of life."""
    store.run_states.begin(RUN, NOW - timedelta(hours=1))
    store.run_states.seen("here", ["run-1"], NOW)
    (kept,) = store.run_states.running()
    store.run_states.end_abandoned(kept)
    row = store.run("run-1")
    assert row is not None
    assert ("interrupted", NOW) == (row.state, row.finished_at)


def test_a_run_that_was_taken_over_is_not_abandoned(store: SqlStore) -> None:
    """Who looked before somebody took the run ends nothing."""
    store.run_states.begin(RUN, NOW)
    store.run_states.end_abandoned(RUN)
    assert store.run_states.take(RUN, "interrupted", owner="there", now=LATER)
    store.run_states.end_abandoned(RUN)
    row = store.run("run-1")
    assert row is not None
    assert "running" == row.state


def test_one_alone_takes_over_a_run(store: SqlStore) -> None:
    """The first gets it, running and not cancelled; the second, who saw the old owner, does not."""
    store.run_states.begin(RUN, NOW)
    store.run_states.cancel("run-1")
    store.run_states.end("run-1", "cancelled", NOW)
    first = store.run_states.take(RUN, "cancelled", owner="first", now=LATER)
    second = store.run_states.take(RUN, "cancelled", owner="second", now=LATER)
    assert [True, False] == [first, second]
    taken = store.run_states.of(["run-1"])["run-1"]
    assert replace(RUN, owner="first", seen_at=LATER) == taken
    row = store.run("run-1")
    assert row is not None
    assert ("running", NOW, None) == (row.state, row.started_at, row.finished_at)


def test_the_owner_hears_which_of_its_runs_are_to_end(store: SqlStore) -> None:
    """Saying that one works on runs tells those that somebody wants ended, and notes the time."""
    store.run_states.begin(RUN, NOW)
    store.run_states.begin(replace(RUN, run_id="run-2"), NOW)
    store.run_states.cancel("run-2")
    assert {"run-2"} == store.run_states.seen("here", ["run-1", "run-2"], LATER)
    assert LATER == store.run_states.of(["run-1"])["run-1"].seen_at


def test_who_does_not_own_a_run_cannot_keep_it_alive(store: SqlStore) -> None:
    """The time of the last sign of life is the owner's."""
    store.run_states.begin(RUN, NOW)
    store.run_states.seen("there", ["run-1"], LATER)
    assert NOW == store.run_states.of(["run-1"])["run-1"].seen_at


def test_what_a_run_asked_is_found_with_its_averages(store: SqlStore) -> None:
    """Per session that the run asked about and nobody has since, as listings average it."""
    store.put_sessions([recorded("a"), recorded("b")])
    store.put_opinions("run-1", [*both("a"), *both("b")])
    store.put_opinions("run-2", both("b"))
    found = store.run_states.judged(["run-1", "run-2", "run-3"])
    listed = store.list_sessions(SessionQuery(), [CURRENT])
    averages = {one.key: one.overview.latest_avg for one in listed}
    assert {"run-1": ["a"], "run-2": ["b"]} == {
        run_id: [one.key for one in sessions] for run_id, sessions in found.items()
    }
    (session,) = found["run-1"]
    assert (session.suite, session.now.session_id, session.now.state) == ("airline", "a-id", "ok")
    assert session.now.avg is not None
    assert averages["a"] == dict.fromkeys(AXES) | session.now.avg


def test_evaluated_keys_are_those_that_listings_show_as_evaluated(store: SqlStore) -> None:
    """Pending and stale ones lack: another judge, another transcript, an expert missing."""
    store.put_sessions([recorded(name) for name in "abcd"] + [recorded("a", suite="retail")])
    store.put_opinions("run-1", [*both("a"), *both("b")[:1], *both("c", judge="panel@1#other")])
    query = SessionQuery(status="evaluated")
    assert {"a"} == {one.key for one in store.list_sessions(query, [CURRENT])}
    assert {"a"} == store.evaluated_keys(CURRENT)
    assert {"a", "b"} == store.evaluated_keys(replace(CURRENT, experts=()))
