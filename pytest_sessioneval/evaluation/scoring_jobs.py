"""Session-grouped scoring: calls become jobs, jobs rows, and rows the report of their session.

The store is the truth: a job exists once it is kept, and a row once its
transaction is. What is derived from that, the files, is written before this
process says that the job is completed, and written again whenever it is behind.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.evaluation.daemon_workers import DaemonWorkers
from pytest_sessioneval.evaluation.job_watch import JobWatch
from pytest_sessioneval.evaluation.report_writer import ReportWriter
from pytest_sessioneval.evaluation.sample_reports import SampleReports
from pytest_sessioneval.evaluation.sample_scoring import SampleScorer, check_judge
from pytest_sessioneval.evaluation.scoring_calls import (
    Job,
    ScoreRequest,
    ScoreResponse,
    ScoringSession,
    SessionScoreRequest,
)
from pytest_sessioneval.evaluation.scoring_sessions import (
    newest_first,
    run_id_of,
    scoring_input,
    scoring_session,
    shown_job,
    summary_of,
)
from pytest_sessioneval.judging.panel import EMBEDDED
from pytest_sessioneval.stores.job_values import (
    JobResult,
    NewJob,
    ScoringInput,
    ScoringJob,
)
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.transcripts.samples import Sample

__all__ = ["ScoringJobs", "ScoringTerms", "TooManyJobsError"]


class TooManyJobsError(StoreError):
    """More jobs wait already than may wait."""


@dataclass(frozen=True, slots=True)
class ScoringTerms:
    """How to go about scoring."""

    judge_model: str = EMBEDDED
    """Who judges where a call does not say."""
    embedding_model: str | None = None
    """Whose embeddings are compared where a call does not say; None: nobody's."""
    workers: int = 4
    """Most samples scored at once."""
    most_waiting: int = 10_000
    """Most that may wait for their turn."""
    look_every_s: float = 15.0
    """How often to say that this process lives, and to look after what others left."""
    grace_s: float = 2.0
    """How long closing waits for samples that are being scored."""


class ScoringJobs:
    """Scores samples, alone or as calls of a session; any thread may call any method.

    Several processes may work on one store. A job of a process that has ended
    fails as ``interrupted``: at once where that process ran on this machine.
    """

    def __init__(
        self,
        *,
        store: Store,
        scorer: SampleScorer,
        out: Path,
        clock: Callable[[], datetime],
        terms: ScoringTerms = ScoringTerms(),
        reports: SampleReports | None = None,
    ) -> None:
        self._jobs = store.jobs
        self._scorer = scorer
        self._clock = clock
        self._terms = terms
        self._watch = JobWatch(store.jobs, out, clock)
        self._under_way: dict[str, threading.Event] = {}
        self._settling: set[str] = set()
        self._calling = threading.Lock()
        self._last_call = datetime.min.replace(tzinfo=UTC)
        self._closed = threading.Event()
        self._writer = ReportWriter(reports or SampleReports(store.jobs, out))
        try:
            self._writer.rebuild(self._jobs.sessions_with_rows())
        except BaseException:
            self._watch.leave()
            raise
        self._workers = DaemonWorkers(terms.workers, name="sessioneval-score")
        self._watch.start(terms.look_every_s, self._writer.retry)

    def score(self, request: ScoreRequest) -> Future[ScoreResponse]:
        """Return what scoring the sample will give; nothing is kept.

        It waits for no job: somebody waits for it.
        The future raises what ``SampleScorer.score`` raises. Raises
        ``SettingError`` for a judge that a call may not name, and
        ``TooManyJobsError``.
        """
        self._check_room()
        asked = self._input(request)
        return self._workers.submit(lambda: _response(self._scored(asked)), urgent=True)

    def submit(self, request: SessionScoreRequest) -> Job:
        """Return the job of a call of a session, kept as queued.

        Raises ``SettingError`` for a judge that a call may not name,
        ``StoreError``, and ``TooManyJobsError`` where too many wait.
        """
        self._check_room()
        asked = self._input(request)
        new = NewJob(
            job_id=secrets.token_hex(6),
            session_id=request.session_id,
            run_id=run_id_of(request.session_id),
            created_at=self._next_moment(),
            owner=self._watch.owner,
            request=asked,
            summary=summary_of(asked, request.session_id),
        )
        self._jobs.add(new)
        job = _queued(new)
        self._under_way[new.job_id] = threading.Event()
        self._workers.submit(lambda: self._work(job, asked))
        return shown_job(job)

    def wait(self, job_id: str, timeout_s: float) -> Job | None:
        """Return a job once it has ended, where this process is at it; else as ``job`` does.

        Raises ``TimeoutError``.
        """
        ended = self._under_way.get(job_id)
        if ended is not None and not ended.wait(timeout_s):
            raise TimeoutError(f"job {job_id} has not ended after {timeout_s:g} s")
        return self.job(job_id)

    def job(self, job_id: str) -> Job | None:
        """Return a job; None where there is none of that id."""
        found = self._jobs.job(job_id)
        return None if found is None else shown_job(self._as_seen(found))

    def jobs(self) -> tuple[Job, ...]:
        """Return all jobs, newest first."""
        return tuple(shown_job(self._as_seen(job)) for job in self._jobs.jobs())

    def session(self, session_id: str) -> ScoringSession | None:
        """Return a session with its jobs; None where no call named it."""
        found = self._jobs.of_session(session_id)
        return scoring_session([self._as_seen(job) for job in found]) if found else None

    def sessions(self) -> tuple[ScoringSession, ...]:
        """Return all sessions, by their latest finish, newest first."""
        grouped: dict[str, list[ScoringJob]] = {}
        for job in reversed(self._jobs.jobs()):
            grouped.setdefault(job.session_id, []).append(self._as_seen(job))
        return newest_first(map(scoring_session, grouped.values()))

    def close(self) -> None:
        """Take no more, wait a moment for what is running, and give up the rest as interrupted."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._watch.stop()
        self._workers.close(self._terms.grace_s)
        self._writer.close(self._terms.grace_s)
        for job_id in self._watch.leave():
            self._ended(job_id)

    def _next_moment(self) -> datetime:
        """Return what time it is, later than for the call before: calls are listed by it."""
        with self._calling:
            self._last_call = max(self._clock(), self._last_call + timedelta(microseconds=1))
            return self._last_call

    def _check_room(self) -> None:
        if self._closed.is_set():
            raise TooManyJobsError("the server is ending and takes no more calls")
        if self._workers.waiting >= self._terms.most_waiting:
            raise TooManyJobsError(
                f"{self._terms.most_waiting} calls wait to be scored already: send this one again "
                "later"
            )

    def _input(self, request: ScoreRequest) -> ScoringInput:
        terms = self._terms
        asked = scoring_input(
            request, judge_model=terms.judge_model, embedding_model=terms.embedding_model
        )
        check_judge(asked.judge_model)
        return asked

    def _scored(self, asked: ScoringInput) -> JobResult:
        sample = Sample(
            question=asked.question,
            answer=asked.answer,
            contexts=asked.contexts,
            ground_truth=asked.ground_truth,
        )
        began = time.perf_counter()
        scored = self._scorer.score(
            sample,
            metrics=asked.metrics,
            judge_model=asked.judge_model,
            embedding_model=asked.embedding_model,
        )
        took = time.perf_counter() - began
        return JobResult(
            scores={
                metric: None if score is None else score / 100
                for metric, score in scored.scores.items()
            },
            skipped_metrics=tuple(sorted(scored.skipped)),
            latency_ms=round(1000 * took, 1),
            unproven={
                metric: why
                for metric, why in scored.reasons.items()
                if metric not in scored.skipped
            },
        )

    def _work(self, job: ScoringJob, asked: ScoringInput) -> None:
        try:
            if self._jobs.start(job.job_id, self._clock()):
                self._append(job, self._scored(asked))
            else:
                self._ended(job.job_id)
        # The boundary around one call: whatever scoring it raised is its error, and no other's.
        except Exception as error:  # noqa: BLE001
            self._watch.give_up(job.job_id, f"{type(error).__name__}: {error}")
            self._ended(job.job_id)

    def _append(self, job: ScoringJob, result: JobResult) -> None:
        """Make the result a row; the job is seen as completed once the files hold it."""
        self._settling.add(job.job_id)
        number = self._jobs.complete(job, result, self._clock())
        if number is None:
            self._ended(job.job_id)
        else:
            self._writer.add(job.session_id, job.run_id, lambda: self._ended(job.job_id))

    def _ended(self, job_id: str) -> None:
        self._settling.discard(job_id)
        ended = self._under_way.pop(job_id, None)
        if ended is not None:
            ended.set()

    def _as_seen(self, job: ScoringJob) -> ScoringJob:
        """Return the job; one whose row the files do not hold yet is still running."""
        if job.state == "completed" and job.job_id in self._settling:
            return replace(job, state="running", finished_at=None, result=None, row=None)
        return job


def _queued(new: NewJob) -> ScoringJob:
    return ScoringJob(
        job_id=new.job_id,
        session_id=new.session_id,
        run_id=new.run_id,
        state="queued",
        created_at=new.created_at,
        finished_at=None,
        summary=new.summary,
        result=None,
        error="",
        row=None,
    )


def _response(result: JobResult) -> ScoreResponse:
    return ScoreResponse(
        scores=result.scores,
        skipped_metrics=result.skipped_metrics,
        latency_ms=result.latency_ms,
    )
