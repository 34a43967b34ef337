"""Labels and queues in a store: kept once, found by transcript, apart by queue."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.database import Database
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue

OpenStore = Callable[[], Store]
DRAWN = datetime(2026, 11, 21, 19, 4, tzinfo=UTC)


def queue(seed: int = 1) -> LabelQueue:
    """Return a random queue of two sessions."""
    return LabelQueue(
        kind="random",
        suite="airline",
        rubric="agent@1#abc",
        axes=("goal_completion",),
        seed=seed,
        frame=4,
        propensity=0.5,
        strata={"all": (4, 2)},
        members={"task-1": "d1", "task-2": "d2"},
        drawn_at=DRAWN,
    )


def label(score: float = 60, *, digest: str = "d1", queue: str = "", by: str = "ann") -> HumanLabel:
    """Return a label."""
    return HumanLabel(
        digest=digest, axis="goal_completion", score=score, by=by, queue=queue, at=DRAWN
    )


def test_labels_come_back_as_they_were_put(store: Store) -> None:
    """With their queue."""
    store.put_labels([label(60.5, queue=queue().name)], [queue()])
    assert (label(60.5, queue=queue().name),) == store.labels()
    assert (queue(),) == store.label_queues()


def test_the_same_person_s_label_again_replaces_the_first(store: Store) -> None:
    """Of the same transcript, axis and queue."""
    store.put_labels([label(60)])
    store.put_labels([label(80)])
    assert [80] == [one.score for one in store.labels()]


def test_labels_of_another_queue_or_person_are_others(store: Store) -> None:
    """A diagnostic label never replaces a random one."""
    store.put_labels([label(60), label(20, queue=queue().name), label(40, by="ben")])
    assert [20, 40, 60] == sorted(one.score for one in store.labels())


def test_labels_are_found_by_transcript(store: Store) -> None:
    """More than one query's worth of digests."""
    store.put_labels([label(digest=f"d{number}") for number in range(3)])
    wanted = [f"d{number}" for number in range(1, 700)]
    assert ["d1", "d2"] == [one.digest for one in store.labels(wanted)]


def test_a_queue_put_twice_is_one_queue(store: Store) -> None:
    """Every import of a file brings its queue."""
    store.put_labels([], [queue()])
    store.put_labels([], [queue(), queue(seed=2)])
    assert [1, 2] == sorted(one.seed for one in store.label_queues())


def test_a_queue_that_was_changed_in_the_store_is_refused(
    database: Database, open_again: OpenStore
) -> None:
    """Its name says what it drew."""
    open_again().put_labels([], [queue()])
    other = queue(seed=9).model_dump_json()
    with database.writing() as transaction:
        transaction.run("UPDATE label_queues SET content = ?", [(other,)])
    with pytest.raises(StoreError, match="its content is that of queue q-"):
        open_again().label_queues()
