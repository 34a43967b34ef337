"""Session-grouped scoring, field by field as the service promises it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.stores.job_values import (
    Fraction,
    JobState,
    RequestSummary,
)
from pytest_sessioneval.suites.metrics import MetricName
from pytest_sessioneval.transcripts.samples import SEPARATOR

__all__ = [
    "DEFAULT_METRICS",
    "Job",
    "ScoreRequest",
    "ScoreResponse",
    "ScoringSession",
    "SessionScoreRequest",
    "each_once",
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


def each_once(metrics: tuple[MetricName, ...] | None) -> tuple[MetricName, ...]:
    """Return the metrics, each once, in order; without any those that are asked for then."""
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
        tuple[MetricName, ...] | None, Field(max_length=100), AfterValidator(each_once)
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
