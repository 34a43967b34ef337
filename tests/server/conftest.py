"""Services for tests: on both databases, called in process or over a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from pages_site import Page, page, site
from served import Caller, listening, opened

from pytest_sessioneval.server.application import create_app
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing import JudgeServer

OpenService = Callable[..., Service]
Call = Callable[..., Caller]
Open = Callable[[str], Page]


@pytest.fixture
def open_service(store_url: str, tmp_path: Path) -> Iterator[OpenService]:
    """Return what opens a service of folders on the test's store; all are closed in the end."""
    with ExitStack() as stack:

        def opening(*folders: Path, **settings: Any) -> Service:
            return stack.enter_context(opened(store_url, tmp_path, folders, **settings))

        yield opening


@pytest.fixture
def service(open_service: OpenService) -> Service:
    """Return a service without folders on an empty store."""
    return open_service()


@pytest.fixture
def call() -> Iterator[Call]:
    """Return what makes clients of a service, in this process."""
    with ExitStack() as stack:

        def calling(service: Service, **options: Any) -> Caller:
            return stack.enter_context(closing(Caller(service, **options)))

        yield calling


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Return what serves a service on a loopback port and returns its address."""
    with ExitStack() as stack:

        def serving(service: Service, *, token: str | None, hosts: Sequence[str] = ()) -> str:
            known = ("127.0.0.1", "localhost", *hosts)
            return stack.enter_context(listening(create_app(service, token=token, hosts=known)))

        yield serving


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """Yield a judge on loopback."""
    with JudgeServer() as judge:
        yield judge


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Service]:
    """Yield the service of the pages' site."""
    with site(tmp_path) as service:
        yield service


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Service]:
    """Yield a service of nothing on an empty SQLite store."""
    with opened(f"sqlite:///{tmp_path}/.sessioneval/store.db", tmp_path) as service:
        yield service


@pytest.fixture
def show(served: Service, call: Call) -> Open:
    """Return what opens a page of the site."""
    return lambda path: page(call(served), path)
