"""Sessions, their evaluations, people's feedback, and weekly averages."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError

from pytest_sessioneval import __version__
from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.evaluation.thumbs import keep_thumbs
from pytest_sessioneval.server import evaluation_examples as examples
from pytest_sessioneval.server.describing import answer, no_such
from pytest_sessioneval.server.evaluation_values import (
    FeedbackGiven,
    FeedbackOfSession,
    Health,
    PostedSessions,
    SourceOverview,
)
from pytest_sessioneval.server.paths import SESSION
from pytest_sessioneval.server.service import Served
from pytest_sessioneval.stores.listings import (
    SessionDetail,
    SessionOverview,
    SessionQuery,
    StatsResponse,
)
from pytest_sessioneval.suites.model import FeedbackEntry

__all__ = ["router"]

_LARGEST = 2**31 - 1

router = APIRouter(tags=["evaluation"])


async def _body(request: Request) -> bytes:
    return await request.body()


@router.get("/healthz", responses=answer(examples.HEALTH))
def health() -> Health:
    """Say that the server is up. Needs no token."""
    return Health(version=__version__)


@router.post("/eval/feedback", responses=answer(examples.FEEDBACK))
def give_feedback(service: Served, given: FeedbackGiven) -> FeedbackEntry:
    """Keep a person's thumb on a message; a second one replaces the first.

    The session need not be known yet.
    """
    entry = FeedbackEntry(
        session_id=given.session_id,
        message_index=given.message_index,
        rating=given.rating,
        comment=given.comment or "",
        at=service.settings.clock(),
    )
    (kept,) = keep_thumbs(service.store, [entry])
    return kept


@router.get(f"/eval/feedback/{SESSION}", responses=answer(examples.FEEDBACK_OF_SESSION))
def feedback_of(service: Served, session_id: str) -> FeedbackOfSession:
    """Return people's thumbs on a session, by message; none where nobody gave one."""
    return FeedbackOfSession(feedback=service.store.feedback([session_id]))


@router.post(
    "/eval/sessions",
    responses=answer(examples.POSTED),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {}, "example": examples.TRANSCRIPT},
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        }
    },
)
def post_session(
    service: Served, request: Request, data: Annotated[bytes, Depends(_body)]
) -> PostedSessions:
    """Keep a transcript in any supported format; the same content twice is one session.

    What holds several sessions is kept as several. Secrets are replaced first.
    A session with an id that was posted before replaces that one, unless it is
    a beginning of it.
    """
    table = request.headers.get("content-type", "").startswith("text/csv")
    try:
        return PostedSessions.of(service.sessions.post(data, table=table))
    except TranscriptError as error:
        line = "" if error.place.line is None else f"line {error.place.line}: "
        reason = error.reason if data else "the body is empty; send a transcript"
        problem = {"loc": ("body",), "msg": f"{line}{reason}", "type": "transcript"}
        raise RequestValidationError([problem]) from None


@router.get("/eval/sessions", responses=answer([examples.OVERVIEW]))
def list_sessions(
    service: Served,
    limit: Annotated[int, Query(ge=1, le=500, description="At most this many.")] = 50,
    offset: Annotated[int, Query(ge=0, le=_LARGEST, description="Leave out so many.")] = 0,
    profile: Annotated[str | None, Query(description="Only of this profile.")] = None,
    status: Annotated[
        Literal["evaluated", "pending", "stale"] | None, Query(description="Only with this status.")
    ] = None,
) -> list[SessionOverview]:
    """List sessions: pinned first, then the last active, newest first."""
    current = service.current()
    query = SessionQuery(limit=limit, offset=offset, profile=profile, status=status)
    return [one.overview for one in service.store.list_sessions(query, current)]


@router.get(
    f"/eval/sessions/{SESSION}",
    responses=answer(examples.DETAIL) | no_such("session not found: task-99"),
)
def show_session(service: Served, session_id: str) -> SessionDetail:
    """Return all that is kept of a session: every expert's opinion, every thumb."""
    service.sessions.now()
    detail = service.store.session_detail(session_id)
    if detail is None:
        raise HTTPException(404, f"session not found: {session_id}")
    return detail


@router.get("/eval/stats", responses=answer(examples.STATS))
def weekly_stats(
    service: Served,
    days: Annotated[int, Query(ge=1, le=365, description="How far back.")] = 30,
    by_complexity_bucket: Annotated[  # noqa: FBT002 - a query parameter
        bool, Query(description="Also a row per bucket of complexity.")
    ] = False,
) -> StatsResponse:
    """Return weekly averages over the sessions evaluated by current judge and rubric."""
    since = service.settings.clock() - timedelta(days=days)
    current = service.current()
    return service.store.weekly_stats(current, since=since, by_bucket=by_complexity_bucket)


@router.get("/eval/sources", responses=answer([examples.SOURCE]))
def list_sources(service: Served) -> list[SourceOverview]:
    """List the folders that sessions come from, and what in them cannot be read."""
    return [SourceOverview.of(served) for served in service.sessions.now()]
