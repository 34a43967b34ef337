"""Each test of the store runs on both databases: a SQLite file and a schema of a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_sessioneval.stores.database import Database
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.postgres import PostgresDatabase
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.stores.sqlite import SqliteDatabase

OpenStore = Callable[[], SqlStore]


@pytest.fixture
def open_again(store_url: str, tmp_path: Path) -> Iterator[OpenStore]:
    """Return what opens the test's store, as often as it is called; all are closed in the end."""
    opened: list[SqlStore] = []

    def opening() -> SqlStore:
        store = open_store(store_url, root=tmp_path)
        assert isinstance(store, SqlStore)
        opened.append(store)
        return store

    yield opening
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: OpenStore) -> SqlStore:
    """Return an empty store."""
    return open_again()


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """Yield a database without tables."""
    path = Path(store_url.removeprefix("sqlite:///"))
    is_file = store_url.startswith("sqlite")
    database = SqliteDatabase(path) if is_file else PostgresDatabase(store_url)
    yield database
    database.close()
