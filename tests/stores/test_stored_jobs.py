"""Scoring jobs in the store: states that only move on, rows without a gap, one run per session."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from store_values import START, run, scored_call, shortened

from pytest_sessioneval.stores.job_values import (
    JobResult,
    NewJob,
    ScoringInput,
    ScoringJob,
)
from pytest_sessioneval.stores.protocol import RunRow
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.stores.summary import RunSummary, SampleCount

_ASKED = ScoringInput(
    question="Who wrote it?",
    answer="Ünclear – “nobody”\0",
    contexts=("One.", "Two."),
    ground_truth="She did.",
    metrics=("faithfulness", "context_recall"),
    judge_model="evidence",
)
_RESULT = JobResult(
    scores={"faithfulness": 0.75, "context_recall": None},
    skipped_metrics=("context_recall",),
    latency_ms=1.5,
)


def _new(job_id: str, *, session: str = "s", minutes: int = 0, owner: str = "me") -> NewJob:
    return NewJob(
        job_id=job_id,
        session_id=session,
        run_id=f"session-{session}-000000000000",
        created_at=START + timedelta(minutes=minutes),
        owner=owner,
        request=_ASKED,
        summary=shortened(_ASKED, session),
    )


def _added(store: SqlStore, new: NewJob) -> ScoringJob:
    store.jobs.add(new)
    job = store.jobs.job(new.job_id)
    assert job is not None
    return job


def _completed(store: SqlStore, new: NewJob, *, minutes: int = 1) -> int | None:
    job = _added(store, new)
    store.jobs.start(job.job_id, START)
    return store.jobs.complete(job, _RESULT, START + timedelta(minutes=minutes))


def _state(store: SqlStore, job_id: str) -> str:
    job = store.jobs.job(job_id)
    assert job is not None
    return job.state


def test_a_new_job_is_queued(store: SqlStore) -> None:
    """A job comes back as it was put, without a result."""
    new = _new("a1")
    expected = ScoringJob(
        job_id="a1",
        session_id="s",
        run_id="session-s-000000000000",
        state="queued",
        created_at=START,
        finished_at=None,
        summary=new.summary,
        result=None,
        error="",
        row=None,
    )
    assert expected == _added(store, new)


def test_an_unknown_job_is_none(store: SqlStore) -> None:
    """There is no job of an id that nobody put."""
    assert store.jobs.job("a1") is None
    assert store.jobs.of_session("s") == ()


def test_a_completed_job_is_a_row(store: SqlStore) -> None:
    """What was asked and what came of it are the next row of the session's report."""
    assert _completed(store, _new("a1")) == 1
    assert _completed(store, _new("a2", minutes=1)) == 2
    rows = store.jobs.rows("s")
    assert [(1, "a1"), (2, "a2")] == [(row.number, row.job_id) for row in rows]
    assert [_ASKED] * 2 == [row.request for row in rows]
    assert [_RESULT] * 2 == [row.result for row in rows]
    assert store.jobs.last_row("s") == (2, "a2")


def test_a_failed_job_has_no_row(store: SqlStore) -> None:
    """Its error is kept, and the next completed one takes the next number."""
    _added(store, _new("a1"))
    store.jobs.fail(["a1"], "TransportError: no answer", START)
    assert _completed(store, _new("a2", minutes=1)) == 1
    failed = store.jobs.job("a1")
    assert failed is not None
    assert ("failed", "TransportError: no answer", None) == (failed.state, failed.error, failed.row)


def test_a_job_given_up_is_not_completed_after(store: SqlStore) -> None:
    """What arrives too late is no row."""
    job = _added(store, _new("a1"))
    store.jobs.start("a1", START)
    store.jobs.fail(["a1"], "interrupted", START)
    assert store.jobs.complete(job, _RESULT, START) is None
    assert _state(store, "a1") == "failed"
    assert store.jobs.rows("s") == ()


def test_a_completed_job_does_not_fail_after(store: SqlStore) -> None:
    """A row stays a row."""
    _completed(store, _new("a1"))
    store.jobs.fail(["a1"], "interrupted", START)
    assert _state(store, "a1") == "completed"


def test_a_job_starts_once(store: SqlStore) -> None:
    """Only a queued job begins to run."""
    _added(store, _new("a1"))
    assert store.jobs.start("a1", START)
    store.jobs.fail(["a1"], "interrupted", START)
    assert not store.jobs.start("a1", START)
    assert not store.jobs.start("unknown", START)


def test_jobs_are_listed_newest_first_and_of_a_session_oldest_first(store: SqlStore) -> None:
    """Both orders are by the time of the call."""
    for number, session in enumerate(("s", "t", "s")):
        _added(store, _new(f"a{number}", session=session, minutes=number))
    assert ["a2", "a1", "a0"] == [job.job_id for job in store.jobs.jobs()]
    assert ["a0", "a2"] == [job.job_id for job in store.jobs.of_session("s")]


def test_rows_of_sessions_are_counted_apart(store: SqlStore) -> None:
    """Each session's report begins with row 1."""
    assert _completed(store, _new("a1", session="s")) == 1
    assert _completed(store, _new("a2", session="t")) == 1
    expected = {"s": "session-s-000000000000", "t": "session-t-000000000000"}
    assert expected == store.jobs.sessions_with_rows()


def test_a_session_is_a_run_in_the_listing(store: SqlStore) -> None:
    """It runs while a job of it does, from the first call to the last that finished."""
    _completed(store, _new("a1"), minutes=1)
    job = _added(store, _new("a2", minutes=2))
    running = store.runs()
    store.jobs.complete(job, _RESULT, START + timedelta(minutes=3))
    samples = SampleCount(session_id="s", calls=2, rows=1)
    row = RunRow("session-s-000000000000", "running", START, None, RunSummary(samples=samples))
    assert (row,) == running
    ended = RunSummary(samples=SampleCount(session_id="s", calls=2, rows=2))
    finished_at = START + timedelta(minutes=3)
    assert (RunRow(row.run_id, "done", START, finished_at, ended),) == store.runs()


def test_the_owner_of_unfinished_jobs_is_known(store: SqlStore) -> None:
    """Who is at a job, and when it last said so, is there for those that look after jobs."""
    _added(store, _new("a1", owner="one"))
    _added(store, _new("a2", owner="two"))
    _completed(store, _new("a3", owner="one"))
    later = START + timedelta(minutes=5)
    store.jobs.seen("one", later)
    found = [(job.job_id, job.owner, job.seen_at) for job in store.jobs.unfinished()]
    assert [("a1", "one", later), ("a2", "two", START)] == found


def test_rows_appended_at_once_have_every_number_once(
    open_again: Callable[[], SqlStore],
) -> None:
    """Two connections and eight threads append 40 rows to one session: 1 to 40."""
    stores = [open_again(), open_again()]

    def append(number: int) -> int | None:
        return _completed(stores[number % 2], _new(f"a{number:02}"))

    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(append, range(40)))
    assert list(range(1, 41)) == sorted(number for number in numbers if number is not None)
    assert list(range(1, 41)) == [row.number for row in stores[0].jobs.rows("s")]


def test_jobs_of_another_store_come_back_as_they_were(store: SqlStore) -> None:
    """Whole, by session and row; keeping them again changes nothing."""
    jobs = [scored_call("b1", session="b", row=1), scored_call("a1", row=1), scored_call("a2")]
    store.jobs.keep(jobs)
    store.jobs.keep(jobs)
    assert jobs == list(store.jobs.kept())


def test_rows_of_another_store_follow_those_that_are_there(store: SqlStore) -> None:
    """No number is given twice, and none is left out."""
    assert _completed(store, _new("a1", session="chat")) == 1
    store.jobs.keep([scored_call("x1", row=1), scored_call("x2", row=2)])
    assert _completed(store, _new("a2", session="chat")) == 4
    assert ["a1", "x1", "x2", "a2"] == [row.job_id for row in store.jobs.rows("chat")]


def test_runs_of_suites_are_found_behind_any_number_of_scoring_sessions(store: SqlStore) -> None:
    """Whose versions are today's does not depend on how many samples were scored since."""
    ended = run()
    suite = ended.suites[0].model_copy(update={"suite": '"samples":{'})
    store.finish_run(ended.model_copy(update={"suites": (suite,)}), state="done")
    for number in range(5):
        _completed(store, _new(f"a{number}", session=f"s{number}", minutes=number + 10))
    (found,) = store.suite_runs(3)
    assert found.summary is not None
    assert ['"samples":{'] == [suite.suite for suite in found.summary.suites]
    assert len(store.runs()) == 6
