"""The application: every surface's endpoints behind one guard."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from fastapi import FastAPI

from pytest_sessioneval import __version__
from pytest_sessioneval.server import evaluation_routes, run_routes, scoring_routes
from pytest_sessioneval.server.access import LOOPBACK_HOSTS, Access
from pytest_sessioneval.server.describing import EVERYWHERE, Described
from pytest_sessioneval.server.failures import answer_failures
from pytest_sessioneval.server.guard import Guard, RequestLimits
from pytest_sessioneval.server.pages import routes as pages
from pytest_sessioneval.server.pages.failures import PageFailures
from pytest_sessioneval.server.service import Service

__all__ = ["create_app"]

_DESCRIPTION = """\
Sessions, their evaluations and people's feedback on them; runs in the background;
scoring of single samples, grouped by session.

Every answer that is no success is JSON with `detail`. Times are UTC."""


def create_app(
    service: Service,
    *,
    token: str | None,
    hosts: Collection[str] = LOOPBACK_HOSTS,
    limits: RequestLimits | None = None,
) -> FastAPI:
    """Return the application that serves ``service``.

    ``token`` is what callers show, None: nothing; ``hosts`` are the names that
    the ``Host`` header may hold. The service is closed by whoever opened it.
    """
    access = Access(
        token=token, hosts=frozenset(hosts), public=frozenset(("/healthz", *pages.PUBLIC))
    )
    app = Described(
        title="pytest-sessioneval",
        version=__version__,
        description=_DESCRIPTION,
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=EVERYWHERE,
    )
    app.state.service = service
    app.state.access = access
    app.state.ending = asyncio.Event()
    app.add_middleware(
        Guard, access=access, limits=limits or RequestLimits(), ending=app.state.ending
    )
    app.add_middleware(PageFailures)
    answer_failures(app)
    surfaces = (evaluation_routes, run_routes, scoring_routes, pages)
    app.surfaces = tuple(routes.router for routes in surfaces)
    for router in app.surfaces:
        app.include_router(router)
    return app
