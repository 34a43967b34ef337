"""Runs in a store, thumbs, and how far a judge differs from itself."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from store_values import START, run

from pytest_sessioneval.stores.protocol import (
    MeasuredNoise,
    RunRow,
)
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.stores.summary import summarise
from pytest_sessioneval.suites.model import FeedbackEntry


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
