"""The database of a team: PostgreSQL, through psycopg 3 (the extra ``[postgres]``)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TypeAlias, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pytest_sessioneval.errors import SettingError, StoreError
from pytest_sessioneval.stores.database import Row, Transaction, Value
from pytest_sessioneval.stores.sql import SqlStore

__all__ = ["LOCK_TIMEOUT_S", "PostgresDatabase", "open_postgres"]

LOCK_TIMEOUT_S = 30.0
"""How long a process waits for another one's transaction."""

_T = TypeVar("_T")
_Connection: TypeAlias = "psycopg.Connection[tuple[Value, ...]]"

_ANOTHER = "name another store with --sessioneval-store"
_URL = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"

# A connection that a firewall forgot is noticed within a minute, not after a quarter of an hour.
_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "application_name": "pytest-sessioneval",
}

_TABLES = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"

# One writer at a time, as SQLite has it: who read in a transaction may write what follows from
# it, and two batches of the same rows never wait for each other. A client that hangs lets go.
_BEGIN = """
BEGIN;
SET LOCAL lock_timeout = {lock_ms};
SET LOCAL idle_in_transaction_session_timeout = 60000;
SELECT pg_advisory_xact_lock(hashtext('pytest-sessioneval'), hashtext(current_schema()::text))"""

# PostgreSQL keeps no NUL in text. These are no characters, so that text hardly ever holds them.
_MARK = "\ufffe"
_NUL, _ITSELF = _MARK + "0", _MARK + "1"


def open_postgres(url: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> SqlStore:
    """Return the store kept in that database's schema, whose tables are made where missing.

    Raises ``SettingError`` for a URL that cannot be read, and ``StoreError``
    for a server that does not answer or a database that is no store.
    """
    return SqlStore(PostgresDatabase(url, lock_timeout_s=lock_timeout_s))


class PostgresDatabase:
    """A ``Database`` in the search path's first schema: one connection, a lock around each use.

    A commit is as durable as the server makes it. Transactions that write come
    one after the other, from all processes together; reading waits for nobody.
    A connection that was lost between two uses is opened again; one that is lost
    in a transaction is an error, and nothing of the transaction is kept.
    """

    def __init__(self, url: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self._parameters = _DEFAULTS | _parsed(url)
        self._lock_timeout_s = lock_timeout_s
        self._begin = _BEGIN.format(lock_ms=max(1, round(1000 * lock_timeout_s)))
        self._lock = threading.RLock()
        self._closed = False
        self._connection = self._connect()
        encoding = self._connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            self._connection.close()
            raise StoreError(
                f"{self.place}: the database keeps text as {encoding}, which not every session "
                f"fits: make one WITH ENCODING 'UTF8', or {_ANOTHER}"
            )

    @property
    def place(self) -> str:
        """The database's URL, without password and parameters."""
        given = self._parameters
        user = f"{given['user']}@" if "user" in given else ""
        port = f":{given['port']}" if "port" in given else ""
        return f"postgresql://{user}{given.get('host', '')}{port}/{given.get('dbname', '')}"

    @property
    def recovery(self) -> str:
        """What a person can do when the content cannot be used, as one clause."""
        return (
            "restore a copy, or begin an empty store in another schema (sessions are then judged "
            f"again), or {_ANOTHER}"
        )

    def tables(self) -> frozenset[str]:
        """Return the names of the tables in the schema."""
        return frozenset(str(row[0]) for row in self.rows(_TABLES))

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Return what a query finds."""
        with self._lock, self._telling():
            return self._connected(lambda connection: _fetched(connection, sql, parameters))

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Return a transaction; leaving the block commits, by an exception undoes."""
        with self._lock, self._telling():
            try:
                connection = self._connected(self._begun)
                yield _PostgresTransaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                # What cannot be undone here, the server undoes when the connection ends.
                with suppress(psycopg.Error):
                    if not self._connection.closed:
                        self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Release the connection; closing twice is harmless."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def _connect(self) -> _Connection:
        try:
            # Statements are not prepared: a pooler in front may give each transaction another
            # connection to the server.
            return psycopg.connect(
                make_conninfo("", **self._parameters), autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            raise StoreError(
                f"{self.place}: the store cannot be reached ({self._said(error)}): check that the "
                "server runs and takes connections from here, and that user, password and "
                f"database are right; or {_ANOTHER}"
            ) from None

    def _connected(self, work: Callable[[_Connection], _T]) -> _T:
        """Return what the work gives; once more where the connection was lost meanwhile."""
        if self._closed:
            raise StoreError(f"{self.place}: the store is closed")
        try:
            return work(self._connection)
        except psycopg.OperationalError:
            if not self._connection.closed:
                raise
            self._connection = self._connect()
            return work(self._connection)

    def _begun(self, connection: _Connection) -> _Connection:
        connection.execute(self._begin.encode())
        return connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what psycopg raises into a ``StoreError`` that says what to do."""
        try:
            yield
        except psycopg.Error as error:
            raise StoreError(f"{self.place}: {self._advice(error)}") from error
        except UnicodeEncodeError as error:
            raise StoreError(f"{self.place}: {_no_value(str(error))}") from error

    def _advice(self, error: psycopg.Error) -> str:
        state, said = error.sqlstate or "", self._said(error)
        if state == "55P03":
            return (
                f"another process kept the store locked for {self._lock_timeout_s:g} s ({said}): "
                f"let it finish or end it, and run again; or {_ANOTHER}"
            )
        if state == "42501":
            return (
                f"the user may not do this ({said}): grant it the right to create and change "
                f"tables in the schema, or {_ANOTHER}"
            )
        if state == "25006":
            return f"the store cannot be written ({said}): name the primary server, or {_ANOTHER}"
        if state == "53100":
            return (
                f"no room to write ({said}): free some on the server and run again; what was "
                f"acknowledged before is kept; or {_ANOTHER}"
            )
        if state.startswith("22"):
            return _no_value(said)
        if self._connection.closed:
            return (
                f"the connection was lost ({said}): run again; what was acknowledged before is "
                f"kept; or {_ANOTHER}"
            )
        return f"the store failed ({said}): look into the server's log, or {_ANOTHER}"

    def _said(self, error: psycopg.Error) -> str:
        """Return the server's words in one line, without the password."""
        said = " ".join((error.diag.message_primary or str(error)).split())
        password = str(self._parameters.get("password", ""))
        return said.replace(password, "…") if password else said


class _PostgresTransaction:
    """Statements on a connection that has begun a transaction."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def run(self, sql: str, rows: Iterable[Row] = ((),)) -> None:
        """Run a statement once per row of parameters; many rows take few round trips."""
        complete = [_kept(row) for row in rows]
        with self._connection.cursor() as cursor:
            if len(complete) == 1:
                cursor.execute(_translated(sql), complete[0] or None)
            elif complete:
                cursor.executemany(_translated(sql), complete)

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Return what a query finds, this transaction's own changes included."""
        return _fetched(self._connection, sql, parameters)


def _fetched(connection: _Connection, sql: str, parameters: Sequence[Value]) -> list[Row]:
    found = connection.execute(_translated(sql), _kept(parameters) or None).fetchall()
    return [_given_back(row) if _is_marked(row) else row for row in found]


@cache
def _translated(sql: str) -> bytes:
    return sql.replace("?", "%s").encode()


def _kept(row: Sequence[Value]) -> Row:
    """Return the row as PostgreSQL can keep it; most rows are the same."""
    if not any(isinstance(value, str) and ("\0" in value or _MARK in value) for value in row):
        return tuple(row)
    return tuple(
        value.replace(_MARK, _ITSELF).replace("\0", _NUL) if isinstance(value, str) else value
        for value in row
    )


def _is_marked(row: Row) -> bool:
    return any(isinstance(value, str) and _MARK in value for value in row)


def _given_back(row: Row) -> Row:
    return tuple(
        value.replace(_NUL, "\0").replace(_ITSELF, _MARK) if isinstance(value, str) else value
        for value in row
    )


def _no_value(said: str) -> str:
    return (
        f"a value cannot be stored ({said}): whole numbers may have 64 bits and text must be "
        "valid Unicode"
    )


def _parsed(url: str) -> dict[str, str]:
    """Return the URL's parameters; raises ``SettingError``, which repeats nothing of the URL."""
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        # libpq takes the end of a password with an @ or a / for a host or a database.
        if any("@" in given.get(name, "") for name in ("host", "dbname")):
            raise psycopg.ProgrammingError
    except psycopg.Error:
        raise SettingError(
            f"--sessioneval-store: the PostgreSQL URL cannot be read: write {_URL}, with %40, %2F, "
            "%3A, %3F and %23 for @ / : ? # in a name or password (the URL is not repeated here: "
            "it may hold a password)"
        ) from None
    if not all(port.isdigit() for port in given.get("port", "1").split(",")):
        raise SettingError(
            f"--sessioneval-store: the port of the PostgreSQL URL is no number: write {_URL}"
        )
    return given
