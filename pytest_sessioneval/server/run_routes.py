"""Runs in the background: start, look at, cancel and resume them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Query

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.run_request import RunRequest
from pytest_sessioneval.server.describing import Answers, answer, no_such
from pytest_sessioneval.server.failures import Failure
from pytest_sessioneval.server.paths import RUN
from pytest_sessioneval.server.service import Served
from pytest_sessioneval.stores.run_statuses import RunStatus

__all__ = ["router"]

router = APIRouter(prefix="/eval", tags=["runs"])

_JUDGED = {
    "session_id": "task-0.trial-0",
    "state": "ok",
    "avg": {
        "task_complexity": 57,
        "goal_completion": None,
        "tool_usage_quality": 84,
        "efficiency": 79,
        "communication": 100,
        "subagent_orchestration": None,
        "self_extension": None,
    },
    "error": None,
}
_STATUS = {
    "run_id": "20261122-035248-74cc4c",
    "state": "running",
    "started_at": "2026-11-22T03:52:48.692943Z",
    "finished_at": None,
    "judge_model": "openai:gpt-5-mini",
    "judge_version": "openai:gpt-5-mini@1#5e4e2fb0",
    "rubric_version": "agent@1#9f1b83e4",
    "sessions": [
        _JUDGED,
        {"session_id": "task-1.trial-0", "state": "running", "avg": None, "error": None},
        {
            "session_id": "task-2.trial-0",
            "state": "failed",
            "avg": None,
            "error": "JudgeError: the judge at api.openai.com answered 503: overloaded",
        },
        {"session_id": "task-3.trial-0", "state": "pending", "avg": None, "error": None},
    ],
}
_REQUESTS = {
    "what listings show as pending or stale": {"value": {}},
    "one session": {"value": {"scope": "session", "session_id": "task-0.trial-0"}},
    "recent ones by another judge": {
        "value": {
            "scope": "all",
            "since": "2026-11-01T00:00:00Z",
            "limit": 100,
            "backend": "openai",
            "model": "gpt-5-mini",
        }
    },
}


_ID = "20261122-035248-74cc4c"
_KNOWN = answer(_STATUS) | no_such(f"run not found: {_ID}")


def _not_now(detail: str) -> Answers:
    content = {"application/json": {"example": {"detail": detail}}}
    return {409: {"model": Failure, "description": "Not as the run is now.", "content": content}}


@router.post("/run", responses=answer(_STATUS))
def start_run(
    service: Served,
    request: Annotated[RunRequest | None, Body(openapi_examples=_REQUESTS)] = None,
) -> RunStatus:
    """Evaluate sessions in the background, and answer at once."""
    return service.runs.start(request or RunRequest())


@router.get("/runs", responses=answer([_STATUS]))
def list_runs(
    service: Served,
    limit: Annotated[int, Query(ge=1, le=500, description="At most this many.")] = 50,
) -> tuple[RunStatus, ...]:
    """List runs, newest first, also those of pytest and of commands on the same store."""
    return service.runs.list(limit)


@router.get(f"/run/{RUN}", responses=_KNOWN)
def show_run(service: Served, run_id: str) -> RunStatus:
    """Return how a run is now."""
    return _found(service.runs.status(run_id), run_id)


@router.post(
    f"/run/{RUN}/cancel",
    responses=_KNOWN
    | _not_now(f"run {_ID} was made by pytest or a command: it cannot be cancelled here"),
)
def cancel_run(service: Served, run_id: str) -> RunStatus:
    """End a run: nothing new is asked, answers under way are kept, the rest stays pending.

    A run that has ended stays as it is.
    """
    try:
        return _found(service.runs.cancel(run_id), run_id)
    except SettingError as error:
        raise HTTPException(409, str(error)) from None


@router.post(
    f"/run/{RUN}/resume",
    responses=_KNOWN
    | _not_now(
        f"run {_ID} is done: only a run that was interrupted or cancelled can be resumed; "
        "start another one"
    ),
)
def resume_run(service: Served, run_id: str) -> RunStatus:
    """Go on with a run that was interrupted or cancelled: what was judged is not asked again."""
    try:
        return _found(service.runs.resume(run_id), run_id)
    except SettingError as error:
        raise HTTPException(409, str(error)) from None


def _found(status: RunStatus | None, run_id: str) -> RunStatus:
    if status is None:
        raise HTTPException(404, f"run not found: {run_id}")
    return status
