"""Session-grouped scoring, field by field as the service promises it, and how rows become that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from statistics import fmean
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from pytest_sessioneval.evaluation.naming import file_name
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.stores.job_values import (
    Fraction,
    JobResult,
    JobState,
    RequestSummary,
    ScoringInput,
    ScoringJob,
)
from pytest_sessioneval.suites.metrics import METRICS, MetricName
from pytest_sessioneval.transcripts.redaction import redact
from pytest_sessioneval.transcripts.samples import SEPARATOR, Sample, sample_of, session_of

__all__ = [
    "DEFAULT_METRICS",
    "Job",
    "ScoreRequest",
    "ScoreResponse",
    "ScoringSession",
    "SessionScoreRequest",
    "metric_means",
    "newest_first",
    "run_id_of",
    "scoring_input",
    "scoring_session",
    "shown_job",
    "summary_of",
]

DEFAULT_METRICS: tuple[MetricName, ...] = (
    "faithfulness",
    "answer_relevancy",
    "context_precision",
    "context_recall",
    "answer_correctness",
    "semantic_similarity",
    "factual_correctness",
)
"""Those that are asked for where a call names none: all whose inputs a call can hold."""

_CUT = 80
_MOST_CHARACTERS = 100_000
_MOST_CONTEXTS = 200
_MOST_IN_CONTEXTS = 1_000_000


def _split(given: Any) -> Any:
    """Return contexts as a list; one string holds several."""
    if given is None:
        return ()
    return given.split(SEPARATOR) if isinstance(given, str) else given


def _kept(contexts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the contexts that say something; raises ``ValueError`` for too many characters."""
    if sum(map(len, contexts)) > _MOST_IN_CONTEXTS:
        raise ValueError(f"contexts may have {_MOST_IN_CONTEXTS:,} characters together")
    return tuple(context for context in contexts if context.strip())


def _each_once(metrics: tuple[MetricName, ...] | None) -> tuple[MetricName, ...]:
    return tuple(dict.fromkeys(metrics or DEFAULT_METRICS))


_Text = Annotated[str, Field(max_length=_MOST_CHARACTERS)]
_Model = Annotated[str, Field(min_length=1, max_length=200)]


class ScoreRequest(Frozen):
    """One sample, and what to compute from it.

    What else is sent is passed over: clients of the service that ours replaces
    may send more than its contract names.
    """

    model_config = ConfigDict(extra="ignore")

    question: _Text
    """What was asked."""
    answer: _Text
    """What was answered."""
    contexts: Annotated[
        Annotated[tuple[_Text, ...], Field(max_length=_MOST_CONTEXTS)],
        AfterValidator(_kept),
        BeforeValidator(_split, json_schema_input_type=list[str] | str | None),
    ] = ()
    """What the answer should rest on, best first: a list, or one string split at ' |||| '."""
    ground_truth: _Text | None = None
    """What should have been answered."""
    metrics: Annotated[
        tuple[MetricName, ...] | None, Field(max_length=100), AfterValidator(_each_once)
    ] = None
    """What to compute; default: every metric whose inputs a request can hold."""
    judge_model: _Model | None = None
    """Who judges; default: the server's judge."""
    embedding_model: _Model | None = None
    """Whose embeddings are compared; default: the server's."""


class SessionScoreRequest(ScoreRequest):
    """One sample of a session."""

    session_id: Annotated[str, Field(min_length=1, max_length=500)]
    """The session that the call belongs to; it begins with its first call."""


class ScoreResponse(Frozen):
    """What came of one sample."""

    scores: dict[str, Fraction | None]
    """One per metric asked for, 0–1, 1 is best; null: it was skipped."""
    skipped_metrics: tuple[str, ...]
    """Those without a score, sorted."""
    latency_ms: float
    """Milliseconds that scoring took."""
    weighted_score: None = None
    """Always null: metrics are not added up."""


class Job(Frozen):
    """One call of a session."""

    job_id: str
    """12 hexadecimal digits."""
    status: JobState
    """How far it is."""
    created_at: datetime
    """When it was called."""
    finished_at: datetime | None
    """When it was completed, or failed."""
    run_id: str
    """The run of its session, which is the folder of the report."""
    scores: dict[str, Fraction | None] | None
    """One per metric asked for, 0–1, 1 is best; null where skipped, and null until completed."""
    skipped_metrics: tuple[str, ...]
    """Those without a score, sorted."""
    latency_ms: float | None
    """Milliseconds that scoring took, the wait in the queue not included."""
    error: str | None
    """Why it failed, ``Type: message``; ``interrupted``: the server ended before it did."""
    weighted_score: None = None
    """Always null: metrics are not added up."""
    request_summary: RequestSummary
    """What was asked for."""


class ScoringSession(Frozen):
    """All calls of one session."""

    session_id: str
    """The session's id."""
    run_id: str
    """Its run."""
    call_count: int
    """All jobs, also those that are queued or failed."""
    metric_means: dict[str, Fraction | None]
    """Means over the report's rows, four decimals; null: no row has a value."""
    latest_finished_at: datetime | None
    """When a job last finished."""
    jobs: tuple[Job, ...]
    """Oldest first."""


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
        ground_truth=request.ground_truth or None,
    )
    sample = sample_of(redact(session_of(given, "sample")).transcript)
    return ScoringInput(
        question=sample.question,
        answer=sample.answer,
        contexts=sample.contexts,
        ground_truth=sample.ground_truth,
        metrics=_each_once(request.metrics),
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
