"""Schema versions: old stores are migrated, newer ones refused, and none is left half-way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from store_values import START, indexed, opinion, run, session, stored

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.database import Database
from pytest_sessioneval.stores.listings import CurrentVersions, SessionQuery
from pytest_sessioneval.stores.postgres import PostgresDatabase
from pytest_sessioneval.stores.protocol import RunRow
from pytest_sessioneval.stores.schema import MIGRATIONS, SCHEMA_VERSION, Migration, migrate
from pytest_sessioneval.stores.sql import SqlStore
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
def released(database: Database) -> Database:
    """Return a database with a store of schema version 1, a row in every table it filled."""
    statements = RELEASED.read_text(encoding="utf-8").split(";\n")
    with database.writing() as transaction:
        for statement in statements:
            if not statement.lstrip().startswith(("--", "COMMIT")) and statement.strip():
                transaction.run(statement)
    return database


@pytest.fixture
def another(tmp_path: Path, store_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Yield one more database of the same kind, without tables."""
    if store_url.startswith("sqlite"):
        database: Database = SqliteDatabase(tmp_path / "another.db")
    else:
        schema = request.getfixturevalue("postgres_schema")()
        database = PostgresDatabase(request.getfixturevalue("postgres_server").url(schema=schema))
    yield database
    database.close()


def _versions(database: Database) -> list[object]:
    return [row[0] for row in database.rows("SELECT version FROM migrations ORDER BY version")]


def test_versions_count_from_one_without_a_gap() -> None:
    """The ordered list of migrations is complete."""
    assert list(range(1, SCHEMA_VERSION + 1)) == [step.version for step in MIGRATIONS]


def test_a_new_store_has_every_table(database: Database) -> None:
    """All tables of the design are made at once."""
    assert migrate(database) == 0
    assert database.tables() == {
        "advice",
        "background_runs",
        "evaluations",
        "feedback",
        "files",
        "jobs",
        "judge_noise",
        "label_queues",
        "labels",
        "migrations",
        "run_parts",
        "run_sessions",
        "runs",
        "sessions",
        "verdicts",
    }


def test_a_new_store_notes_every_version(database: Database) -> None:
    """The table of migrations says which steps were taken."""
    migrate(database)
    assert _versions(database) == [step.version for step in MIGRATIONS]


def test_migrating_again_changes_nothing(database: Database) -> None:
    """A store of today's version is found to be one."""
    migrate(database)
    assert migrate(database) == SCHEMA_VERSION
    assert len(_versions(database)) == len(MIGRATIONS)


def test_the_released_first_migration_is_unchanged(released: Database, another: Database) -> None:
    """Version 1 makes the tables and indexes that the released version 1 made."""
    migrate(another, MIGRATIONS[:1])
    assert _shape(released) == _shape(another)


def test_a_released_store_reaches_the_tables_of_a_new_one(
    released: Database, another: Database
) -> None:
    """Migrating version 1 ends where making a new store ends."""
    migrate(released)
    migrate(another)
    assert _shape(released) == _shape(another)


def test_everything_a_released_store_kept_is_read(released: Database) -> None:
    """Opinions, sessions, files, feedback and runs of version 1 come back as they were put."""
    thumb = FeedbackEntry(
        session_id="task-1-id", message_index=2, rating=-1, comment="No", at=START
    )
    ended = run()
    summary = summarise(ended)
    before_experts = summary.suites[0].model_copy(update={"experts": ()})
    store = SqlStore(released)
    assert {"key-1": opinion("key-1")} == store.opinions(["key-1"])
    assert (session(),) == store.sessions()
    assert {"c" * 64: indexed()} == store.indexed_files(["c" * 64], "readers-1")
    assert (thumb,) == store.feedback()
    assert store.runs() == (
        RunRow(
            ended.run_id,
            "done",
            START,
            ended.finished_at,
            summary.model_copy(update={"suites": (before_experts,)}),
        ),
    )
    assert store.statuses("airline", {"task-1": ["key-1"]}) == {"task-1": "evaluated"}


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_a_store_of_every_version_becomes_todays(
    released: Database, another: Database, version: int
) -> None:
    """Whichever version a store was left at, migrating ends where making a new store ends."""
    migrate(released, MIGRATIONS[:version])
    migrate(released)
    migrate(another)
    assert _shape(released) == _shape(another)


def test_verdicts_are_made_of_the_opinions_a_released_store_kept(released: Database) -> None:
    """A session judged before there were verdicts is listed with its average and status."""
    current = CurrentVersions("airline", "agent@3#ba9876543210", "agent@3#0123456789ab", ("tools",))
    store = SqlStore(released)
    (listed,) = store.list_sessions(SessionQuery(), [current])
    assert {"tool_usage_quality": 60, "goal_completion": None} == listed.overview.latest_avg
    assert "evaluated" == listed.overview.eval_status


def test_sessions_that_were_pinned_before_are_pinned(released: Database) -> None:
    """What a session's metadata said before there was a column for it counts."""
    with released.writing() as transaction:
        old = transaction.rows("SELECT session FROM sessions")[0][0]
        new = str(old).replace('"note":null', '"note":null,"pinned":true')
        transaction.run("UPDATE sessions SET session = ?", [(new,)])
    (listed,) = SqlStore(released).list_sessions(SessionQuery(), [])
    assert listed.overview.pinned


def test_what_a_run_of_a_released_store_asked_is_found(released: Database) -> None:
    """Its opinions are found by the run that gave them, and none of it is in the background."""
    store = SqlStore(released)
    (run_id,) = {str(row[0]) for row in released.rows("SELECT run_id FROM evaluations")}
    (placed,) = store.run_states.judged([run_id])[run_id]
    assert ("airline", "task-1", "ok") == (placed.suite, placed.key, placed.now.state)
    assert {"tool_usage_quality": 60, "goal_completion": None} == placed.now.avg
    assert {} == store.run_states.of([run_id])
    assert () == store.run_states.running()


def test_a_released_store_can_be_written(released: Database) -> None:
    """A migrated store takes new rows beside the old ones."""
    store = SqlStore(released)
    store.put_opinions("run-2", [stored("key-2")])
    assert set(store.opinions(["key-1", "key-2"])) == {"key-1", "key-2"}


def test_the_next_migration_is_applied_to_what_is_there(released: Database) -> None:
    """A step added to the list changes an old store and is noted with it."""
    migrate(released, (*MIGRATIONS, NEXT))
    assert released.rows("SELECT run_id, note FROM runs") == [(run().run_id, "old")]
    assert _versions(released)[-1] == NEXT.version


def test_a_migration_that_fails_changes_nothing(database: Database) -> None:
    """When a later statement fails, the earlier ones of its step are undone."""
    migrate(database)
    before = _shape(database)
    broken = Migration(NEXT.version, "broken", (*NEXT.statements, "ALTER TABLE nowhere ADD x TEXT"))
    with pytest.raises(StoreError, match="nowhere"):
        migrate(database, (*MIGRATIONS, broken))
    assert before == _shape(database)
    assert _versions(database)[-1] == SCHEMA_VERSION


def test_a_store_from_a_newer_version_is_refused(
    database: Database, open_again: Callable[[], SqlStore]
) -> None:
    """A newer store is an error that says which versions meet and what to do."""
    migrate(database, (*MIGRATIONS, NEXT))
    with pytest.raises(StoreError) as caught:
        open_again()
    assert (
        f"{database.place}: this store was written by a newer pytest-sessioneval (schema version "
        f"{NEXT.version}; this one knows versions up to {SCHEMA_VERSION}): upgrade "
        "pytest-sessioneval, or name another store with --sessioneval-store"
    ) == str(caught.value)


def test_a_refused_newer_store_is_left_as_it_was(tmp_path: Path) -> None:
    """Looking at a newer store does not change a byte of it."""
    file = tmp_path / "store.db"
    database = SqliteDatabase(file)
    migrate(database, (*MIGRATIONS, NEXT))
    database.close()
    before = file.read_bytes()
    with pytest.raises(StoreError):
        open_sqlite(file)
    assert before == file.read_bytes()


def test_somebody_elses_database_is_refused_and_left_alone(
    database: Database, open_again: Callable[[], SqlStore]
) -> None:
    """A database with other tables, be one of them called migrations, gets none of ours."""
    with database.writing() as transaction:
        transaction.run("CREATE TABLE customers (id INTEGER)")
        transaction.run("CREATE TABLE migrations (id INTEGER)")
    with pytest.raises(StoreError, match=r"no pytest-sessioneval store: it holds customers and"):
        open_again()
    assert {"customers", "migrations"} == database.tables()


def _shape(database: Database) -> list[str]:
    """Return every column of every table and every index, as text."""
    if isinstance(database, SqliteDatabase):
        columns = (
            'SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk '
            "FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        )
        indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index'"
    else:
        columns = (
            "SELECT table_name, column_name, data_type, is_nullable, column_default "
            "FROM information_schema.columns WHERE table_schema = current_schema()"
        )
        indexes = (
            "SELECT indexname, replace(indexdef, current_schema()::text, '') FROM pg_indexes "
            "WHERE schemaname = current_schema()"
        )
    return sorted(map(str, database.rows(columns) + database.rows(indexes)))
