"""The tables, as SQL that SQLite and PostgreSQL both run, and the steps between versions.

A released migration is never edited: a change of the tables, or of the JSON
kept in them, is the next entry of ``MIGRATIONS``. Times are text in UTC
(``2026-01-02T03:04:05.000006Z``), which sorts as it reads; JSON is text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.database import Database, Transaction
from pytest_sessioneval.stores.verdict_rows import fill_verdicts

__all__ = ["MIGRATIONS", "SCHEMA_VERSION", "Migration", "migrate"]


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: what leads from version ``version - 1`` to ``version``."""

    version: int
    name: str
    statements: tuple[str, ...]
    """Run in order, in one transaction with all other steps that are due."""
    fill: Callable[[Transaction], None] | None = None
    """What fills new tables from old ones, where SQL alone cannot.

    Run once the statements of all steps have been: it is today's code, and knows today's tables.
    """


_VERSIONS = """
CREATE TABLE IF NOT EXISTS migrations (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL
)"""

_SESSIONS = """
CREATE TABLE sessions (
  suite TEXT NOT NULL,
  session_key TEXT NOT NULL,
  session_id TEXT NOT NULL,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  profile_id TEXT,
  name TEXT,
  created_at TEXT,
  last_active TEXT,
  message_count BIGINT NOT NULL,
  session TEXT NOT NULL,
  PRIMARY KEY (suite, session_key)
)"""

_FILES = """
CREATE TABLE files (
  content TEXT NOT NULL,
  readers TEXT NOT NULL,
  reader TEXT,
  sessions TEXT NOT NULL,
  skipped TEXT NOT NULL,
  unknown TEXT NOT NULL,
  PRIMARY KEY (content, readers)
)"""

_FEEDBACK = """
CREATE TABLE feedback (
  session_id TEXT NOT NULL,
  message_index BIGINT NOT NULL,
  rating INTEGER NOT NULL,
  comment TEXT NOT NULL,
  rated_at TEXT,
  PRIMARY KEY (session_id, message_index)
)"""

_RUNS = """
CREATE TABLE runs (
  run_id TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  summary TEXT
)"""

_EVALUATIONS = """
CREATE TABLE evaluations (
  verdict_key TEXT NOT NULL,
  suite TEXT NOT NULL,
  session_key TEXT NOT NULL,
  session_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  run_id TEXT NOT NULL,
  expert_id TEXT NOT NULL,
  repetition INTEGER NOT NULL,
  rubric_version TEXT NOT NULL,
  judge_version TEXT NOT NULL,
  judge_model TEXT NOT NULL,
  judged_at TEXT NOT NULL,
  scores TEXT NOT NULL,
  opinion TEXT NOT NULL,
  PRIMARY KEY (verdict_key, suite, session_key)
)"""

_EVALUATIONS_BY_SESSION = """
CREATE INDEX evaluations_by_session ON evaluations (suite, session_key)"""

_JOBS = """
CREATE TABLE jobs (
  job_id TEXT NOT NULL PRIMARY KEY,
  session_id TEXT,
  run_id TEXT,
  state TEXT NOT NULL,
  created_at TEXT NOT NULL,
  finished_at TEXT,
  request TEXT NOT NULL,
  result TEXT,
  error TEXT
)"""

_LABEL_QUEUES = """
CREATE TABLE label_queues (
  queue TEXT NOT NULL PRIMARY KEY,
  suite TEXT NOT NULL,
  drawn_at TEXT NOT NULL,
  content TEXT NOT NULL
)"""

_LABELS = """
CREATE TABLE labels (
  digest TEXT NOT NULL,
  axis TEXT NOT NULL,
  annotator TEXT NOT NULL,
  queue TEXT NOT NULL,
  source TEXT NOT NULL,
  score DOUBLE PRECISION NOT NULL,
  session_id TEXT NOT NULL,
  comment TEXT NOT NULL,
  labelled_at TEXT,
  PRIMARY KEY (digest, axis, annotator, queue)
)"""

_JUDGE_NOISE = """
CREATE TABLE judge_noise (
  suite TEXT NOT NULL,
  rubric_version TEXT NOT NULL,
  judge_version TEXT NOT NULL,
  axis TEXT NOT NULL,
  sd DOUBLE PRECISION NOT NULL,
  degrees INTEGER NOT NULL,
  measured_at TEXT NOT NULL,
  PRIMARY KEY (suite, rubric_version, judge_version, axis)
)"""

_ADVICE = """
CREATE TABLE advice (
  suite TEXT NOT NULL,
  digest TEXT NOT NULL,
  model TEXT NOT NULL,
  made_at TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (suite, digest, model)
)"""

# One row per suite, session, digest and versions: what listings and trends need of its opinions.
_VERDICTS = """
CREATE TABLE verdicts (
  suite TEXT NOT NULL,
  session_key TEXT NOT NULL,
  digest TEXT NOT NULL,
  rubric_version TEXT NOT NULL,
  judge_version TEXT NOT NULL,
  judged_at TEXT NOT NULL,
  experts TEXT NOT NULL,
  answers TEXT NOT NULL,
  newest INTEGER NOT NULL,
  PRIMARY KEY (suite, session_key, digest, rubric_version, judge_version)
)"""

_NEWEST_VERDICT = """
CREATE UNIQUE INDEX newest_verdict ON verdicts (suite, session_key) WHERE newest = 1"""

_VERDICTS_BY_VERSION = """
CREATE INDEX verdicts_by_version ON verdicts (suite, rubric_version, judge_version, judged_at)"""

_PINNED = "ALTER TABLE sessions ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0"

# The order of listings; without coalesce databases would differ on where no time comes.
_ACTIVITY = "pinned DESC, (coalesce(last_active, '')) DESC, suite, session_key"
_SESSIONS_BY_ACTIVITY = f"CREATE INDEX sessions_by_activity ON sessions ({_ACTIVITY})"
_SESSIONS_BY_PROFILE = f"CREATE INDEX sessions_by_profile ON sessions (profile_id, {_ACTIVITY})"
_SESSIONS_BY_ID = "CREATE INDEX sessions_by_id ON sessions (session_id)"

_RUN_PARTS = """
CREATE TABLE run_parts (
  run_id TEXT NOT NULL,
  part INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  suites TEXT NOT NULL,
  ended_at TEXT NOT NULL,
  PRIMARY KEY (run_id, part)
)"""

_BACKGROUND_RUNS = """
CREATE TABLE background_runs (
  run_id TEXT NOT NULL PRIMARY KEY,
  request TEXT NOT NULL,
  judge_model TEXT,
  judge_version TEXT,
  rubric_version TEXT,
  owner TEXT NOT NULL,
  seen_at TEXT NOT NULL,
  cancelled INTEGER NOT NULL
)"""

_RUN_SESSIONS = """
CREATE TABLE run_sessions (
  run_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  suite TEXT NOT NULL,
  session_key TEXT NOT NULL,
  session_id TEXT NOT NULL,
  state TEXT NOT NULL,
  averages TEXT,
  error TEXT,
  PRIMARY KEY (run_id, position)
)"""

_EVALUATIONS_BY_RUN = "CREATE INDEX evaluations_by_run ON evaluations (run_id)"

# What listings show of a job stands apart from its texts; ``owner`` is the process that is at it,
# ``report_row`` what it is in the report of its session.
_JOB_SUMMARY = "ALTER TABLE jobs ADD COLUMN summary TEXT"
_JOB_OWNER = "ALTER TABLE jobs ADD COLUMN owner TEXT"
_JOB_SEEN = "ALTER TABLE jobs ADD COLUMN seen_at TEXT"
_JOB_ROW = "ALTER TABLE jobs ADD COLUMN report_row BIGINT"
_JOB_ROWS = "CREATE UNIQUE INDEX job_rows ON jobs (session_id, report_row)"
_JOBS_OF_SESSION = "CREATE INDEX jobs_of_session ON jobs (session_id, created_at, job_id)"
_JOBS_BY_AGE = "CREATE INDEX jobs_by_age ON jobs (created_at, job_id)"
_FIRST_ROWS = "CREATE INDEX first_job_rows ON jobs (session_id) WHERE report_row = 1"
_OPEN_JOBS = "CREATE INDEX open_jobs ON jobs (session_id) WHERE state IN ('queued', 'running')"

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        version=1,
        name="first tables",
        statements=(
            _SESSIONS,
            _FILES,
            _FEEDBACK,
            _RUNS,
            _EVALUATIONS,
            _EVALUATIONS_BY_SESSION,
            _JOBS,
        ),
    ),
    Migration(version=2, name="people's labels", statements=(_LABEL_QUEUES, _LABELS)),
    Migration(version=3, name="the judge's own spread", statements=(_JUDGE_NOISE,)),
    Migration(
        version=4,
        name="verdicts, and the order of listings",
        statements=(
            _VERDICTS,
            _NEWEST_VERDICT,
            _VERDICTS_BY_VERSION,
            _PINNED,
            _SESSIONS_BY_ACTIVITY,
            _SESSIONS_BY_PROFILE,
            _SESSIONS_BY_ID,
        ),
        fill=fill_verdicts,
    ),
    Migration(version=5, name="parts of shared runs", statements=(_RUN_PARTS,)),
    Migration(
        version=6,
        name="runs in the background",
        statements=(_BACKGROUND_RUNS, _RUN_SESSIONS, _EVALUATIONS_BY_RUN),
    ),
    Migration(
        version=7,
        name="scoring jobs of sessions",
        statements=(
            _JOB_SUMMARY,
            _JOB_OWNER,
            _JOB_SEEN,
            _JOB_ROW,
            _JOB_ROWS,
            _JOBS_OF_SESSION,
            _JOBS_BY_AGE,
            _FIRST_ROWS,
            _OPEN_JOBS,
        ),
    ),
    Migration(version=8, name="advice of models", statements=(_ADVICE,)),
)
"""Every step there has been, oldest first; versions count from 1 without a gap."""

SCHEMA_VERSION = MIGRATIONS[-1].version
"""The version this package reads and writes."""

# Others may have a table of migrations as well.
_OURS = frozenset({"migrations", "evaluations", "runs"})

# The time of day is the database's, so that no clock has to be passed in for it.
_APPLIED = "INSERT INTO migrations (version, name, applied_at) VALUES (?, ?, CURRENT_TIMESTAMP)"
_LATEST = "SELECT max(version) FROM migrations"


def migrate(database: Database, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring the tables to the newest version; return the version that was found (0: none).

    All steps are one transaction, and only one of several processes runs them.
    Raises ``StoreError`` for a store of a newer version, which is left as it is,
    and for a database that holds other tables than a store's.
    """
    newest = migrations[-1].version
    tables = database.tables()
    if tables >= _OURS:
        found = _version(database.rows(_LATEST))
        if found == newest:
            return found
    elif tables:
        raise StoreError(
            f"{database.place}: this database is no pytest-sessioneval store: it holds "
            f"{_some(tables - _OURS)} and not the tables of one; name another with "
            "--sessioneval-store"
        )
    with database.writing() as transaction:
        transaction.run(_VERSIONS)
        # Asked again under the lock: another process may have migrated meanwhile.
        found = _version(transaction.rows(_LATEST))
        if found > newest:
            raise StoreError(
                f"{database.place}: this store was written by a newer pytest-sessioneval "
                f"(schema version {found}; this one knows versions up to {newest}): upgrade "
                "pytest-sessioneval, or name another store with --sessioneval-store"
            )
        due = [migration for migration in migrations if migration.version > found]
        for migration in due:
            for statement in migration.statements:
                transaction.run(statement)
            transaction.run(_APPLIED, [(migration.version, migration.name)])
        for fill in (migration.fill for migration in due if migration.fill is not None):
            if found:  # a new store has nothing to fill from
                fill(transaction)
    return found


def _version(rows: Sequence[Sequence[object]]) -> int:
    version = rows[0][0]
    return version if isinstance(version, int) else 0


def _some(names: frozenset[str], most: int = 3) -> str:
    listed = sorted(names)
    return ", ".join(listed[:most]) + (" …" if len(listed) > most else "")
