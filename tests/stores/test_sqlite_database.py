"""What goes wrong with a store file, and that it is told in one line with what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from store_values import stored

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.stores.sqlite import SqliteDatabase, open_sqlite

_NOBODY = 65534


def _filled(file: Path, rows: int = 200) -> Path:
    store = open_sqlite(file)
    store.put_opinions("run-1", [stored(f"key-{number}") for number in range(rows)])
    store.close()
    return file


def _connection(store: SqlStore) -> sqlite3.Connection:
    database = store._database
    assert isinstance(database, SqliteDatabase)
    return database._connection


@pytest.fixture
def readonly() -> Iterator[Path]:
    """Yield a folder with a store in it that this process may read and not write."""
    # Not beneath tmp_path, which only its owner may enter.
    folder = Path(tempfile.mkdtemp())
    open_sqlite(folder / "store.db").close()
    (folder / "store.db").chmod(0o444)
    folder.chmod(0o555)
    everything_allowed = os.geteuid() == 0
    if everything_allowed:
        os.seteuid(_NOBODY)
    yield folder
    if everything_allowed:
        os.seteuid(0)
    folder.chmod(0o700)
    shutil.rmtree(folder)


def _put_one(file: Path) -> None:
    with closing(open_sqlite(file)) as store:
        store.put_opinions("run-1", [stored()])


def _read(file: Path) -> None:
    with closing(open_sqlite(file)) as store:
        store.opinions([f"key-{number}" for number in range(200)])


def test_the_file_is_written_ahead_and_synchronised_normally(tmp_path: Path) -> None:
    """Commits go to a write-ahead log with synchronous=NORMAL (1)."""
    with closing(open_sqlite(tmp_path / "store.db")) as store:
        assert store._database.rows("PRAGMA journal_mode") == [("wal",)]
        assert store._database.rows("PRAGMA synchronous") == [(1,)]


def test_another_process_is_waited_for_thirty_seconds(tmp_path: Path) -> None:
    """Unless told otherwise a store waits 30 s for a lock."""
    with closing(open_sqlite(tmp_path / "store.db")) as store:
        assert store._database.rows("PRAGMA busy_timeout") == [(30_000,)]


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    """A path that names a folder is refused with what to name instead."""
    with pytest.raises(StoreError, match="this is a folder: name a file in it"):
        open_sqlite(tmp_path)


def test_a_text_file_is_no_store(tmp_path: Path) -> None:
    """A file that is no database is named, and left as it is."""
    file = tmp_path / "notes.txt"
    file.write_text("Not a database.\n" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"notes\.txt: the store is broken or no SQLite database"):
        open_sqlite(file)
    assert file.read_text(encoding="utf-8") == "Not a database.\n" * 100


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    """A file without a byte is a new store, as SQLite has it."""
    (tmp_path / "store.db").touch()
    with closing(open_sqlite(tmp_path / "store.db")) as store:
        assert store.runs() == ()


def test_a_store_with_broken_pages_says_what_to_do(tmp_path: Path) -> None:
    """A store overwritten behind its first page is broken, by name, with a way out."""
    file = _filled(tmp_path / "store.db")
    with file.open("r+b") as handle:
        handle.seek(4096)
        handle.write(b"\xff" * (file.stat().st_size - 4096))
    with pytest.raises(StoreError, match=r"store\.db: the store is broken.* move the file away"):
        _read(file)


def test_a_store_cut_short_says_what_to_do(tmp_path: Path) -> None:
    """A store that lost its end, as by a copy broken off, is broken."""
    file = _filled(tmp_path / "store.db")
    with file.open("r+b") as handle:
        handle.truncate(8192)
    with pytest.raises(StoreError, match=r"store\.db: the store is broken"):
        _read(file)


def test_a_store_that_may_not_be_written_says_so(tmp_path: Path) -> None:
    """SQLite's refusal to write is told with what has to be writable."""
    with closing(open_sqlite(tmp_path / "store.db")) as store:
        _connection(store).execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match=r"store\.db: .*make the file and its folder writable"):
            store.put_opinions("run-1", [stored()])


def test_a_folder_that_may_not_be_written_says_so(readonly: Path) -> None:
    """A new store in a read-only folder is an error that names the file."""
    with pytest.raises(StoreError, match=r"new\.db: .*make the file and its folder writable"):
        open_sqlite(readonly / "new.db")


def test_a_file_that_may_not_be_written_says_so(readonly: Path) -> None:
    """A store of another user, which may be read only, is an error when it is written."""
    with pytest.raises(StoreError, match=r"store\.db: .*make the file and its folder writable"):
        _put_one(readonly / "store.db")


def test_a_full_disk_says_so_and_leaves_no_half_batch(tmp_path: Path) -> None:
    """A batch that finds no room is not kept, and what was kept before still is."""
    with closing(open_sqlite(tmp_path / "store.db")) as store:
        store.put_opinions("run-1", [stored("before")])
        pages = int(str(store._database.rows("PRAGMA page_count")[0][0]))
        _connection(store).execute(f"PRAGMA max_page_count = {pages + 2}")
        batch = [stored(f"key-{number}") for number in range(200)]
        with pytest.raises(StoreError, match=r"store\.db: no room to write .*free some"):
            store.put_opinions("run-1", batch)
        assert set(store.opinions(["before", *(row.opinion.key for row in batch)])) == {"before"}


def test_a_store_writes_again_once_there_is_room(tmp_path: Path) -> None:
    """A failed batch leaves no transaction behind."""
    with closing(open_sqlite(tmp_path / "store.db")) as store:
        pages = int(str(store._database.rows("PRAGMA page_count")[0][0]))
        _connection(store).execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError):
            store.put_opinions("run-1", [stored(f"key-{number}") for number in range(200)])
        _connection(store).execute("PRAGMA max_page_count = 1000000")
        store.put_opinions("run-1", [stored("after")])
        assert list(store.opinions(["after"])) == ["after"]


def test_a_store_locked_too_long_says_so(tmp_path: Path) -> None:
    """When another process does not let go, the wait and the way out are told."""
    file = _filled(tmp_path / "store.db", rows=1)
    with (
        closing(open_sqlite(file, busy_timeout_s=0.02)) as store,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"kept the store locked for 0\.02 s"):
            store.put_opinions("run-1", [stored("key-2")])
        other.execute("ROLLBACK")


def test_a_locked_store_can_be_read(tmp_path: Path) -> None:
    """A process that writes keeps nobody from reading."""
    file = _filled(tmp_path / "store.db", rows=1)
    with (
        closing(open_sqlite(file, busy_timeout_s=0.02)) as store,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert list(store.opinions(["key-0"])) == ["key-0"]
        other.execute("ROLLBACK")


def test_a_closed_store_leaves_one_file(tmp_path: Path) -> None:
    """The log is folded into the file when the last process closes it."""
    _filled(tmp_path / "store.db")
    assert [path.name for path in tmp_path.iterdir()] == ["store.db"]
