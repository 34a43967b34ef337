"""Scoring jobs as a store keeps them: what was asked, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import Field

from pytest_sessioneval.frozen import Frozen

__all__ = [
    "INTERRUPTED",
    "JobResult",
    "JobState",
    "JobStore",
    "KeptJob",
    "NewJob",
    "OpenJob",
    "ReportRow",
    "RequestSummary",
    "ScoringInput",
    "ScoringJob",
]

JobState = Literal["queued", "running", "completed", "failed"]

INTERRUPTED = "interrupted"
"""The error of a job whose process ended before the job did."""

Fraction = Annotated[float, Field(ge=0, le=1)]


class ScoringInput(Frozen):
    """What one call asks for, complete and without secrets."""

    question: str
    """What was asked."""
    answer: str
    """What was answered."""
    contexts: tuple[str, ...] = ()
    """What was retrieved for the question, best first."""
    ground_truth: str | None = None
    """What should have been answered."""
    metrics: tuple[str, ...]
    """Those asked for, in the order asked for, each once."""
    judge_model: str
    """Who judges, in the words of ``[judge] model``."""
    embedding_model: str | None = None
    """Null: none, so metrics that compare embeddings are skipped."""


class RequestSummary(Frozen):
    """A call as listings show it."""

    question: str
    """Its first 80 characters."""
    answer: str
    """Its first 80 characters."""
    metrics: tuple[str, ...]
    """Those asked for."""
    judge_model: str
    """The judge asked for, or the server's."""
    embedding_model: str | None
    """The embedding model asked for, or the server's; null: there is none."""
    has_contexts: bool
    """There is at least one context."""
    has_ground_truth: bool
    """There is a ground truth."""
    session_id: str
    """The session that the call belongs to."""


class JobResult(Frozen):
    """What came of a call that was scored."""

    scores: dict[str, Fraction | None]
    """One per metric asked for, in that order; null: it was skipped."""
    skipped_metrics: tuple[str, ...]
    """Those that were not scored, sorted."""
    latency_ms: float
    """Milliseconds that scoring took."""
    unproven: dict[str, str] = {}
    """Why a metric that was not skipped has no score, by metric."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be kept as queued."""

    job_id: str
    session_id: str
    run_id: str
    created_at: datetime
    owner: str
    """The process that is to do it."""
    request: ScoringInput
    summary: RequestSummary


@dataclass(frozen=True, slots=True)
class ScoringJob:
    """One job as listings show it."""

    job_id: str
    session_id: str
    run_id: str
    state: JobState
    created_at: datetime
    finished_at: datetime | None
    summary: RequestSummary
    result: JobResult | None
    """None until it is completed."""
    error: str
    """Why it failed, ``Type: message``; empty unless it did."""
    row: int | None
    """Its row in the report of its session, from 1; None unless it is completed."""


@dataclass(frozen=True, slots=True)
class KeptJob:
    """A job with all that was asked."""

    job: ScoringJob
    request: ScoringInput


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that is queued or running, and who is at it."""

    job_id: str
    owner: str
    seen_at: datetime
    """When its owner last said that it is there."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row of a session's report: a completed call."""

    number: int
    """From 1, without a gap."""
    job_id: str
    created_at: datetime
    finished_at: datetime
    request: ScoringInput
    result: JobResult


class JobStore(Protocol):
    """Keeps the service's scoring jobs, as a ``Store`` keeps everything else."""

    def add(self, job: NewJob) -> None:
        """Keep a job as queued, and its session's run as running."""
        ...

    def start(self, job_id: str, at: datetime) -> bool:
        """Note that a job is running; return False where it is not queued any more."""
        ...

    def complete(self, job: ScoringJob, result: JobResult, at: datetime) -> int | None:
        """Keep a job's result as the next row of its session's report; return its number.

        Numbers count from 1 without a gap, whichever processes append. None
        where the job had been given up: then it stays failed, without a row.
        """
        ...

    def fail(self, job_ids: Sequence[str], error: str, at: datetime) -> None:
        """Note why jobs failed; those that ended before stay as they are."""
        ...

    def seen(self, owner: str, at: datetime) -> None:
        """Note that the owner of unfinished jobs is there."""
        ...

    def unfinished(self) -> tuple[OpenJob, ...]:
        """Return the jobs that are queued or running, by id."""
        ...

    def job(self, job_id: str) -> ScoringJob | None:
        """Return the job of that id; None where there is none."""
        ...

    def jobs(self) -> tuple[ScoringJob, ...]:
        """Return all jobs, newest first."""
        ...

    def of_session(self, session_id: str) -> tuple[ScoringJob, ...]:
        """Return the jobs of a session, oldest first; none where there is no such session."""
        ...

    def rows(self, session_id: str) -> tuple[ReportRow, ...]:
        """Return the rows of a session's report, by number."""
        ...

    def first_call(self, session_id: str) -> datetime | None:
        """Return when the first call of a session was made; None where there is none."""
        ...

    def last_row(self, session_id: str) -> tuple[int, str] | None:
        """Return number and job of the last row of a session's report; None without one."""
        ...

    def kept(self) -> tuple[KeptJob, ...]:
        """Return all jobs whole, by session, row and time."""
        ...

    def keep(self, jobs: Sequence[KeptJob]) -> None:
        """Keep jobs of another store beside those there are; one of the same id stays as it is.

        Rows are numbered after those of their session, in the order given.
        """
        ...

    def sessions_with_rows(self) -> dict[str, str]:
        """Return the run of every session whose report has a row, by session."""
        ...
