"""Sessions, their evaluations, people's feedback, and weekly averages."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from pytest_sessioneval import __version__
from pytest_sessioneval.server.failures import Failure
from pytest_sessioneval.server.service import Served
from pytest_sessioneval.stores.listings import (
    SessionDetail,
    SessionOverview,
    SessionQuery,
    StatsResponse,
)

__all__ = ["router"]

_LARGEST = 2**31 - 1

router = APIRouter(tags=["evaluation"])


class Health(BaseModel):
    """The server is up."""

    status: Literal["ok"] = "ok"
    version: str = __version__


@router.get("/healthz")
def health() -> Health:
    """Say that the server is up. Needs no token."""
    return Health()


@router.get("/eval/sessions")
def list_sessions(
    service: Served,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
    profile: str | None = None,
    status: Literal["evaluated", "pending", "stale"] | None = None,
) -> list[SessionOverview]:
    """List sessions: pinned first, then the last active, newest first."""
    current = service.current()
    query = SessionQuery(limit=limit, offset=offset, profile=profile, status=status)
    return [one.overview for one in service.store.list_sessions(query, current)]


@router.get("/eval/sessions/{session_id:path}", responses={404: {"model": Failure}})
def show_session(service: Served, session_id: str) -> SessionDetail:
    """Return all that is kept of a session."""
    service.sessions.now()
    detail = service.store.session_detail(session_id)
    if detail is None:
        raise HTTPException(404, f"session not found: {session_id}")
    return detail


@router.get("/eval/stats")
def weekly_stats(
    service: Served,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
    by_complexity_bucket: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> StatsResponse:
    """Return weekly averages of the evaluations by current judge and rubric."""
    since = service.settings.clock() - timedelta(days=days)
    return service.store.weekly_stats(
        service.current(), since=since, by_bucket=by_complexity_bucket
    )
