"""What every test may use: the real transcripts, read in place, and a real PostgreSQL server."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgres_server import PostgresServer, missing_programs, shared_server

try:
    from hypothesis import settings
except ModuleNotFoundError:

    def pytest_sessionstart() -> None:
        """Say what to install; ``pytest --help`` works without."""
        raise pytest.UsageError("the tests need more than the plugin: pip install -e '.[test]'")

else:
    # Few examples where feedback must be quick; `.ci/run --full` tries many.
    settings.register_profile("quick", max_examples=20, deadline=None)
    settings.register_profile("full", max_examples=500, deadline=None)
    settings.load_profile(os.environ.get("SESSIONEVAL_TEST_EXAMPLES", "quick"))

pytest_plugins = ["pytester"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep thousands of items from the collector: every run of pytest within a test calls it.

    While they are made it rests: nearly all that is made then stays.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


_REPOSITORY = Path(__file__).resolve().parent.parent
_WORKER = os.environ.get("PYTEST_XDIST_WORKER")
"""Which of several processes this is: tests may take the variable away from inner runs."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real transcripts; skip without it, fail where it is required."""
    configured = os.environ.get("SESSIONEVAL_SHARED")
    shared = Path(configured) if configured else _REPOSITORY.parent / "shared"
    folder = shared / "data"
    if folder.is_dir():
        return folder
    reason = f"no real transcripts at {folder} (set SESSIONEVAL_SHARED to the folder holding data/)"
    if os.environ.get("SESSIONEVAL_REQUIRE_DATA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Yield a PostgreSQL server, one for all workers; skip without it, fail where it is required.

    Tests that use it make no lasting change outside of schemas of their own.
    """
    reason = missing_programs()
    if reason and os.environ.get("SESSIONEVAL_REQUIRE_POSTGRES") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    together = tmp_path_factory.getbasetemp()
    if _WORKER:
        together = together.parent
    with shared_server(together / "postgres-server.json") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_schema(postgres_server: PostgresServer) -> Callable[[], str]:
    """Return what makes an empty schema of a name that no other test has."""
    numbers = itertools.count()

    def make() -> str:
        schema = f"test_{_WORKER or 'main'}_{os.getpid()}_{next(numbers)}"
        postgres_server.execute(f"CREATE SCHEMA {schema}")
        return schema

    return make


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_schema: Callable[[], str]) -> str:
    """Return the URL of an empty schema."""
    return postgres_server.url(schema=postgres_schema())


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a store that is not there yet: the test runs on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/.sessioneval/store.db"
    return str(request.getfixturevalue("postgres_url"))
