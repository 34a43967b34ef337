"""Scoring of samples: one at once, or as calls of a session that grow one report."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError

from pytest_sessioneval.errors import JudgeError, SettingError
from pytest_sessioneval.evaluation.scoring_calls import (
    Job,
    ScoreRequest,
    ScoreResponse,
    ScoringSession,
    SessionScoreRequest,
)
from pytest_sessioneval.server.describing import answer
from pytest_sessioneval.server.failures import Failure, FieldFailure
from pytest_sessioneval.server.paths import SESSION
from pytest_sessioneval.server.service import Served

__all__ = ["router"]

router = APIRouter(prefix="/api/score", tags=["scoring"])

_SAMPLE = {
    "question": "Which city is the capital of France?",
    "answer": "Paris is the capital of France.",
    "contexts": ["Paris is the capital of France.", "Lyon is a city in France."],
    "ground_truth": "Paris",
    "metrics": ["faithfulness", "context_recall"],
}
_ONE: Any = {"one sample": {"value": _SAMPLE}}
_CALL: Any = {"a call of a session": {"value": {**_SAMPLE, "session_id": "chat-2026-11-21"}}}
_RUN = "session-chat-2026-11-21-7d2f9a0c41be"
_SCORES = {"faithfulness": 1.0, "context_recall": None}
_SCORED = {
    "scores": _SCORES,
    "skipped_metrics": ["context_recall"],
    "latency_ms": 3.1,
    "weighted_score": None,
}
_JOB = {
    "job_id": "0f3a9c01b7de",
    "status": "completed",
    "created_at": "2026-11-21T19:04:00Z",
    "finished_at": "2026-11-21T19:04:01Z",
    "run_id": _RUN,
    **_SCORED,
    "error": None,
    "request_summary": {
        "question": _SAMPLE["question"],
        "answer": _SAMPLE["answer"],
        "metrics": _SAMPLE["metrics"],
        "judge_model": "evidence",
        "embedding_model": None,
        "has_contexts": True,
        "has_ground_truth": True,
        "session_id": "chat-2026-11-21",
    },
}
_QUEUED = _JOB | {
    "status": "queued",
    "finished_at": None,
    "scores": None,
    "skipped_metrics": [],
    "latency_ms": None,
}
_SESSION = {
    "session_id": "chat-2026-11-21",
    "run_id": _RUN,
    "call_count": 1,
    "metric_means": _SCORES,
    "latest_finished_at": "2026-11-21T19:04:01Z",
    "jobs": [_JOB],
}
_REFUSED: dict[int | str, dict[str, Any]] = {
    422: {"model": FieldFailure, "description": "A field is not accepted"},
    503: {"model": Failure, "description": "Too many calls wait, or the store cannot be used"},
}
_UNANSWERED: dict[int | str, dict[str, Any]] = {
    502: {"model": Failure, "description": "The judge gave no usable answer"}
}
_MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Failure, "description": "Not found"}}


@router.post("", responses=answer(_SCORED) | _REFUSED | _UNANSWERED)
async def score_sample(
    service: Served, request: Annotated[ScoreRequest, Body(openapi_examples=_ONE)]
) -> ScoreResponse:
    """Score one sample now. Nothing of it is kept."""
    try:
        # Awaited here and not in a thread: whoever waits for a judge keeps no other caller waiting.
        return await asyncio.wrap_future(await run_in_threadpool(service.scoring.score, request))
    except SettingError as error:
        raise _no_such_judge(error) from None
    except JudgeError as error:
        raise HTTPException(502, f"{type(error).__name__}: {error}") from None
    except CancelledError:
        raise HTTPException(503, "the server is ending") from None


@router.post("/session_async", responses=answer(_QUEUED) | _REFUSED)
def score_in_session(
    service: Served, request: Annotated[SessionScoreRequest, Body(openapi_examples=_CALL)]
) -> Job:
    """Score one sample as a call of its session; the answer is the job, not yet done.

    Once it is completed, it is a row of the report of the session's run.
    """
    try:
        return service.scoring.submit(request)
    except SettingError as error:
        raise _no_such_judge(error) from None


@router.get("/sessions", responses=answer([_SESSION]))
def list_scoring_sessions(service: Served) -> list[ScoringSession]:
    """List all sessions with their jobs, by their latest finish, newest first."""
    return list(service.scoring.sessions())


@router.get(f"/sessions/{SESSION}", responses=answer(_SESSION) | _MISSING)
def show_scoring_session(service: Served, session_id: str) -> ScoringSession:
    """Return a session with its jobs, oldest first."""
    session = service.scoring.session(session_id)
    if session is None:
        raise HTTPException(404, f"session not found: {session_id}")
    return session


@router.get("/session/jobs", responses=answer([_JOB]))
def list_jobs(service: Served) -> list[Job]:
    """List all jobs, newest first."""
    return list(service.scoring.jobs())


@router.get("/session/jobs/{job_id:path}", responses=answer(_JOB) | _MISSING)
def show_job(service: Served, job_id: str) -> Job:
    """Return a job."""
    job = service.scoring.job(job_id)
    if job is None:
        raise HTTPException(404, f"job not found: {job_id}")
    return job


def _no_such_judge(error: SettingError) -> RequestValidationError:
    field = {"loc": ("body", "judge_model"), "msg": str(error), "type": "value_error"}
    return RequestValidationError([field])
