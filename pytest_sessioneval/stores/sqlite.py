"""The embedded database: one SQLite file, through the standard library."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.database import Row, Transaction, Value
from pytest_sessioneval.stores.folder import make_folder, refuse_tracked
from pytest_sessioneval.stores.sql import SqlStore

__all__ = ["SqliteDatabase", "open_sqlite"]

BUSY_TIMEOUT_S = 30.0
"""How long a process waits for another one's transaction."""

_PAUSE_S = 0.01

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"

_ANOTHER = "name another store with --sessioneval-store"


def open_sqlite(path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> SqlStore:
    """Return the store kept in that file, which is made where it is missing.

    Raises ``StoreError`` for a file that git tracks, that is no store, that
    cannot be read and written, or that a newer version wrote.
    """
    return SqlStore(SqliteDatabase(path, busy_timeout_s=busy_timeout_s))


class SqliteDatabase:
    """A ``Database`` in one file: write-ahead log, one connection, a lock around each use.

    A commit survives the end of the process, also by ``kill -9``; after a loss
    of power the last ones may be missing and the file is still sound
    (``synchronous=NORMAL``). A process waits ``busy_timeout_s`` seconds for
    another one's transaction. Open it in the process that uses it: SQLite
    connections do not survive a fork.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        # Resolved, so that a link can neither hide a tracked file nor move with the directory.
        self._path = path.resolve()
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.RLock()
        if self._path.is_dir():
            raise StoreError(f"{self._path}: this is a folder: name a file in it, or {_ANOTHER}")
        if self._path.exists():
            refuse_tracked(self._path)
        make_folder(self._path.parent)
        with self._telling():
            self._connection = sqlite3.connect(
                self._path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def recovery(self) -> str:
        """What a person can do when the content cannot be used, as one clause."""
        return (
            "restore a copy, or move the file away to begin an empty store (sessions are then "
            f"judged again), or {_ANOTHER}"
        )

    def tables(self) -> frozenset[str]:
        """Return the names of the tables there are."""
        return frozenset(str(row[0]) for row in self.rows(_TABLES))

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Return what a query finds."""
        with self._lock, self._telling():
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Return a transaction; leaving the block commits, by an exception undoes."""
        with self._lock, self._telling():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield _SqliteTransaction(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite has undone it already after some errors, such as a full disk.
                with suppress(sqlite3.Error):
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Release the file; closing twice is harmless."""
        with self._lock, self._telling():
            self._connection.close()

    def _prepare(self) -> None:
        with self._telling():
            self._write_ahead()
            self._connection.execute("PRAGMA synchronous = NORMAL")
            # Triggers and views of a file that somebody else made may call no dangerous function.
            self._connection.execute("PRAGMA trusted_schema = OFF")

    def _write_ahead(self) -> None:
        """Switch the file to write-ahead logging, which a new file is not."""
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # SQLite does not wait here by itself when several processes make one file at
                # once: each holds a shared lock and wants the exclusive one.
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what SQLite raises into a ``StoreError`` that says what to do."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {self._advice(error)}") from error
        except (OverflowError, UnicodeEncodeError) as error:
            raise StoreError(
                f"{self._path}: a value cannot be stored ({error}): whole numbers may have 64 "
                "bits and text must be valid Unicode"
            ) from error

    def _advice(self, error: sqlite3.Error) -> str:
        code = _code(error)
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return f"the store is broken or no SQLite database ({error}): {self.recovery}"
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
            return (
                f"the store cannot be opened for writing ({error}): make the file and its "
                f"folder writable (SQLite keeps a log beside the file), or {_ANOTHER}"
            )
        if code == sqlite3.SQLITE_FULL:
            return (
                f"no room to write ({error}): free some and run again; what was acknowledged "
                f"before is kept; or {_ANOTHER}"
            )
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
            return (
                f"another process kept the store locked for {self._busy_timeout_s:g} s ({error}): "
                f"let it finish or end it, and run again; or {_ANOTHER}"
            )
        return f"the store failed ({error}): check the disk it lies on, or {_ANOTHER}"


class _SqliteTransaction:
    """Statements on a connection that has begun a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, rows: Iterable[Row] = ((),)) -> None:
        """Run a statement once per row of parameters."""
        for row in rows:
            self._connection.execute(sql, row)

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Return what a query finds, this transaction's own changes included."""
        return self._connection.execute(sql, parameters).fetchall()


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, the low byte: https://www.sqlite.org/rescode.html."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
