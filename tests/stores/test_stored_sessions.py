"""Sessions in a store: their status, their times, and the files they were read from."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from store_values import START, indexed, session, stored, summary

from pytest_sessioneval.stores.protocol import (
    IndexedFile,
)
from pytest_sessioneval.stores.rows import instant
from pytest_sessioneval.stores.sql import SqlStore


# statuses
def test_a_session_without_evaluation_is_pending(store: SqlStore) -> None:
    """No opinion at all means pending."""
    assert store.statuses("airline", {"task-1": ["key-1"]}) == {"task-1": "pending"}


def test_a_session_with_every_expected_opinion_is_evaluated(store: SqlStore) -> None:
    """An opinion under each expected key means evaluated."""
    store.put_opinions("run-1", [stored("key-1"), stored("key-2")])
    assert store.statuses("airline", {"task-1": ["key-1", "key-2"]}) == {"task-1": "evaluated"}


def test_a_session_that_lacks_one_expected_opinion_is_stale(store: SqlStore) -> None:
    """Two experts of three are no evaluation under today's panel."""
    store.put_opinions("run-1", [stored("key-1"), stored("key-2")])
    expected = {"task-1": ["key-1", "key-2", "key-3"]}
    assert store.statuses("airline", expected) == {"task-1": "stale"}


def test_a_session_judged_under_other_keys_only_is_stale(store: SqlStore) -> None:
    """Evaluations under yesterday's keys mean stale."""
    store.put_opinions("run-1", [stored("old")])
    assert store.statuses("airline", {"task-1": ["new"]}) == {"task-1": "stale"}


def test_an_opinion_on_the_same_transcript_counts_in_every_suite(store: SqlStore) -> None:
    """A key holds all that an expert was shown, so whose suite asked does not matter."""
    store.put_opinions("run-1", [stored("key-1", suite="airline")])
    assert store.statuses("retail", {"other": ["key-1"]}) == {"other": "evaluated"}


def test_another_suites_session_of_that_name_says_nothing(store: SqlStore) -> None:
    """Evaluations of a session with the same key in another suite do not make this one stale."""
    store.put_opinions("run-1", [stored("old", suite="airline", session="task-1")])
    assert store.statuses("retail", {"task-1": ["new"]}) == {"task-1": "pending"}


def test_a_session_nobody_is_expected_to_judge_is_not_evaluated(store: SqlStore) -> None:
    """An empty list of keys never counts as judged."""
    assert store.statuses("airline", {"task-1": []}) == {"task-1": "pending"}


# sessions
def test_a_session_comes_back_as_it_was(store: SqlStore) -> None:
    """Every field of a session's summary survives the store, types included."""
    store.put_sessions([session()])
    assert (session(),) == store.sessions()


def test_a_session_put_again_is_refreshed(store: SqlStore) -> None:
    """The same suite and key again replaces what was kept."""
    store.put_sessions([session(messages=3)])
    store.put_sessions([session(messages=4)])
    assert (session(messages=4),) == store.sessions()


def test_sessions_are_listed_by_suite_and_key(store: SqlStore) -> None:
    """Listings do not depend on the order of writing."""
    store.put_sessions([session("b", suite="x"), session("a", suite="y"), session("a", suite="x")])
    listed = [(found.suite, found.key) for found in store.sessions()]
    assert listed == [("x", "a"), ("x", "b"), ("y", "a")]


def test_sessions_of_one_suite_leave_out_the_others(store: SqlStore) -> None:
    """A suite's listing holds its own sessions only."""
    store.put_sessions([session("a", suite="x"), session("b", suite="y")])
    assert (session("b", suite="y"),) == store.sessions("y")


def test_a_sessions_times_are_queried_in_utc(store: SqlStore) -> None:
    """A time recorded with an offset is kept in UTC, so that text order is time order."""
    at = datetime(2026, 1, 2, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    with_offset = summary().model_copy(update={"created_at": at})
    store.put_sessions([session().model_copy(update={"summary": with_offset})])
    rows = store._database.rows("SELECT created_at FROM sessions")
    assert rows == [("2026-01-01T23:00:00.000000Z",)]


@pytest.mark.parametrize(
    ("expected", "at"),
    [
        ("2026-01-02T03:04:05.000006Z", START),
        ("2026-01-02T03:04:05.000000Z", START.replace(microsecond=0)),
        ("2026-01-02T03:04:05.000006Z", START.replace(tzinfo=None)),
        ("0001-01-01T00:00:00.000000Z", datetime.min.replace(tzinfo=timezone(timedelta(hours=9)))),
    ],
    ids=["utc", "whole second", "no zone counts as utc", "year one with an offset"],
)
def test_an_instant_is_text_of_one_width(expected: str, at: datetime) -> None:
    """Every time is written with six decimals in UTC, whatever a transcript claims."""
    assert expected == instant(at)


# files
def test_an_indexed_file_comes_back_as_it_was(store: SqlStore) -> None:
    """A file's sessions, skipped lines and unknown records survive the store."""
    store.index_files([indexed()])
    assert {"c" * 64: indexed()} == store.indexed_files(["c" * 64], "readers-1")


def test_a_file_that_holds_no_session_is_known_as_such(store: SqlStore) -> None:
    """That no reader recognised a file is remembered too."""
    nothing = IndexedFile("c", "readers-1", None, (), {}, {})
    store.index_files([nothing])
    assert {"c": nothing} == store.indexed_files(["c"], "readers-1")


def test_a_file_read_by_other_readers_is_unknown(store: SqlStore) -> None:
    """What earlier reader versions saw in a file is not used."""
    store.index_files([indexed(readers="readers-1")])
    assert store.indexed_files(["c" * 64], "readers-2") == {}


def test_a_file_indexed_again_is_replaced(store: SqlStore) -> None:
    """The same bytes and readers again replace what was kept."""
    store.index_files([indexed()])
    store.index_files([IndexedFile("c" * 64, "readers-1", None, (), {}, {})])
    assert store.indexed_files(["c" * 64], "readers-1")["c" * 64].sessions == ()
