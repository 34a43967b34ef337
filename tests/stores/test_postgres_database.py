"""What goes wrong between a run and its PostgreSQL server, and that it is told in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest
from postgres_server import PostgresServer
from store_values import START, stored

from pytest_sessioneval.errors import SettingError, StoreError
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.postgres import PostgresDatabase, open_postgres
from pytest_sessioneval.stores.sql import SqlStore

_LOCK = "SELECT pg_advisory_lock(hashtext('pytest-sessioneval'), hashtext(current_schema()::text))"


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    """Yield an empty store."""
    store = open_postgres(postgres_url, lock_timeout_s=0.05)
    yield store
    store.close()


@pytest.fixture
def teller(postgres_server: PostgresServer) -> Iterator[str]:
    """Yield the name of a user who has a password, ``s3cret``, and no right to anything."""
    postgres_server.execute("CREATE ROLE with_password LOGIN PASSWORD 's3cret'")
    yield "with_password"
    postgres_server.execute("DROP ROLE with_password")


def _connection(store: SqlStore) -> psycopg.Connection[object]:
    database = store._database
    assert isinstance(database, PostgresDatabase)
    return database._connection


def _break_connection(store: SqlStore, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [_connection(store).info.backend_pid])


def _refusal(url: str) -> str:
    with pytest.raises((SettingError, StoreError)) as caught:
        open_postgres(url)
    return str(caught.value)


def test_a_missing_psycopg_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra a PostgreSQL URL says what to type."""
    monkeypatch.delitem(sys.modules, "pytest_sessioneval.stores.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingError) as caught:
        open_store("postgresql://host/db", root=None)  # type: ignore[arg-type]  # is not looked at
    assert str(caught.value).endswith("pip install 'pytest-sessioneval[postgres]'")


def test_a_place_names_no_password(postgres_server: PostgresServer, teller: str) -> None:
    """Messages name the database by a URL without password and parameters."""
    url = postgres_server.url(user=f"{teller}:s3cret")
    with closing(PostgresDatabase(url)) as database:
        assert f"postgresql://with_password@{postgres_server.folder}/sessioneval" == database.place


def test_a_wrong_password_is_not_repeated(postgres_server: PostgresServer, teller: str) -> None:
    """The server's refusal is told without what was tried."""
    said = _refusal(postgres_server.url(user=f"{teller}:wr0ng"))
    assert "the store cannot be reached (" in said
    assert "password authentication failed" in said
    assert "wr0ng" not in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3@cret@host/db",
        "postgresql://me:s3/cret@host/db",
        "postgresql://me:s3?c@cret@host/db",
        "postgresql://me:s3cret/db",
        "postgresql://me:s3%cret@host/db",
        "postgresql://me@host/db?nothing=s3cret",
        "postgresql://me@host/db?s3cret",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    """What may be part of a password is never shown; what to write is."""
    said = _refusal(url)
    assert "postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in said
    assert not any(part in said for part in ("s3", "cret"))


def test_no_server_is_told_with_what_to_look_at(postgres_server: PostgresServer) -> None:
    """Nobody listening is an error that names the place."""
    url = postgres_server.url().replace("se-pg-", "no-pg-")
    assert "check that the server runs and takes connections from here" in _refusal(url)


def test_a_database_of_another_encoding_is_refused(postgres_server: PostgresServer) -> None:
    """A database that does not keep every character is no place for sessions."""
    made = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc"
    postgres_server.execute(f"{made} TEMPLATE template0")
    said = _refusal(postgres_server.url().replace("/sessioneval?", "/latin?"))
    assert "the database keeps text as LATIN1" in said


def test_a_user_without_rights_is_told_which(postgres_server: PostgresServer, teller: str) -> None:
    """Who may not make tables hears what to grant."""
    said = _refusal(postgres_server.url(user=f"{teller}:s3cret"))
    assert "permission denied for schema public" in said
    assert "grant it the right to create and change tables" in said


def test_a_read_only_database_says_so(
    postgres_server: PostgresServer, postgres_schema: Callable[[], str]
) -> None:
    """A standby, or a session that may only read, is told as such, and nothing is written."""
    schema = postgres_schema()
    open_postgres(postgres_server.url(schema=schema)).close()
    url = postgres_server.url(schema=schema, default_transaction_read_only="on")
    with closing(open_postgres(url)) as store:
        with pytest.raises(StoreError, match=r"the store cannot be written .*name the primary"):
            store.put_opinions("run-1", [stored()])
        assert store.opinions(["key-1"]) == {}


def test_a_store_locked_too_long_says_so(store: SqlStore, postgres_url: str) -> None:
    """When another process does not let go, the wait and the way out are told."""
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(_LOCK)
        with pytest.raises(StoreError, match=r"kept the store locked for 0\.05 s"):
            store.put_opinions("run-1", [stored()])
    store.put_opinions("run-1", [stored()])
    assert list(store.opinions(["key-1"])) == ["key-1"]


def test_a_locked_store_can_be_read(store: SqlStore, postgres_url: str) -> None:
    """A process that writes keeps nobody from reading."""
    store.put_opinions("run-1", [stored()])
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(_LOCK)
        assert list(store.opinions(["key-1"])) == ["key-1"]


def test_a_lost_connection_is_opened_again(store: SqlStore, postgres_url: str) -> None:
    """A judge may take longer than a server keeps an idle connection: reading goes on."""
    store.put_opinions("run-1", [stored()])
    _break_connection(store, postgres_url)
    assert list(store.opinions(["key-1"])) == ["key-1"]


def test_a_lost_connection_is_opened_again_to_write(store: SqlStore, postgres_url: str) -> None:
    """Writing after the connection was lost writes."""
    _break_connection(store, postgres_url)
    store.start_run("run-1", START)
    assert [row.run_id for row in store.runs()] == ["run-1"]


def test_a_connection_lost_in_a_transaction_keeps_nothing(
    store: SqlStore, postgres_url: str
) -> None:
    """Half a transaction is never taken for a whole one, and the store goes on."""
    with pytest.raises(StoreError, match="the connection was lost"):
        _lose_connection_while_writing(store, postgres_url)
    assert store.runs() == ()


def _lose_connection_while_writing(store: SqlStore, url: str) -> None:
    with store._database.writing() as transaction:
        transaction.run("INSERT INTO runs (run_id, state, started_at) VALUES ('r', 's', 't')")
        _break_connection(store, url)
        transaction.run("INSERT INTO runs (run_id, state, started_at) VALUES ('q', 's', 't')")
