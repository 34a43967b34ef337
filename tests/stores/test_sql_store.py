"""What a store keeps on either database, and that it comes back as it was."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from store_values import START, opinion, session, stored, summary

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.protocol import (
    Store,
    StoredAdvice,
    StoredOpinion,
)
from pytest_sessioneval.stores.sql import SqlStore
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
