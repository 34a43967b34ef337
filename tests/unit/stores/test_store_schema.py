"""Schema versions: old stores are migrated, newer ones refused, and none is left half-way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from store_values import START, indexed, opinion, run, session, stored

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.protocol import RunRow
from pytest_sessioneval.stores.schema import MIGRATIONS, SCHEMA_VERSION, Migration, migrate
from pytest_sessioneval.stores.sqlite import SqliteDatabase, open_sqlite
from pytest_sessioneval.stores.summary import summarise
from pytest_sessioneval.suites.model import FeedbackEntry

RELEASED = Path(__file__).parent / "schema_1.sql"
"""A store as version 1 wrote it. Never edited once version 1 is released."""

NEXT = Migration(
    version=SCHEMA_VERSION + 1,
    name="note on runs",
    statements=("ALTER TABLE runs ADD COLUMN note TEXT", "UPDATE runs SET note = 'old'"),
)


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """Return a store file of schema version 1 with a row in every table it filled."""
    file = tmp_path / "released.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(RELEASED.read_text(encoding="utf-8"))
    return file


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """Yield a database without tables."""
    database = SqliteDatabase(tmp_path / "store.db")
    yield database
    database.close()


def _versions(database: SqliteDatabase) -> list[object]:
    return [row[0] for row in database.rows("SELECT version FROM migrations ORDER BY version")]


def test_versions_count_from_one_without_a_gap() -> None:
    """The ordered list of migrations is complete."""
    assert list(range(1, SCHEMA_VERSION + 1)) == [step.version for step in MIGRATIONS]


def test_a_new_store_has_every_table(database: SqliteDatabase) -> None:
    """All tables of the design are made at once."""
    assert migrate(database) == 0
    assert database.tables() == {
        "evaluations",
        "feedback",
        "files",
        "jobs",
        "label_queues",
        "labels",
        "migrations",
        "runs",
        "sessions",
    }


def test_a_new_store_notes_every_version(database: SqliteDatabase) -> None:
    """The table of migrations says which steps were taken."""
    migrate(database)
    assert _versions(database) == [step.version for step in MIGRATIONS]


def test_migrating_again_changes_nothing(database: SqliteDatabase) -> None:
    """A store of today's version is found to be one."""
    migrate(database)
    assert migrate(database) == SCHEMA_VERSION
    assert len(_versions(database)) == len(MIGRATIONS)


def test_the_released_first_migration_is_unchanged(
    database: SqliteDatabase, released: Path
) -> None:
    """Version 1 makes the tables and indexes that the released version 1 made."""
    migrate(database, MIGRATIONS[:1])
    objects = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    with closing(sqlite3.connect(released)) as connection:
        assert connection.execute(objects).fetchall() == database.rows(objects)


def test_a_released_store_reaches_the_tables_of_a_new_one(
    database: SqliteDatabase, released: Path
) -> None:
    """Migrating version 1 ends where making a new store ends."""
    migrate(database)
    names = "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c"
    with closing(SqliteDatabase(released)) as old:
        migrate(old)
        assert sorted(map(str, database.rows(names))) == sorted(map(str, old.rows(names)))


def test_everything_a_released_store_kept_is_read(released: Path) -> None:
    """Opinions, sessions, files, feedback and runs of version 1 come back as they were put."""
    thumb = FeedbackEntry(
        session_id="task-1-id", message_index=2, rating=-1, comment="No", at=START
    )
    ended = run()
    with closing(open_sqlite(released)) as store:
        assert {"key-1": opinion("key-1")} == store.opinions(["key-1"])
        assert (session(),) == store.sessions()
        assert {"c" * 64: indexed()} == store.indexed_files(["c" * 64], "readers-1")
        assert (thumb,) == store.feedback()
        assert store.runs() == (
            RunRow(ended.run_id, "done", START, ended.finished_at, summarise(ended)),
        )
        assert store.statuses("airline", {"task-1": ["key-1"]}) == {"task-1": "evaluated"}


def test_a_released_store_can_be_written(released: Path) -> None:
    """A migrated store takes new rows beside the old ones."""
    with closing(open_sqlite(released)) as store:
        store.put_opinions("run-2", [stored("key-2")])
        assert set(store.opinions(["key-1", "key-2"])) == {"key-1", "key-2"}


def test_the_next_migration_is_applied_to_what_is_there(released: Path) -> None:
    """A step added to the list changes an old store and is noted with it."""
    with closing(SqliteDatabase(released)) as database:
        migrate(database, (*MIGRATIONS, NEXT))
        assert database.rows("SELECT run_id, note FROM runs") == [(run().run_id, "old")]
        assert _versions(database)[-1] == NEXT.version


def test_a_migration_that_fails_changes_nothing(database: SqliteDatabase) -> None:
    """When a later statement fails, the earlier ones of its step are undone."""
    migrate(database)
    broken = Migration(NEXT.version, "broken", (*NEXT.statements, "ALTER TABLE nowhere ADD x TEXT"))
    with pytest.raises(StoreError, match="nowhere"):
        migrate(database, (*MIGRATIONS, broken))
    columns = database.rows("SELECT name FROM pragma_table_info('runs')")
    assert ("note",) not in columns
    assert _versions(database)[-1] == SCHEMA_VERSION


def test_a_store_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    """A newer store is an error that says which versions meet and what to do."""
    file = tmp_path / "store.db"
    with closing(SqliteDatabase(file)) as database:
        migrate(database, (*MIGRATIONS, NEXT))
    with pytest.raises(StoreError) as caught:
        open_sqlite(file)
    assert (
        f"{file}: this store was written by a newer pytest-sessioneval (schema version "
        f"{NEXT.version}; this one knows versions up to {SCHEMA_VERSION}): upgrade "
        "pytest-sessioneval, or name another store with --sessioneval-store"
    ) == str(caught.value)


def test_a_refused_newer_store_is_left_as_it_was(tmp_path: Path) -> None:
    """Looking at a newer store does not change it."""
    file = tmp_path / "store.db"
    with closing(SqliteDatabase(file)) as database:
        migrate(database, (*MIGRATIONS, NEXT))
    before = file.read_bytes()
    with pytest.raises(StoreError):
        open_sqlite(file)
    assert before == file.read_bytes()
