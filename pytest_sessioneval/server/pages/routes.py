"""The addresses of pages: each reads what it shows and renders it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from pytest_sessioneval.evaluation.abandoned_runs import end_abandoned
from pytest_sessioneval.evaluation.thumbs import keep_thumbs
from pytest_sessioneval.server.access import Access
from pytest_sessioneval.server.pages import rendering
from pytest_sessioneval.server.pages.links import run_url, session_url
from pytest_sessioneval.server.pages.prose import prose, session_links
from pytest_sessioneval.server.pages.reading import advice_of, recorded_of, report_of
from pytest_sessioneval.server.pages.run_view import run_view
from pytest_sessioneval.server.pages.runs_view import run_lines
from pytest_sessioneval.server.pages.scoring_view import scoring_view
from pytest_sessioneval.server.pages.session_view import session_view
from pytest_sessioneval.server.pages.sessions_view import sessions_view
from pytest_sessioneval.server.pages.transcript_view import MESSAGES, whole_message
from pytest_sessioneval.server.pages.trends_view import HEIGHT, ORDER, WIDTH, trends_view
from pytest_sessioneval.server.service import Served, Service
from pytest_sessioneval.stores.listings import ListedSession, SessionQuery
from pytest_sessioneval.suites.model import FeedbackEntry

__all__ = ["PUBLIC", "router"]

PUBLIC = ("/sign-in", *(f"/static/{name}" for name in rendering.STATIC))
"""Paths that need no token."""

_LARGEST = 2**31 - 1
_RUNS = 50
_MOST_RUNS = 1_000
_LONGEST_COMMENT = 2_000
_MONTH_S = 30 * 24 * 3600
_YEAR_S = 365 * 24 * 3600

From = Annotated[int, Query(alias="start", ge=0, le=_LARGEST)]


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form, the last of each name."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise HTTPException(422, "the form has more fields than any of ours") from None
    return {name: values[-1] for name, values in fields.items()}


Form = Annotated[dict[str, str], Depends(_form)]
"""The fields of a form that was sent."""

router = APIRouter(include_in_schema=False)


@router.get("/")
def front() -> Response:
    """Lead to the runs."""
    return RedirectResponse("/runs", status_code=303)


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Give a file that pages load; its address changes with what it holds."""
    kind = rendering.STATIC.get(name)
    if kind is None:
        raise HTTPException(404, f"there is no file {name}")
    keep = f"public, max-age={_YEAR_S}, immutable"
    return Response(
        rendering.static_file(name)[0], media_type=kind, headers={"cache-control": keep}
    )


@router.get("/sign-in")
def sign_in_form(request: Request) -> Response:
    """Ask for the token."""
    if _access(request).token is None:
        return RedirectResponse("/runs", status_code=303)
    return _html("sign_in.html", next="/runs", wrong=False)


@router.post("/sign-in")
def sign_in(request: Request, given: Form) -> Response:
    """Remember by a cookie who showed the token, and lead on to where they were going."""
    access = _access(request)
    onward = _own_path(given.get("next", ""))
    if not access.knows(given.get("token", "")):
        return _html("sign_in.html", status=401, next=onward, wrong=True)
    answer = RedirectResponse(onward, status_code=303)
    answer.set_cookie(
        access.cookie_name,
        access.cookie_value,
        max_age=_MONTH_S,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
    return answer


@router.get("/runs")
def runs(
    service: Served, limit: Annotated[int, Query(ge=1, le=_MOST_RUNS)] = _RUNS
) -> HTMLResponse:
    """List runs, newest first."""
    end_abandoned(service.store, service.settings.clock())
    found = service.store.runs(limit + 1)
    more = f"/runs?limit={min(_MOST_RUNS, 4 * limit)}" if len(found) > limit else None
    lines = run_lines(found[:limit])
    is_live = any(one.state == "running" for one in lines)
    more = more if limit < _MOST_RUNS else None
    return _html("runs.html", here="Runs", runs=lines, more=more, is_live=is_live)


@router.get("/runs/{run_id}")
def run(service: Served, run_id: str, start: From = 0) -> HTMLResponse:
    """Show one run."""
    row = service.store.run(run_id)
    if row is None:
        raise HTTPException(404, f"run not found: {run_id}")
    out = service.settings.out
    has_advice = advice_of(out, run_id) is not None
    samples = row.summary.samples if row.summary is not None else None
    calls = service.scoring.session(samples.session_id) if samples is not None else None
    if calls is not None:
        scoring = scoring_view(calls, start=start, has_advice=has_advice)
        return _html("scoring.html", here="Runs", view=scoring)
    status = service.runs.status(run_id)
    view = run_view(row, report_of(out, run_id), status, start=start, has_advice=has_advice)
    return _html("run.html", here="Runs", run=view)


@router.get("/runs/{run_id}/advice")
def advice(service: Served, run_id: str) -> HTMLResponse:
    """Show a run's advice."""
    out = service.settings.out
    found = advice_of(out, run_id)
    if found is None:
        raise HTTPException(404, f"run {run_id} has no advice")
    link = session_links(report_of(out, run_id))
    return _html(
        "advice.html",
        here="Runs",
        run_id=run_id,
        back=run_url(run_id),
        text=prose(found.text, link),
        cut=found.cut,
    )


@router.get("/sessions")
def sessions(
    service: Served,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
    profile: str = "",
    status: Literal["", "evaluated", "pending", "stale"] = "",
) -> HTMLResponse:
    """List sessions: pinned first, then the last active, newest first."""
    query = SessionQuery(limit=limit, offset=offset, profile=profile or None, status=status or None)
    asked = SessionQuery(limit=limit + 1, offset=offset, profile=query.profile, status=query.status)
    listed = service.store.list_sessions(asked, service.current())
    view = sessions_view(listed, query, service.sessions.now())
    return _html("sessions.html", here="Sessions", view=view)


@router.get("/session")
def session(
    service: Served,
    session_id: Annotated[str, Query(alias="id")],
    start: From = 0,
    agent: str | None = None,
) -> HTMLResponse:
    """Show one session: what the experts said, and the transcript they said it of."""
    listed = _listed(service, session_id)
    detail = service.store.session_detail(session_id)
    if detail is None:
        raise HTTPException(404, f"session not found: {session_id}")
    view = session_view(
        detail,
        listed,
        service.store.history(listed.suite, [listed.key]),
        recorded_of(service, session_id),
        axes=next((one.axes for one in service.current() if one.suite == listed.suite), ()),
        start=start,
        agent=agent,
    )
    return _html("session.html", here="Sessions", view=view)


@router.get("/session/message")
def message(
    service: Served,
    session_id: Annotated[str, Query(alias="id")],
    index: Annotated[int, Query(alias="message", ge=0, le=_LARGEST)],
    start: From = 0,
    agent: str | None = None,
) -> HTMLResponse:
    """Show one message, whole."""
    transcript = recorded_of(service, session_id).transcript
    found = transcript and whole_message(transcript, index, start=start, agent=agent)
    if not found:
        raise HTTPException(404, f"message not found: {index} of {session_id}")
    shown, parts = found
    back = session_url(
        session_id, start=index // MESSAGES * MESSAGES, agent=agent, anchor=f"m{index}"
    )
    return _html(
        "message.html",
        here="Sessions",
        session_id=session_id,
        message=shown,
        parts=parts,
        back=back,
    )


@router.post("/session/feedback")
def rate(service: Served, given: Form) -> Response:
    """Keep a thumb on a message, and lead back to the message."""
    listed = _listed(service, given.get("session_id", ""))
    try:
        entry = FeedbackEntry.model_validate(
            {
                "session_id": listed.overview.session_id,
                "message_index": int(given.get("message_index", "")),
                "rating": int(given.get("rating", "")),
                "comment": given.get("comment", "").strip()[:_LONGEST_COMMENT],
                "at": service.settings.clock(),
            }
        )
    except (ValueError, ValidationError):
        raise HTTPException(422, "a thumb is 1 or -1 on a message's number") from None
    index, messages = entry.message_index, listed.overview.msg_count
    if index >= messages:
        raise HTTPException(422, f"there is no message {index}: the session has {messages:,}")
    keep_thumbs(service.store, [entry])
    page = session_url(entry.session_id, start=index // MESSAGES * MESSAGES, anchor=f"m{index}")
    return RedirectResponse(page, status_code=303)


@router.get("/trends")
def trends(
    service: Served,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
    by_bucket: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> HTMLResponse:
    """Show weekly averages."""
    since = service.settings.clock() - timedelta(days=days)
    stats = service.store.weekly_stats(service.current(), since=since, by_bucket=by_bucket)
    view = trends_view(stats, days=days, by_bucket=by_bucket)
    return _html("trends.html", here="Trends", view=view, width=WIDTH, height=HEIGHT, order=ORDER)


def _listed(service: Service, session_id: str) -> ListedSession:
    service.sessions.now()
    query = SessionQuery(limit=1, session_id=session_id)
    for found in service.store.list_sessions(query, service.current()):
        return found
    raise HTTPException(404, f"session not found: {session_id}")


def _html(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    return HTMLResponse(
        rendering.page(template, **values),
        status_code=status,
        headers=rendering.HEADERS,
    )


def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


def _own_path(path: str) -> str:
    """Return the path where it leads to a page of this server, else that of the runs."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/runs"
