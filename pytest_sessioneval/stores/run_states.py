"""What is kept of runs in the background, on any database that runs the one SQL text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import TypeAdapter

from pytest_sessioneval.stores.answers import axis_totals, parsed, rounded_means
from pytest_sessioneval.stores.database import Database, Row, Transaction
from pytest_sessioneval.stores.queries import START_RUN, chunks, within
from pytest_sessioneval.stores.readable import readable
from pytest_sessioneval.stores.rows import instant
from pytest_sessioneval.stores.run_statuses import BackgroundRun, PlacedSession, RunSession
from pytest_sessioneval.stores.summary import RunState

__all__ = ["JUDGED", "SqlRunStates"]

_PUT = """
INSERT INTO background_runs (run_id, request, judge_model, judge_version, rubric_version, owner,
  seen_at, cancelled)
VALUES (?, ?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (run_id) DO UPDATE SET
  request = excluded.request, judge_model = excluded.judge_model,
  judge_version = excluded.judge_version, rubric_version = excluded.rubric_version"""
_COLUMNS = """
SELECT b.run_id, b.request, b.owner, b.seen_at, b.judge_model, b.judge_version, b.rubric_version,
  b.cancelled
FROM background_runs b"""
_OF = f"{_COLUMNS} WHERE b.run_id IN (?*)"
_RUNNING = f"{_COLUMNS} JOIN runs r ON r.run_id = b.run_id WHERE r.state = 'running'"
_STATE_AND_OWNER = """
SELECT r.state, b.owner FROM runs r JOIN background_runs b ON b.run_id = r.run_id
WHERE r.run_id = ?"""
_TAKE = "UPDATE background_runs SET owner = ?, seen_at = ?, cancelled = 0 WHERE run_id = ?"
_SEEN = "UPDATE background_runs SET seen_at = ? WHERE run_id = ? AND owner = ?"
_CANCEL = "UPDATE background_runs SET cancelled = 1 WHERE run_id = ?"
_END = "UPDATE runs SET state = ?, finished_at = ? WHERE run_id = ?"

_PUT_SESSION = """
INSERT INTO run_sessions (run_id, position, suite, session_key, session_id, state, averages, error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run_id, position) DO UPDATE SET
  state = excluded.state, averages = excluded.averages, error = excluded.error"""
_SESSIONS_OF = """
SELECT run_id, suite, session_key, session_id, state, averages, error FROM run_sessions
WHERE run_id IN (?*) ORDER BY run_id, position"""

# Of any run, what it asked: the verdicts that its opinions belong to.
JUDGED = """
SELECT DISTINCT e.run_id, e.suite, e.session_key, e.session_id, v.answers
FROM evaluations e
JOIN verdicts v ON v.suite = e.suite AND v.session_key = e.session_key AND v.digest = e.digest
  AND v.rubric_version = e.rubric_version AND v.judge_version = e.judge_version
WHERE e.run_id IN (?*)"""

_BACKGROUND = TypeAdapter(BackgroundRun)
_SESSION = TypeAdapter(RunSession)


class SqlRunStates:
    """``RunStates`` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, run: BackgroundRun, started_at: datetime) -> None:
        """Note that a run began in the background."""
        with self._database.writing() as transaction:
            transaction.run(START_RUN, [(run.run_id, instant(started_at))])
            transaction.run(_PUT, [_background_row(run)])

    def put(self, run: BackgroundRun) -> None:
        """Keep who judges in a run that has begun."""
        with self._database.writing() as transaction:
            transaction.run(_PUT, [_background_row(run)])

    def put_sessions(self, run_id: str, sessions: Iterable[tuple[int, PlacedSession]]) -> None:
        """Keep how sessions of a run are, each at its position."""
        rows = [_session_row(run_id, position, placed) for position, placed in sessions]
        if rows:
            with self._database.writing() as transaction:
                transaction.run(_PUT_SESSION, rows)

    def end(self, run_id: str, state: RunState, finished_at: datetime) -> None:
        """Note how a run ended that has no summary."""
        with self._database.writing() as transaction:
            transaction.run(_END, [(state, instant(finished_at), run_id)])

    def end_abandoned(self, run: BackgroundRun) -> None:
        """Note that a run was broken off when its process was last seen, if it is still that one's.

        Of several processes that find it at once, each notes the same.
        """
        with self._database.writing() as transaction:
            if _found(transaction, run.run_id) == ("running", run.owner):
                transaction.run(_END, [("interrupted", instant(run.seen_at), run.run_id)])

    def take(self, run: BackgroundRun, state: RunState, *, owner: str, now: datetime) -> bool:
        """Return whether the run is the new owner's now, and running; one alone gets it.

        It does not where the run is not in that state, or somebody else's by now.
        """
        with self._database.writing() as transaction:
            if _found(transaction, run.run_id) != (state, run.owner):
                return False
            transaction.run(_TAKE, [(owner, instant(now), run.run_id)])
            transaction.run(START_RUN, [(run.run_id, instant(now))])
            return True

    def seen(self, owner: str, run_ids: Sequence[str], now: datetime) -> frozenset[str]:
        """Note that the owner works on these runs; return those that somebody wants ended."""
        with self._database.writing() as transaction:
            transaction.run(_SEEN, [(instant(now), run_id, owner) for run_id in run_ids])
        return frozenset(run.run_id for run in self.of(run_ids).values() if run.cancelled)

    def cancel(self, run_id: str) -> None:
        """Tell the run's owner to end it."""
        with self._database.writing() as transaction:
            transaction.run(_CANCEL, [(run_id,)])

    def of(self, run_ids: Sequence[str]) -> dict[str, BackgroundRun]:
        """Return what is kept of these runs, by id; those that are none in the background lack."""
        found = [
            self._background(row)
            for chunk in chunks(run_ids)
            for row in self._database.rows(within(_OF, len(chunk)), chunk)
        ]
        return {run.run_id: run for run in found}

    def running(self) -> tuple[BackgroundRun, ...]:
        """Return the runs that were never ended, whoever works on them."""
        return tuple(map(self._background, self._database.rows(_RUNNING)))

    def sessions(self, run_ids: Sequence[str]) -> dict[str, list[PlacedSession]]:
        """Return the sessions of runs in the background, in order, by run."""
        found: dict[str, list[PlacedSession]] = {}
        for chunk in chunks(run_ids):
            for row in self._database.rows(within(_SESSIONS_OF, len(chunk)), chunk):
                placed = readable(self._database, "run_sessions", _placed, row)
                found.setdefault(str(row[0]), []).append(placed)
        return found

    def judged(self, run_ids: Sequence[str]) -> dict[str, list[PlacedSession]]:
        """Return the sessions that runs of any kind asked about and nobody has since, by run.

        By suite and key.
        """
        found: dict[str, list[PlacedSession]] = {}
        for chunk in chunks(run_ids):
            rows = self._database.rows(within(JUDGED, len(chunk)), chunk)
            for row in sorted(rows, key=lambda row: row[:3]):
                placed = readable(self._database, "verdicts", _judged, row)
                found.setdefault(str(row[0]), []).append(placed)
        return found

    def _background(self, row: Row) -> BackgroundRun:
        return readable(self._database, "background_runs", _background, row)


def _found(transaction: Transaction, run_id: str) -> Row | None:
    """Return state and owner of a run in the background."""
    return next(iter(transaction.rows(_STATE_AND_OWNER, (run_id,))), None)


def _background_row(run: BackgroundRun) -> Row:
    judge = (run.judge_model, run.judge_version, run.rubric_version)
    return (run.run_id, run.request, *judge, run.owner, instant(run.seen_at))


def _background(row: Row) -> BackgroundRun:
    names = ("run_id", "request", "owner", "seen_at", "judge_model", "judge_version")
    values = dict(zip((*names, "rubric_version", "cancelled"), row, strict=True))
    return _BACKGROUND.validate_python(values)


def _session_row(run_id: str, position: int, placed: PlacedSession) -> Row:
    now = placed.now
    averages = None if now.avg is None else json.dumps(now.avg)
    place = (run_id, position, placed.suite, placed.key)
    return (*place, now.session_id, now.state, averages, now.error)


def _placed(row: Row) -> PlacedSession:
    _, suite, key, session_id, state, averages, error = row
    session = {
        "session_id": session_id,
        "state": state,
        "avg": None if averages is None else json.loads(str(averages)),
        "error": error,
    }
    return PlacedSession(str(suite), str(key), _SESSION.validate_python(session))


def _judged(row: Row) -> PlacedSession:
    _, suite, key, session_id, answers = map(str, row)
    averages = rounded_means(axis_totals(parsed(answers)))
    return PlacedSession(suite, key, RunSession(session_id=session_id, state="ok", avg=averages))
