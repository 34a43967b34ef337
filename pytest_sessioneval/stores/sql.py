"""The store, on any database that runs the one SQL text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from pytest_sessioneval.garbage import paused
from pytest_sessioneval.stores import listing_sql, queries
from pytest_sessioneval.stores.database import Database, Row
from pytest_sessioneval.stores.jobs import SqlJobs
from pytest_sessioneval.stores.listing_rows import (
    evaluation_row,
    first_listed,
    in_order,
    listed_session,
    session_detail,
    verdict_row,
)
from pytest_sessioneval.stores.listings import (
    CurrentVersions,
    ListedSession,
    SessionDetail,
    SessionQuery,
    StatsResponse,
)
from pytest_sessioneval.stores.protocol import (
    IndexedFile,
    KeptOpinion,
    MeasuredNoise,
    RunPart,
    RunRow,
    SessionStatus,
    StoredAdvice,
    StoredOpinion,
)
from pytest_sessioneval.stores.readable import readable
from pytest_sessioneval.stores.rows import (
    advice_row,
    feedback_entry,
    feedback_row,
    file_row,
    indexed_file,
    instant,
    kept_opinion,
    label,
    label_queue,
    label_queue_row,
    label_row,
    noise_of,
    noise_row,
    opinion_row,
    part_row,
    run_part,
    run_row,
    run_values,
    session_row,
    stored_advice,
)
from pytest_sessioneval.stores.run_states import SqlRunStates
from pytest_sessioneval.stores.schema import migrate
from pytest_sessioneval.stores.summary import RunState, summarise
from pytest_sessioneval.stores.trends import VerdictRow, weekly_stats
from pytest_sessioneval.stores.verdict_rows import put_verdicts
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.verdicts.model import Opinion
from pytest_sessioneval.verdicts.run import Run

__all__ = ["SqlStore"]

_T = TypeVar("_T")


class SqlStore:
    """A ``Store`` in a database; the tables are created or migrated when it is made.

    It owns the database: closing the store closes it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.run_states = SqlRunStates(database)
        """What is kept of runs in the background."""
        self.jobs = SqlJobs(database)
        """What is kept of scoring jobs."""
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise

    def indexed_files(self, contents: Sequence[str], readers: str) -> dict[str, IndexedFile]:
        """Return what is known of files with these contents, by content."""
        found: dict[str, IndexedFile] = {}
        with paused(len(contents)):
            for chunk in queries.chunks(contents):
                sql = queries.within(queries.FILES_OF, len(chunk))
                for row in self._database.rows(sql, (readers, *chunk)):
                    file = self._parsed("files", lambda row: indexed_file(readers, row), row)
                    found[file.content] = file
        return found

    def index_files(self, files: Sequence[IndexedFile]) -> None:
        """Keep what files hold."""
        self._put(queries.PUT_FILE, map(file_row, files))

    def put_sessions(self, sessions: Sequence[SuiteSession]) -> None:
        """Keep or refresh sessions' summaries; those that say the same are not written again."""
        self._put(queries.PUT_SESSION, map(session_row, sessions))

    def sessions(self, suite: str | None = None) -> tuple[SuiteSession, ...]:
        """Return the sessions kept, of one suite or of all, by suite and key."""
        if suite is None:
            rows = self._database.rows(queries.SESSIONS_ALL)
        else:
            rows = self._database.rows(queries.SESSIONS_OF, (suite,))
        with paused(len(rows)):
            found = [self._parsed("sessions", _session, row) for row in rows]
        # Sorted here: databases order text by rules of their own.
        return tuple(sorted(found, key=lambda session: (session.suite, session.key)))

    def opinions(self, keys: Sequence[str]) -> dict[str, Opinion]:
        """Return the stored opinions of these verdict keys, by key; missing ones are absent.

        Where several sessions share a key, it is the one judged last.
        """
        found: dict[str, Opinion] = {}
        with paused(len(keys)):
            for chunk in queries.chunks(keys):
                sql = queries.within(queries.OPINIONS_OF, len(chunk))
                for row in self._database.rows(sql, chunk):
                    opinion = self._parsed("evaluations", _opinion, row)
                    earlier = found.get(opinion.key)
                    if earlier is None or earlier.judged_at < opinion.judged_at:
                        found[opinion.key] = opinion
        return found

    def put_opinions(self, run_id: str, rows: Sequence[StoredOpinion]) -> None:
        """Keep opinions as evaluations of that run; the same key again replaces the row."""
        complete = [opinion_row(run_id, row) for row in rows]
        if complete:
            with self._database.writing() as transaction:
                transaction.run(queries.PUT_OPINION, complete)
                put_verdicts(transaction, rows)

    def evaluated_sessions(self) -> tuple[tuple[str, str], ...]:
        """Return suite and key of every session that has opinions, sorted."""
        rows = self._database.rows(listing_sql.SESSIONS_WITH_EVALUATIONS)
        return tuple(sorted((str(suite), str(key)) for suite, key in rows))

    def history(self, suite: str, keys: Sequence[str]) -> tuple[KeptOpinion, ...]:
        """Return every opinion of these sessions of a suite, by session and verdict key."""
        found: list[KeptOpinion] = []
        for chunk in queries.chunks(keys):
            sql = queries.within(listing_sql.OPINIONS_OF_SESSIONS, len(chunk))
            rows = self._database.rows(sql, (suite, *chunk))
            with paused(len(rows)):
                found += [self._parsed("evaluations", kept_opinion, row) for row in rows]
        return tuple(sorted(found, key=lambda kept: (kept.stored.key, kept.stored.opinion.key)))

    def list_sessions(
        self, query: SessionQuery, current: Sequence[CurrentVersions]
    ) -> tuple[ListedSession, ...]:
        """Return one page of sessions: pinned first, then the last active, newest first."""
        sql, parameters = listing_sql.overview(query, current)
        rows = in_order(self._database.rows(sql, parameters))
        if query.session_id is not None:
            rows = rows[query.offset : query.offset + query.limit]
        likes = self._likes([str(row[2]) for row in rows])
        axes = {versions.suite: versions.axes for versions in current}
        return tuple(
            self._parsed("sessions", lambda row: listed_session(row, likes, axes), row)
            for row in rows
        )

    def session_detail(self, session_id: str) -> SessionDetail | None:
        """Return all that is kept of a session; None where there is none of that id."""
        sessions = self._database.rows(listing_sql.SESSIONS_BY_ID, (session_id,))
        if not sessions:
            return None
        session = first_listed(sessions)
        rows = self._database.rows(listing_sql.EVALUATIONS_OF_SESSION, session[:2])
        return self._parsed(
            "sessions",
            lambda row: session_detail(
                row,
                feedback=self.feedback([session_id]),
                evaluations=[self._parsed("evaluations", evaluation_row, row) for row in rows],
            ),
            session,
        )

    def weekly_stats(
        self, current: Sequence[CurrentVersions], *, since: datetime, by_bucket: bool = False
    ) -> StatsResponse:
        """Return weekly averages of the evaluations of these versions made since then."""
        axes = tuple(dict.fromkeys(axis for versions in current for axis in versions.axes))
        found: list[VerdictRow] = []
        for versions in current:
            parse = partial(verdict_row, versions.suite)
            rows = self._database.rows(*listing_sql.verdicts_since(versions, since))
            with paused(len(rows)):
                found += [self._parsed("verdicts", parse, row) for row in rows]
        return weekly_stats(found, axes, by_bucket=by_bucket)

    def statuses(
        self, suite: str, expected: Mapping[str, Sequence[str]]
    ) -> dict[str, SessionStatus]:
        """Return each session's status; ``expected`` maps session key to its verdict keys."""
        keys = [key for verdict_keys in expected.values() for key in verdict_keys]
        known: set[str] = set()
        for chunk in queries.chunks(keys):
            sql = queries.within(queries.KNOWN_KEYS, len(chunk))
            known.update(str(row[0]) for row in self._database.rows(sql, chunk))
        rows = self._database.rows(queries.EVALUATED_SESSIONS, (suite,))
        before = {str(row[0]) for row in rows}
        return {
            session: queries.session_status(verdict_keys, known, evaluated_before=session in before)
            for session, verdict_keys in expected.items()
        }

    def put_feedback(self, entries: Sequence[FeedbackEntry]) -> None:
        """Keep thumbs; a second rating of the same message replaces the first."""
        self._put(queries.PUT_FEEDBACK, map(feedback_row, entries))

    def feedback(self, session_ids: Sequence[str] | None = None) -> tuple[FeedbackEntry, ...]:
        """Return thumbs, of these sessions or of all, by session and message."""
        if session_ids is None:
            rows = self._database.rows(queries.FEEDBACK_ALL)
        else:
            rows = [
                row
                for chunk in queries.chunks(session_ids)
                for row in self._database.rows(
                    queries.within(queries.FEEDBACK_OF, len(chunk)), chunk
                )
            ]
        entries = [self._parsed("feedback", feedback_entry, row) for row in rows]
        return tuple(sorted(entries, key=lambda entry: (entry.session_id, entry.message_index)))

    def put_labels(self, labels: Sequence[HumanLabel], queues: Sequence[LabelQueue] = ()) -> None:
        """Keep people's labels and the queues they come from, all or none."""
        drawn = list(map(label_queue_row, queues))
        given = list(map(label_row, labels))
        if drawn or given:
            with self._database.writing() as transaction:
                transaction.run(queries.PUT_LABEL_QUEUE, drawn)
                transaction.run(queries.PUT_LABEL, given)

    def labels(self, digests: Sequence[str] | None = None) -> tuple[HumanLabel, ...]:
        """Return labels, of these transcripts or of all, by transcript, axis, person and queue."""
        if digests is None:
            rows = self._database.rows(queries.LABELS_ALL)
        else:
            rows = [
                row
                for chunk in queries.chunks(digests)
                for row in self._database.rows(queries.within(queries.LABELS_OF, len(chunk)), chunk)
            ]
        found = [self._parsed("labels", label, row) for row in rows]
        return tuple(sorted(found, key=lambda one: (one.digest, one.axis, one.by, one.queue)))

    def label_queues(self) -> tuple[LabelQueue, ...]:
        """Return every queue, in the order drawn."""
        rows = self._database.rows(queries.LABEL_QUEUES_ALL)
        found = [self._parsed("label_queues", label_queue, row) for row in rows]
        return tuple(sorted(found, key=lambda queue: (queue.drawn_at, queue.name)))

    def put_noise(self, rows: Sequence[MeasuredNoise]) -> None:
        """Keep how much judges differ from themselves; measuring again replaces the row."""
        self._put(queries.PUT_NOISE, map(noise_row, rows))

    def noise(self, suite: str, rubric_version: str, judge_version: str) -> dict[str, float]:
        """Return the judge's spread in points by axis, where it was measured on the suite."""
        rows = self._database.rows(queries.NOISE_OF, (suite, rubric_version, judge_version))
        return dict(self._parsed("judge_noise", noise_of, row) for row in rows)

    def put_advice(self, advice: StoredAdvice) -> None:
        """Keep what a model said; the same model on the same facts again replaces it."""
        self._put(queries.PUT_ADVICE, [advice_row(advice)])

    def advice(self, suite: str) -> tuple[StoredAdvice, ...]:
        """Return what models said of a suite, the latest first."""
        rows = self._database.rows(queries.ADVICE_OF, (suite,))
        return tuple(self._parsed("advice", stored_advice, row) for row in rows)

    def start_run(self, run_id: str, started_at: datetime) -> None:
        """Note that a run began; beginning it again keeps the first time stamp."""
        self._put(queries.START_RUN, [(run_id, instant(started_at))])

    def finish_run(self, run: Run, *, state: RunState) -> None:
        """Keep the run's summary."""
        summary = summarise(run).model_dump_json()
        row = (run.run_id, state, instant(run.started_at), instant(run.finished_at), summary)
        self._put(queries.FINISH_RUN, [row])

    def add_part(self, part: RunPart) -> tuple[RunPart, ...]:
        """Keep a part that has ended; return all there are of its run, by number."""
        with self._database.writing() as transaction:
            transaction.run(queries.PUT_RUN_PART, [part_row(part)])
            rows = transaction.rows(queries.RUN_PARTS, (part.run_id,))
        return self._parts(rows)

    def run_parts(self, run_id: str) -> tuple[RunPart, ...]:
        """Return the parts of a run that have ended, by number."""
        return self._parts(self._database.rows(queries.RUN_PARTS, (run_id,)))

    def _parts(self, rows: Sequence[Row]) -> tuple[RunPart, ...]:
        parts = [self._parsed("run_parts", run_part, row) for row in rows]
        return tuple(sorted(parts, key=lambda part: part.part))

    def put_runs(self, runs: Sequence[RunRow]) -> None:
        """Keep runs as they were listed elsewhere; the same id again replaces the run."""
        self._put(queries.PUT_RUN, map(run_values, runs))

    def runs(self, limit: int = 50) -> tuple[RunRow, ...]:
        """Return the latest runs, newest first."""
        rows = self._database.rows(queries.RUNS_LATEST, (limit,))
        return tuple(self._parsed("runs", run_row, row) for row in rows)

    def suite_runs(self, limit: int) -> tuple[RunRow, ...]:
        """Return the latest ended runs of suites, newest first; scoring sessions are none."""
        rows = self._database.rows(queries.RUNS_OF_SUITES, (queries.WITH_SAMPLES, limit))
        return tuple(self._parsed("runs", run_row, row) for row in rows)

    def run(self, run_id: str) -> RunRow | None:
        """Return the run of that id; None where there is none."""
        rows = self._database.rows(queries.RUN_OF, (run_id,))
        return self._parsed("runs", run_row, rows[0]) if rows else None

    def evaluated_keys(self, versions: CurrentVersions) -> frozenset[str]:
        """Return the keys of the suite's sessions that listings show as evaluated."""
        return frozenset(
            str(key) for (key,) in self._database.rows(*listing_sql.evaluated(versions))
        )

    def _likes(self, session_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return the thumbs up and down of each session that has any."""
        found: dict[str, tuple[int, int]] = {}
        for chunk in queries.chunks(session_ids):
            sql = queries.within(listing_sql.LIKES_OF, len(chunk))
            for session_id, rating, count in self._database.rows(sql, chunk):
                up, down = found.get(str(session_id), (0, 0))
                number = int(str(count))
                liked = int(str(rating)) > 0
                found[str(session_id)] = (up + number, down) if liked else (up, down + number)
        return found

    def close(self) -> None:
        """Release the database."""
        self._database.close()

    def _put(self, sql: str, rows: Iterable[Row]) -> None:
        # Made before the transaction begins: nobody waits for the lock while JSON is written.
        complete = list(rows)
        if complete:
            with self._database.writing() as transaction:
                transaction.run(sql, complete)

    def _parsed(self, table: str, parse: Callable[[Row], _T], row: Row) -> _T:
        return readable(self._database, table, parse, row)


def _session(row: Row) -> SuiteSession:
    return SuiteSession.model_validate_json(str(row[2]))


def _opinion(row: Row) -> Opinion:
    return Opinion.model_validate_json(str(row[1]))
