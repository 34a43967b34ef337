"""What every store can do; the embedded one and those by URL answer alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pytest_sessioneval.stores.job_values import JobStore
from pytest_sessioneval.stores.listings import (
    CurrentVersions,
    ListedSession,
    SessionDetail,
    SessionQuery,
    StatsResponse,
)
from pytest_sessioneval.stores.run_statuses import RunStates
from pytest_sessioneval.stores.summary import RunState, RunSummary
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.verdicts.model import Opinion
from pytest_sessioneval.verdicts.run import Run

__all__ = [
    "IndexedFile",
    "KeptOpinion",
    "MeasuredNoise",
    "RunPart",
    "RunRow",
    "SessionStatus",
    "Store",
    "StoredAdvice",
    "StoredOpinion",
]

SessionStatus = Literal["pending", "evaluated", "stale"]
"""Whether a session has been judged.

``pending``: no evaluation. ``evaluated``: an opinion under every verdict key
expected now. ``stale``: evaluations, but not under all of those keys.
"""


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """What a file with these bytes holds, as the readers of that fingerprint saw it."""

    content: str
    """SHA-256 of the file's bytes and its companions'."""
    readers: str
    """Fingerprint of the readers' names and versions."""
    reader: str | None
    """The reader that recognised it; null: it holds no session."""
    sessions: tuple[SessionSummary, ...]
    """The sessions in it, in file order."""
    skipped: Mapping[str, int]
    """Skipped lines by reason."""
    unknown: Mapping[str, int]
    """Unknown records by kind."""


@dataclass(frozen=True, slots=True)
class StoredOpinion:
    """An opinion and the session it is about."""

    suite: str
    key: str
    """The session's key in the suite."""
    session_id: str
    digest: str
    opinion: Opinion


@dataclass(frozen=True, slots=True)
class KeptOpinion:
    """An opinion as it is kept: with the run that last asked for it."""

    run_id: str
    stored: StoredOpinion


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as listings show it."""

    run_id: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    summary: RunSummary | None
    """Suites with means, counts and versions; None until the run has ended."""


@dataclass(frozen=True, slots=True)
class MeasuredNoise:
    """How much a judge differed from itself on one axis of a suite's sessions."""

    suite: str
    rubric_version: str
    judge_version: str
    axis: str
    sd: float
    """Standard deviation of one judgement of the same session, in points."""
    degrees: int
    """What the spread rests on: scores, less one per session."""
    measured_at: datetime


@dataclass(frozen=True, slots=True)
class StoredAdvice:
    """What a model made of a suite's lost points."""

    suite: str
    digest: str
    """Of the facts that it was shown."""
    model: str
    made_at: datetime
    content: str
    """The advice as JSON: ``reports.advice.following.KeptAdvice``."""


@dataclass(frozen=True, slots=True)
class RunPart:
    """A part of a run that several processes share, once it was judged whole."""

    run_id: str
    part: int
    """From 1."""
    parts: int
    """How many there are to be."""
    suites: Mapping[str, str]
    """The suites it is a part of: name to folder, relative to the run's root."""
    ended_at: datetime


class Store(Protocol):
    """Keeps what outlives a run; every method raises ``StoreError`` when it cannot.

    A method that writes returns when its rows are committed, all or none of
    them: from then on they outlive the process, however it ends. Any thread may
    call any method, and several processes may use one store at once. What is
    kept has been redacted by the caller.
    """

    @property
    def jobs(self) -> JobStore:
        """The service's scoring jobs."""
        ...

    def indexed_files(self, contents: Sequence[str], readers: str) -> dict[str, IndexedFile]:
        """Return what is known of files with these contents, by content."""
        ...

    def index_files(self, files: Sequence[IndexedFile]) -> None:
        """Keep what files hold."""
        ...

    def put_sessions(self, sessions: Sequence[SuiteSession]) -> None:
        """Keep or refresh sessions' summaries."""
        ...

    def sessions(self, suite: str | None = None) -> tuple[SuiteSession, ...]:
        """Return the sessions kept, of one suite or of all, by suite and key."""
        ...

    def opinions(self, keys: Sequence[str]) -> dict[str, Opinion]:
        """Return the stored opinions of these verdict keys, by key; missing ones are absent."""
        ...

    def put_opinions(self, run_id: str, rows: Sequence[StoredOpinion]) -> None:
        """Keep opinions as evaluations of that run.

        The same verdict key again, for the same session, replaces the row;
        another key adds one, so that a session's history stays.
        """
        ...

    def evaluated_sessions(self) -> tuple[tuple[str, str], ...]:
        """Return suite and key of every session that has opinions, sorted."""
        ...

    def history(self, suite: str, keys: Sequence[str]) -> tuple[KeptOpinion, ...]:
        """Return every opinion of these sessions of a suite, by session and verdict key."""
        ...

    def list_sessions(
        self, query: SessionQuery, current: Sequence[CurrentVersions]
    ) -> tuple[ListedSession, ...]:
        """Return one page of sessions: pinned first, then the last active, newest first.

        ``current`` says under which versions, per suite, a session is evaluated.
        """
        ...

    def session_detail(self, session_id: str) -> SessionDetail | None:
        """Return all that is kept of a session; None where there is none of that id.

        Where several suites hold one of that id, it is the one that listings show first.
        """
        ...

    def weekly_stats(
        self, current: Sequence[CurrentVersions], *, since: datetime, by_bucket: bool = False
    ) -> StatsResponse:
        """Return weekly averages of the evaluations of these versions made since then."""
        ...

    def statuses(
        self, suite: str, expected: Mapping[str, Sequence[str]]
    ) -> dict[str, SessionStatus]:
        """Return each session's status; ``expected`` maps session key to its verdict keys."""
        ...

    def put_feedback(self, entries: Sequence[FeedbackEntry]) -> None:
        """Keep thumbs; a second rating of the same message replaces the first."""
        ...

    def feedback(self, session_ids: Sequence[str] | None = None) -> tuple[FeedbackEntry, ...]:
        """Return thumbs, of these sessions or of all, by session and message."""
        ...

    def put_labels(self, labels: Sequence[HumanLabel], queues: Sequence[LabelQueue] = ()) -> None:
        """Keep people's labels and the queues they come from.

        The same person's label of the same transcript, axis and queue again
        replaces the first; the same score given for another queue is another label.
        """
        ...

    def labels(self, digests: Sequence[str] | None = None) -> tuple[HumanLabel, ...]:
        """Return labels, of these transcripts or of all, by transcript, axis, person and queue."""
        ...

    def label_queues(self) -> tuple[LabelQueue, ...]:
        """Return every queue, in the order drawn."""
        ...

    def put_noise(self, rows: Sequence[MeasuredNoise]) -> None:
        """Keep how much judges differ from themselves; measuring again replaces the row."""
        ...

    def noise(self, suite: str, rubric_version: str, judge_version: str) -> dict[str, float]:
        """Return the judge's spread in points by axis, where it was measured on the suite."""
        ...

    def put_advice(self, advice: StoredAdvice) -> None:
        """Keep what a model said; the same model on the same facts again replaces it."""
        ...

    def advice(self, suite: str) -> tuple[StoredAdvice, ...]:
        """Return what models said of a suite, the latest first."""
        ...

    def start_run(self, run_id: str, started_at: datetime) -> None:
        """Note that a run began; beginning it again keeps the first time stamp."""
        ...

    def finish_run(self, run: Run, *, state: RunState) -> None:
        """Keep the run's summary."""
        ...

    def add_part(self, part: RunPart) -> tuple[RunPart, ...]:
        """Keep a part that has ended; return all there are of its run, by number.

        Of several processes that add the last ones at once, one alone sees all of them first.
        """
        ...

    def run_parts(self, run_id: str) -> tuple[RunPart, ...]:
        """Return the parts of a run that have ended, by number."""
        ...

    def put_runs(self, runs: Sequence[RunRow]) -> None:
        """Keep runs as they were listed elsewhere; the same id again replaces the run."""
        ...

    def runs(self, limit: int = 50) -> tuple[RunRow, ...]:
        """Return the latest runs, newest first."""
        ...

    def suite_runs(self, limit: int) -> tuple[RunRow, ...]:
        """Return the latest ended runs of suites, newest first; scoring sessions are none."""
        ...

    def run(self, run_id: str) -> RunRow | None:
        """Return the run of that id; None where there is none."""
        ...

    def evaluated_keys(self, versions: CurrentVersions) -> frozenset[str]:
        """Return the keys of the suite's sessions that listings show as evaluated."""
        ...

    @property
    def run_states(self) -> RunStates:
        """What is kept of runs in the background."""
        ...

    def close(self) -> None:
        """Release the database."""
        ...
