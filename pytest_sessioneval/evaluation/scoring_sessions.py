"""What a call asks for, and how kept jobs become what the service shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from statistics import fmean

from pytest_sessioneval.evaluation.naming import file_name
from pytest_sessioneval.evaluation.scoring_calls import Job, ScoreRequest, ScoringSession, each_once
from pytest_sessioneval.stores.job_values import JobResult, RequestSummary, ScoringInput, ScoringJob
from pytest_sessioneval.suites.metrics import METRICS
from pytest_sessioneval.transcripts.redaction import redact
from pytest_sessioneval.transcripts.samples import Sample, sample_of, session_of

__all__ = [
    "metric_means",
    "newest_first",
    "run_id_of",
    "scoring_input",
    "scoring_session",
    "shown_job",
    "summary_of",
]

_CUT = 80


def run_id_of(session_id: str) -> str:
    """Return the run of a session: ``session-<slug>-<12 hex of the id's SHA-256>``.

    The slug is what is left of the id in a-z, 0-9 and ``-``, at most 40
    characters; ``unnamed`` where nothing is.
    """
    return f"session-{file_name(session_id)}"


def scoring_input(
    request: ScoreRequest, *, judge_model: str, embedding_model: str | None
) -> ScoringInput:
    """Return what a call asks for, without secrets; the models are those of a call without."""
    given = Sample(
        question=request.question,
        answer=request.answer,
        contexts=request.contexts,
        ground_truth=request.ground_truth,
    )
    sample = sample_of(redact(session_of(given, "sample")).transcript)
    return ScoringInput(
        question=sample.question,
        answer=sample.answer,
        contexts=sample.contexts,
        ground_truth=sample.ground_truth,
        metrics=each_once(request.metrics),
        judge_model=request.judge_model or judge_model,
        embedding_model=request.embedding_model or embedding_model,
    )


def summary_of(asked: ScoringInput, session_id: str) -> RequestSummary:
    """Return a call as listings show it."""
    return RequestSummary(
        question=asked.question[:_CUT],
        answer=asked.answer[:_CUT],
        metrics=asked.metrics,
        judge_model=asked.judge_model,
        embedding_model=asked.embedding_model,
        has_contexts=bool(asked.contexts),
        has_ground_truth=asked.ground_truth is not None,
        session_id=session_id,
    )


def shown_job(job: ScoringJob) -> Job:
    """Return a job as the service shows it."""
    result = job.result
    return Job(
        job_id=job.job_id,
        status=job.state,
        created_at=job.created_at,
        finished_at=job.finished_at,
        run_id=job.run_id,
        scores=None if result is None else result.scores,
        skipped_metrics=() if result is None else result.skipped_metrics,
        latency_ms=None if result is None else result.latency_ms,
        error=job.error or None,
        request_summary=job.summary,
    )


def scoring_session(jobs: Sequence[ScoringJob]) -> ScoringSession:
    """Return a session from its jobs, oldest first; at least one."""
    finished = [job.finished_at for job in jobs if job.finished_at is not None]
    return ScoringSession(
        session_id=jobs[0].session_id,
        run_id=jobs[0].run_id,
        call_count=len(jobs),
        metric_means=metric_means(job.result for job in jobs if job.result is not None),
        latest_finished_at=max(finished, default=None),
        jobs=tuple(map(shown_job, jobs)),
    )


def newest_first(sessions: Iterable[ScoringSession]) -> tuple[ScoringSession, ...]:
    """Return sessions by their latest finish, newest first; those without one last."""
    never = datetime.min.replace(tzinfo=UTC)
    by_id = sorted(sessions, key=lambda one: one.session_id)
    return tuple(sorted(by_id, key=lambda one: one.latest_finished_at or never, reverse=True))


def metric_means(results: Iterable[JobResult]) -> dict[str, float | None]:
    """Return the mean of each metric seen, four decimals; None where no result has a value."""
    values: dict[str, list[float]] = {}
    for result in results:
        for name, score in result.scores.items():
            values.setdefault(name, []).extend([] if score is None else [score])
    order: dict[str, int] = {name: place for place, name in enumerate(METRICS)}
    return {
        name: round(fmean(values[name]), 4) if values[name] else None
        for name in sorted(values, key=lambda name: (order.get(name, len(order)), name))
    }
