"""Scoring jobs in the store: each change one transaction, and each session's run beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter

from pytest_sessioneval.stores.database import Database, Row, Transaction
from pytest_sessioneval.stores.job_values import (
    JobResult,
    KeptJob,
    NewJob,
    OpenJob,
    ReportRow,
    RequestSummary,
    ScoringInput,
    ScoringJob,
)
from pytest_sessioneval.stores.queries import START_RUN, chunks, within
from pytest_sessioneval.stores.readable import readable
from pytest_sessioneval.stores.rows import instant
from pytest_sessioneval.stores.summary import RunSummary, SampleCount

__all__ = ["SqlJobs"]

_T = TypeVar("_T")

_ADD = """
INSERT INTO jobs (job_id, session_id, run_id, state, created_at, request, summary, owner, seen_at)
VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?)"""

_RUNNING = "UPDATE jobs SET state = 'running', seen_at = ? WHERE job_id = ? AND state = 'queued'"

# A job whose owner was taken for dead meanwhile stays failed, and has no row.
_COMPLETE = """
UPDATE jobs SET state = 'completed', finished_at = ?, result = ?, report_row =
  (SELECT coalesce(max(report_row), 0) + 1 FROM jobs WHERE session_id = ?)
WHERE job_id = ? AND state IN ('queued', 'running')"""

_FAIL = """
UPDATE jobs SET state = 'failed', finished_at = ?, error = ?
WHERE job_id = ? AND state IN ('queued', 'running')"""

_SEEN = "UPDATE jobs SET seen_at = ? WHERE owner = ? AND state IN ('queued', 'running')"
_UNFINISHED = "SELECT job_id, owner, seen_at FROM jobs WHERE state IN ('queued', 'running')"
_PLACES = "SELECT job_id, session_id, report_row FROM jobs WHERE job_id IN (?*)"

_COUNT_OPEN = "SELECT count(*) FROM jobs WHERE session_id = ? AND state IN ('queued', 'running')"
_COUNT = "SELECT count(*), coalesce(max(report_row), 0) FROM jobs WHERE session_id = ?"
_END_RUN = "UPDATE runs SET state = ?, finished_at = ?, summary = ? WHERE run_id = ?"

_JOB = """
SELECT job_id, session_id, run_id, state, created_at, finished_at, summary, result, error,
  report_row FROM jobs"""
_ONE = f"{_JOB} WHERE job_id = ?"
_ALL = f"{_JOB} ORDER BY created_at DESC, job_id DESC"
_OF_SESSION = f"{_JOB} WHERE session_id = ? ORDER BY created_at, job_id"

_WHOLE = _JOB.replace(" FROM jobs", ", request FROM jobs")
# A row of a report that another store numbered takes the next number of this one's.
_KEEP = """
INSERT INTO jobs (job_id, session_id, run_id, state, created_at, finished_at, summary, result,
  error, request, owner, seen_at, report_row)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {row})
ON CONFLICT (job_id) DO NOTHING"""
_NEXT_ROW = "(SELECT coalesce(max(report_row), 0) + 1 FROM jobs WHERE session_id = ?)"

_ROWS = """
SELECT job_id, report_row, created_at, finished_at, request, result FROM jobs
WHERE session_id = ? AND report_row IS NOT NULL ORDER BY report_row"""
_WITH_ROWS = "SELECT session_id, run_id FROM jobs WHERE report_row = 1"
_STATE = "SELECT state FROM jobs WHERE job_id = ?"
_RUN_OF = "SELECT run_id FROM jobs WHERE session_id = ? LIMIT 1"
_FIRST_CALL = "SELECT min(created_at) FROM jobs WHERE session_id = ?"
_LAST_ROW = """
SELECT job_id, report_row FROM jobs WHERE session_id = ? AND report_row IS NOT NULL
ORDER BY report_row DESC LIMIT 1"""

_JOBS = TypeAdapter(ScoringJob)
_REPORT_ROWS = TypeAdapter(ReportRow)
_OPEN_JOBS = TypeAdapter(OpenJob)


@dataclass(frozen=True, slots=True)
class SqlJobs:
    """The scoring jobs of a store; every method raises ``StoreError`` when it cannot."""

    database: Database

    def add(self, job: NewJob) -> None:
        """Keep a job as queued, and its session's run as running."""
        created = instant(job.created_at)
        row = (
            job.job_id,
            job.session_id,
            job.run_id,
            created,
            job.request.model_dump_json(),
            job.summary.model_dump_json(),
            job.owner,
            created,
        )
        with self.database.writing() as transaction:
            transaction.run(_ADD, [row])
            transaction.run(START_RUN, [(job.run_id, created)])
            _update_run(transaction, job.session_id, created)

    def start(self, job_id: str, at: datetime) -> bool:
        """Note that a job is running; return False where it is not queued any more."""
        with self.database.writing() as transaction:
            transaction.run(_RUNNING, [(instant(at), job_id)])
            return _state(transaction, job_id) == "running"

    def complete(self, job: ScoringJob, result: JobResult, at: datetime) -> int | None:
        """Keep a job's result as the next row of its session's report; return its number.

        Numbers count from 1 without a gap, whichever processes append. None
        where the job had been given up: then it stays failed, without a row.
        """
        finished = instant(at)
        values = (finished, result.model_dump_json(), job.session_id, job.job_id)
        with self.database.writing() as transaction:
            if _state(transaction, job.job_id) not in ("queued", "running"):
                return None
            transaction.run(_COMPLETE, [values])
            number = transaction.rows(within(_PLACES, 1), (job.job_id,))[0][2]
            _update_run(transaction, job.session_id, finished)
        return int(str(number))

    def fail(self, job_ids: Sequence[str], error: str, at: datetime) -> None:
        """Note why jobs failed; those that ended before stay as they are."""
        finished = instant(at)
        for chunk in chunks(job_ids):
            with self.database.writing() as transaction:
                transaction.run(_FAIL, [(finished, error, job_id) for job_id in chunk])
                places = transaction.rows(within(_PLACES, len(chunk)), chunk)
                for session_id in sorted({str(row[1]) for row in places}):
                    _update_run(transaction, session_id, finished)

    def seen(self, owner: str, at: datetime) -> None:
        """Note that the owner of unfinished jobs is there."""
        with self.database.writing() as transaction:
            transaction.run(_SEEN, [(instant(at), owner)])

    def unfinished(self) -> tuple[OpenJob, ...]:
        """Return the jobs that are queued or running, by id."""
        found = [self._parsed(_open_job, row) for row in self.database.rows(_UNFINISHED)]
        return tuple(sorted(found, key=lambda job: job.job_id))

    def job(self, job_id: str) -> ScoringJob | None:
        """Return the job of that id; None where there is none."""
        found = self.database.rows(_ONE, (job_id,))
        return self._parsed(_scoring_job, found[0]) if found else None

    def jobs(self) -> tuple[ScoringJob, ...]:
        """Return all jobs, newest first."""
        return tuple(self._parsed(_scoring_job, row) for row in self.database.rows(_ALL))

    def of_session(self, session_id: str) -> tuple[ScoringJob, ...]:
        """Return the jobs of a session, oldest first; none where there is no such session."""
        rows = self.database.rows(_OF_SESSION, (session_id,))
        return tuple(self._parsed(_scoring_job, row) for row in rows)

    def rows(self, session_id: str) -> tuple[ReportRow, ...]:
        """Return the rows of a session's report, by number."""
        rows = self.database.rows(_ROWS, (session_id,))
        return tuple(self._parsed(_report_row, row) for row in rows)

    def last_row(self, session_id: str) -> tuple[int, str] | None:
        """Return number and job of the last row of a session's report; None without one."""
        found = self.database.rows(_LAST_ROW, (session_id,))
        return (int(str(found[0][1])), str(found[0][0])) if found else None

    def first_call(self, session_id: str) -> datetime | None:
        """Return when the first call of a session was made; None where there is none."""
        first = self.database.rows(_FIRST_CALL, (session_id,))[0][0]
        return None if first is None else datetime.fromisoformat(str(first))

    def sessions_with_rows(self) -> dict[str, str]:
        """Return the run of every session whose report has a row, by session."""
        return {str(session): str(run) for session, run in self.database.rows(_WITH_ROWS)}

    def kept(self) -> tuple[KeptJob, ...]:
        """Return all jobs whole, by session, row and time."""
        found = [self._parsed(_kept_job, row) for row in self.database.rows(_WHOLE)]
        return tuple(sorted(found, key=_place))

    def keep(self, jobs: Sequence[KeptJob]) -> None:
        """Keep jobs of another store beside those there are; one of the same id stays as it is.

        Rows are numbered after those of their session, in the order given.
        """
        with self.database.writing() as transaction:
            for kept in jobs:
                row = _kept_values(kept)
                if kept.job.row is None:
                    transaction.run(_KEEP.format(row="NULL"), [row])
                else:
                    transaction.run(_KEEP.format(row=_NEXT_ROW), [(*row, kept.job.session_id)])

    def _parsed(self, parse: Callable[[Row], _T], row: Row) -> _T:
        return readable(self.database, "jobs", parse, row)


def _state(transaction: Transaction, job_id: str) -> object:
    found = transaction.rows(_STATE, (job_id,))
    return found[0][0] if found else None


def _update_run(transaction: Transaction, session_id: str, at: str) -> None:
    """Bring the run of a session up to date: it is running while a job of it is."""
    unfinished = int(str(transaction.rows(_COUNT_OPEN, (session_id,))[0][0]))
    calls, rows = (int(str(value)) for value in transaction.rows(_COUNT, (session_id,))[0])
    run_ids = transaction.rows(_RUN_OF, (session_id,))
    samples = SampleCount(session_id=session_id, calls=calls, rows=rows)
    summary = RunSummary(samples=samples).model_dump_json()
    state, finished = ("running", None) if unfinished else ("done", at)
    transaction.run(_END_RUN, [(state, finished, summary, run_ids[0][0])])


def _open_job(row: Row) -> OpenJob:
    job_id, owner, seen_at = row
    return _OPEN_JOBS.validate_python({"job_id": job_id, "owner": owner or "", "seen_at": seen_at})


def _scoring_job(row: Row) -> ScoringJob:
    """Return the job of a row of ``_JOB``; raises ``ValueError``."""
    job_id, session_id, run_id, state, created, finished, summary, result, error, number = row
    return _JOBS.validate_python(
        {
            "job_id": job_id,
            "session_id": session_id,
            "run_id": run_id,
            "state": state,
            "created_at": created,
            "finished_at": finished,
            "summary": RequestSummary.model_validate_json(str(summary)),
            "result": None if result is None else JobResult.model_validate_json(str(result)),
            "error": error or "",
            "row": number,
        }
    )


def _kept_job(row: Row) -> KeptJob:
    """Return the job of a row of ``_WHOLE``; raises ``ValueError``."""
    *columns, request = row
    return KeptJob(_scoring_job(tuple(columns)), ScoringInput.model_validate_json(str(request)))


def _place(kept: KeptJob) -> tuple[str, float, datetime, str]:
    job = kept.job
    return job.session_id, math.inf if job.row is None else job.row, job.created_at, job.job_id


def _kept_values(kept: KeptJob) -> Row:
    """Return a row of ``_KEEP`` without its number; nobody is at a job from elsewhere."""
    job = kept.job
    return (
        job.job_id,
        job.session_id,
        job.run_id,
        job.state,
        instant(job.created_at),
        None if job.finished_at is None else instant(job.finished_at),
        job.summary.model_dump_json(),
        None if job.result is None else job.result.model_dump_json(),
        job.error or None,
        kept.request.model_dump_json(),
        "",
        instant(job.created_at),
    )


def _report_row(row: Row) -> ReportRow:
    """Return the row of a report; raises ``ValueError``."""
    job_id, number, created, finished, request, result = row
    return _REPORT_ROWS.validate_python(
        {
            "number": number,
            "job_id": job_id,
            "created_at": created,
            "finished_at": finished,
            "request": ScoringInput.model_validate_json(str(request)),
            "result": JobResult.model_validate_json(str(result)),
        }
    )
