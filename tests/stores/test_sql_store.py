"""What a store keeps on either database, and that it comes back as it was."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from store_values import START, indexed, opinion, run, session, stored, summary

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.protocol import (
    IndexedFile,
    MeasuredNoise,
    RunRow,
    Store,
    StoredAdvice,
    StoredOpinion,
)
from pytest_sessioneval.stores.rows import instant
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.stores.summary import summarise
from pytest_sessioneval.suites.model import FeedbackEntry


def test_it_is_a_store(store: SqlStore) -> None:
    """It satisfies the protocol (checked by mypy) and opens empty."""
    any_store: Store = store
    assert any_store.runs() == ()


# opinions


def test_an_opinion_comes_back_as_it_was(store: SqlStore) -> None:
    """Every field of an opinion survives the store, types included."""
    store.put_opinions("run-1", [stored("key-1")])
    assert store.opinions(["key-1"]) == {"key-1": opinion("key-1")}


def test_a_number_sent_as_a_boolean_stays_one(store: SqlStore) -> None:
    """The parameters sent keep their types: true is not 1 and 7 is not 7.0."""
    store.put_opinions("run-1", [stored("key-1")])
    assert (
        json.dumps(store.opinions(["key-1"])["key-1"].sent)
        == '{"temperature": 0.5, "seed": 7, "strict": true, "stop": null}'
    )


def test_an_opinion_survives_closing_the_store(open_again: Callable[[], SqlStore]) -> None:
    """What was put is there when the store is opened again."""
    first = open_again()
    first.put_opinions("run-1", [stored("key-1")])
    first.close()
    assert list(open_again().opinions(["key-1"])) == ["key-1"]


@pytest.mark.parametrize("text", ["a\0b", "\ufffe", "\ufffe0", "100 %s ?", "\U0001f600"])
def test_any_text_is_kept(store: SqlStore, text: str) -> None:
    """Names of sessions and words of people may hold any character, in columns and in keys."""
    thumb = FeedbackEntry(session_id=text, message_index=0, rating=1, comment=text)
    named = session(text).model_copy(update={"summary": summary(text)})
    store.put_feedback([thumb])
    store.put_sessions([named])
    store.put_opinions("run-1", [stored(text, suite=text, session=text)])
    assert (thumb,) == store.feedback([text])
    assert (named,) == store.sessions()
    assert {text: opinion(text)} == store.opinions([text])
    assert {text: "evaluated"} == store.statuses(text, {text: [text]})
    assert (text,) == store._database.rows("SELECT session_key FROM evaluations")[0]


def test_text_that_is_no_unicode_is_refused(store: SqlStore) -> None:
    """A lone surrogate cannot be kept, and the message says what can."""
    thumb = FeedbackEntry(session_id="\ud800", message_index=0, rating=1)
    with pytest.raises(StoreError, match="text must be valid Unicode"):
        store.put_feedback([thumb])


def test_an_exception_undoes_the_transaction(store: SqlStore) -> None:
    """What was written in a block left by an exception is gone, and the exception is kept."""
    with pytest.raises(KeyboardInterrupt):
        _write_and_break_off(store)
    assert store.runs() == ()


def test_closing_twice_is_harmless(store: SqlStore) -> None:
    """A store may be closed by whoever holds it last."""
    store.close()
    store.close()


def test_a_closed_store_is_an_error_of_ours(store: SqlStore) -> None:
    """Using a store after closing it raises StoreError."""
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.runs()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("{", "Invalid JSON"),
        ("{}", "key: Field required"),
        ('{"key": "key-1", "later_field": 1}', "Field required"),
    ],
    ids=["no JSON", "a field is missing", "another version's"],
)
def test_a_row_that_cannot_be_read_is_named(store: SqlStore, broken: str, said: str) -> None:
    """A broken row is an error with table, key and reason, never a missing opinion."""
    store.put_opinions("run-1", [stored("key-1")])
    with store._database.writing() as transaction:
        transaction.run("UPDATE evaluations SET opinion = ?", [(broken,)])
    with pytest.raises(StoreError, match="row 'key-1' of table evaluations") as caught:
        store.opinions(["key-1"])
    assert said in str(caught.value)


def test_an_unknown_key_is_absent(store: SqlStore) -> None:
    """A key without an opinion is left out instead of being an error."""
    store.put_opinions("run-1", [stored("key-1")])
    assert list(store.opinions(["key-0", "key-1"])) == ["key-1"]


def test_no_key_asks_nothing(store: SqlStore) -> None:
    """An empty list of keys gives an empty answer."""
    assert store.opinions([]) == {}


def test_more_keys_than_one_query_takes_are_all_found(store: SqlStore) -> None:
    """A lookup of 1,201 keys, some asked twice, finds every one of them."""
    keys = [f"key-{number}" for number in range(1_201)]
    store.put_opinions("run-1", [stored(key) for key in keys])
    assert set(keys) == set(store.opinions([*keys, *keys[:700]]))


def test_the_same_key_again_replaces_the_opinion(store: SqlStore) -> None:
    """An opinion put again under its key is the one that is read."""
    store.put_opinions("run-1", [stored("key-1", score=60)])
    store.put_opinions("run-2", [stored("key-1", score=20)])
    assert store.opinions(["key-1"])["key-1"] == opinion("key-1", score=20)


def test_a_replaced_opinion_is_one_row_of_the_later_run(store: SqlStore) -> None:
    """The same key and session is one evaluation, whose run is the last that judged it."""
    store.put_opinions("run-1", [stored("key-1")])
    store.put_opinions("run-2", [stored("key-1")])
    assert store._database.rows("SELECT run_id FROM evaluations") == [("run-2",)]


def test_another_key_of_the_same_session_adds_an_evaluation(store: SqlStore) -> None:
    """A session judged under new versions keeps its earlier opinions."""
    store.put_opinions("run-1", [stored("key-1")])
    store.put_opinions("run-2", [stored("key-2")])
    assert set(store.opinions(["key-1", "key-2"])) == {"key-1", "key-2"}


def test_a_key_shared_by_two_sessions_gives_the_opinion_judged_last(store: SqlStore) -> None:
    """Two suites that hold one transcript share verdict keys; the newest opinion is read."""
    store.put_opinions("run-1", [stored("key-1", suite="b", score=20, minutes=9)])
    store.put_opinions("run-2", [stored("key-1", suite="a", score=60, minutes=1)])
    assert store.opinions(["key-1"])["key-1"] == opinion("key-1", score=20, minutes=9)


def test_scores_are_kept_beside_the_opinion_for_queries(store: SqlStore) -> None:
    """The scores column holds each axis's score, and null where there is none."""
    store.put_opinions("run-1", [stored("key-1", score=40)])
    rows = store._database.rows("SELECT scores FROM evaluations")
    assert json.loads(str(rows[0][0])) == {"tool_usage_quality": 40, "goal_completion": None}


def test_a_batch_is_kept_whole_or_not_at_all(store: SqlStore) -> None:
    """When one row of a batch cannot be stored, none of them is."""
    broken = opinion("key-2").model_copy(update={"repeat": 2**70})
    batch = [
        stored("key-1"),
        StoredOpinion(suite="a", key="s", session_id="i", digest="d", opinion=broken),
    ]
    with pytest.raises(StoreError, match="64 bits"):
        store.put_opinions("run-1", batch)
    assert store.opinions(["key-1", "key-2"]) == {}


def test_threads_share_one_store(store: SqlStore) -> None:
    """Four threads that write and read at once lose nothing."""

    def write(first: int) -> None:
        for number in range(first, first + 20):
            store.put_opinions("run-1", [stored(f"key-{number}")])
            store.opinions([f"key-{number}"])

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 20, 40, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.opinions([f"key-{number}" for number in range(80)])) == 80


@pytest.mark.parametrize("enabled", [True, False])
def test_a_bulk_read_leaves_the_garbage_collector_as_it_was(
    store: SqlStore, *, enabled: bool
) -> None:
    """The collector that is paused for 1,000 rows runs again if and only if it ran before."""
    was = gc.isenabled()
    try:
        if not enabled:
            gc.disable()
        store.opinions([f"key-{number}" for number in range(1_000)])
        assert enabled == gc.isenabled()
    finally:
        if was:
            gc.enable()


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


# feedback


def test_a_thumb_comes_back_as_it_was(store: SqlStore) -> None:
    """Session, message, rating, comment and time of a thumb survive the store."""
    entry = FeedbackEntry(session_id="s", message_index=2, rating=-1, comment="No.", at=START)
    store.put_feedback([entry])
    assert (entry,) == store.feedback()


def test_a_second_rating_of_a_message_replaces_the_first(store: SqlStore) -> None:
    """A person who changes their mind has one thumb, with nothing left of the first."""
    first = FeedbackEntry(session_id="s", message_index=2, rating=1, comment="Good.", at=START)
    second = FeedbackEntry(session_id="s", message_index=2, rating=-1)
    store.put_feedback([first])
    store.put_feedback([second])
    assert (second,) == store.feedback()


def test_within_one_batch_the_later_rating_counts(store: SqlStore) -> None:
    """Two ratings of one message at once keep the order they came in."""
    ratings = [FeedbackEntry(session_id="s", message_index=0, rating=r) for r in (1, -1)]
    store.put_feedback(ratings)
    assert [entry.rating for entry in store.feedback()] == [-1]


def test_feedback_is_listed_by_session_and_message(store: SqlStore) -> None:
    """Thumbs come in reading order: message 10 after message 2."""
    places = [("b", 0), ("a", 10), ("a", 2)]
    store.put_feedback([FeedbackEntry(session_id=s, message_index=m, rating=1) for s, m in places])
    listed = [(entry.session_id, entry.message_index) for entry in store.feedback()]
    assert listed == [("a", 2), ("a", 10), ("b", 0)]


def test_feedback_of_chosen_sessions_leaves_out_the_others(store: SqlStore) -> None:
    """Only the sessions asked for are returned."""
    store.put_feedback(
        [FeedbackEntry(session_id=s, message_index=0, rating=1) for s in ("a", "b", "c")]
    )
    assert [entry.session_id for entry in store.feedback(["c", "a"])] == ["a", "c"]


def test_feedback_of_no_session_is_none(store: SqlStore) -> None:
    """An empty list is not the same as all."""
    store.put_feedback([FeedbackEntry(session_id="a", message_index=0, rating=1)])
    assert store.feedback([]) == ()


# runs


def test_a_run_that_began_is_running(store: SqlStore) -> None:
    """Between start and finish a run has neither end nor summary."""
    store.start_run("run-1", START)
    assert (RunRow("run-1", "running", START, None, None),) == store.runs()


@pytest.mark.parametrize("state", ["done", "interrupted"])
def test_a_finished_run_has_its_summary(store: SqlStore, state: str) -> None:
    """A run that ended shows how, when and with what means."""
    ended = run("run-1")
    store.start_run("run-1", START)
    store.finish_run(ended, state="done" if state == "done" else "interrupted")
    (row,) = store.runs()
    assert (state, START + timedelta(minutes=1), summarise(ended)) == (
        row.state,
        row.finished_at,
        row.summary,
    )


def test_a_run_nobody_started_is_kept_when_it_finishes(store: SqlStore) -> None:
    """A run's end is worth keeping even where its beginning was not noted."""
    store.finish_run(run("run-1"), state="done")
    assert [(row.run_id, row.started_at) for row in store.runs()] == [("run-1", START)]


def test_a_run_started_again_keeps_its_first_beginning(store: SqlStore) -> None:
    """A resumed run is running again since it first began."""
    store.start_run("run-1", START)
    store.finish_run(run("run-1"), state="interrupted")
    store.start_run("run-1", START + timedelta(hours=1))
    (row,) = store.runs()
    assert (row.state, row.started_at, row.finished_at) == ("running", START, None)


def test_runs_are_listed_newest_first_up_to_the_limit(store: SqlStore) -> None:
    """The limit leaves out the oldest."""
    for number in (2, 1, 3):
        store.start_run(f"run-{number}", START + timedelta(minutes=number))
    assert [row.run_id for row in store.runs(limit=2)] == ["run-3", "run-2"]


def test_times_of_runs_come_back_in_utc(store: SqlStore) -> None:
    """A run's beginning is an aware time in UTC."""
    store.start_run("run-1", START)
    assert store.runs()[0].started_at.utcoffset() == UTC.utcoffset(None)


def _write_and_break_off(store: SqlStore) -> None:
    with store._database.writing() as transaction:
        transaction.run("INSERT INTO runs (run_id, state, started_at) VALUES ('r', 's', 't')")
        raise KeyboardInterrupt


# advice of models


def _advice(suite: str = "airline", **fields: Any) -> StoredAdvice:
    given = {"digest": "d1", "model": "openai:m", "made_at": START, "content": "{}", **fields}
    return StoredAdvice(suite=suite, **given)


def test_advice_comes_back_latest_first(store: SqlStore) -> None:
    """Of one suite, whatever facts and model it is of."""
    older, newer = _advice(), _advice(digest="d2", made_at=START + timedelta(hours=1))
    for one in (newer, older, _advice("retail")):
        store.put_advice(one)
    assert (newer, older) == store.advice("airline")


def test_asking_again_replaces_the_advice(store: SqlStore) -> None:
    """The same model on the same facts has one answer."""
    store.put_advice(_advice())
    store.put_advice(_advice(content='{"a": 1}'))
    assert ['{"a": 1}'] == [one.content for one in store.advice("airline")]


# judges' noise


def _noise(suite: str, axis: str, sd: float, judge: str = "judge@1#a") -> MeasuredNoise:
    return MeasuredNoise(suite, "agent@1#r", judge, axis, sd, 80, START)


def test_a_spread_comes_back_by_axis(store: SqlStore) -> None:
    """What was measured with the same suite, rubric and judge, and nothing else."""
    store.put_noise(
        [
            _noise("airline", "tone", 8.25),
            _noise("airline", "goal_completion", 0.0),
            _noise("airline", "tone", 30.0, judge="judge@1#b"),
            _noise("retail", "tone", 12.0),
        ]
    )
    found = store.noise("airline", "agent@1#r", "judge@1#a")
    assert {"tone": 8.25, "goal_completion": 0.0} == found


def test_measuring_again_replaces_the_spread(store: SqlStore) -> None:
    """The latest measurement counts."""
    store.put_noise([_noise("airline", "tone", 8.0)])
    store.put_noise([_noise("airline", "tone", 9.0)])
    assert {"tone": 9.0} == store.noise("airline", "agent@1#r", "judge@1#a")


def test_nothing_measured_is_no_spread(store: SqlStore) -> None:
    """Not zero: an axis that nobody measured is absent."""
    assert {} == store.noise("airline", "agent@1#r", "judge@1#a")
