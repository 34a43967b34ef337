"""Runs in the background: started at once, looked at while they go on, ended and resumed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from pytest_sessioneval.errors import SettingError, StoreError
from pytest_sessioneval.evaluation.abandoned_runs import end_abandoned, is_abandoned
from pytest_sessioneval.evaluation.live_run import LiveRun, Workplace
from pytest_sessioneval.evaluation.process_locks import Owner
from pytest_sessioneval.evaluation.provenance import new_run_id
from pytest_sessioneval.evaluation.run_board import Stopped
from pytest_sessioneval.evaluation.run_request import RunRequest
from pytest_sessioneval.evaluation.session_source import SessionSource
from pytest_sessioneval.evaluation.settings import EvaluationSettings, allowance_of
from pytest_sessioneval.judging.allowance import Allowance, Slots
from pytest_sessioneval.reports.writing import RUN_ID, prepare_folder
from pytest_sessioneval.stores.protocol import RunRow, Store
from pytest_sessioneval.stores.run_statuses import (
    BackgroundRun,
    PlacedSession,
    RunSession,
    RunStatus,
    named,
)

__all__ = ["BackgroundRuns", "TooManyRunsError"]

_AT_ONCE = 8
"""Runs that go on at once; further ones wait for their turn."""

_BEAT_S = 2.0
_FIND_S = 2.0
_DRAIN_S = 150.0
_CLOSING_S = 1.0
_RESUMABLE = ("interrupted", "cancelled")


class TooManyRunsError(StoreError):
    """No run can be taken now: too many wait already, or the service is ending."""


class BackgroundRuns:
    """The runs of a store, and those among them that this process works on.

    Any thread may call any method. What is asked of judges by all runs together
    keeps to one allowance. A run belongs to the process that started or resumed
    it; others see it, may have it cancelled, and resume it once that process is
    gone.
    """

    def __init__(
        self,
        *,
        store: Store,
        sessions: SessionSource,
        settings: EvaluationSettings,
        environ: Mapping[str, str],
        home: Path,
        out: Path,
        clock: Callable[[], datetime],
        allowance: Allowance | None = None,
        most: int = 100,
    ) -> None:
        """Note which runs were broken off; raises ``StoreError``.

        At most ``most`` runs go on or wait: each has a thread.
        """
        self._at = Workplace(
            store=store,
            sessions=sessions,
            settings=settings,
            allowance=allowance or allowance_of(settings),
            environ=environ,
            home=home,
            out=out,
            clock=clock,
        )
        self._store = store
        self._states = store.run_states
        prepare_folder(out)
        self._owner = Owner(out / "processes")
        self._lock = threading.Lock()
        self._live: dict[str, LiveRun] = {}
        self._most = most
        self._turns = Slots(_AT_ONCE)
        self._closed = threading.Event()
        self._heart: threading.Thread | None = None
        try:
            end_abandoned(store, clock())
        except BaseException:
            self._owner.release()
            raise

    def start(self, request: RunRequest) -> RunStatus:
        """Return the status of a run that has just begun.

        Waits a little for its sessions to be found, and for no judge. Raises
        ``TooManyRunsError``, and ``StoreError``.
        """
        now = self._at.clock()
        kept = BackgroundRun(new_run_id(now), request.model_dump_json(), self._owner.name, now)

        def begin() -> bool:
            self._states.begin(kept, now)
            return True

        run = LiveRun(kept, self._at, started_at=now)
        self._launch(run, begin)
        return run.board.status()

    def status(self, run_id: str) -> RunStatus | None:
        """Return how a run is, whoever made it; None where there is none of that id."""
        live = self._live.get(run_id)
        if live is not None:
            return live.board.status()
        row = self._row(run_id)
        return None if row is None else self._statuses([row])[0]

    def wait(
        self, run_id: str, until: Callable[[RunStatus], bool] | None = None, *, timeout_s: float
    ) -> RunStatus | None:
        """Return a run's status once it is so, or when the time is up.

        Without ``until``: once nothing of it goes on any more. Only a run of this
        process is waited for.
        """
        live = self._live.get(run_id)
        if live is not None and until is not None:
            live.board.wait(until, timeout_s)
        elif live is not None:
            live.ended.wait(timeout_s)
        return self.status(run_id)

    def list(self, limit: int = 50) -> tuple[RunStatus, ...]:
        """Return how the latest runs are, newest first: also those of pytest and commands."""
        return self._statuses(self._store.runs(limit))

    def cancel(self, run_id: str) -> RunStatus | None:
        """End a run and return its status; None where there is none of that id.

        No new question is asked; answers to those in flight are kept, and the
        other sessions stay pending. A run of another process is ended by that
        one, within seconds; one that has ended stays as it is. Raises
        ``SettingError`` for a run of pytest or of a command.
        """
        live = self._live.get(run_id)
        if live is not None:
            self._stop(live, "cancelled", _DRAIN_S)
            return live.board.status()
        row = self._row(run_id)
        if row is None:
            return None
        if row.state == "running":
            self._of_background(row, "cancelled")
            self._states.cancel(run_id)
        return self.status(run_id)

    def resume(self, run_id: str) -> RunStatus | None:
        """Go on with a run that was broken off or cancelled; None where there is none of that id.

        What was judged is not asked again; sessions that failed are. A run that
        goes on stays as it is. Raises ``SettingError`` for one that is done or failed.
        """
        live = self._live.get(run_id)
        if live is not None and live.stopping.is_set() and not live.ended.wait(_FIND_S):
            raise SettingError(
                f"run {run_id} waits for answers that are under way; resume it when they are there"
            )
        row = self._row(run_id)
        if row is None:
            return None
        if row.state == "running":
            return self.status(run_id)
        kept = self._of_background(row, "resumed")
        if row.state not in _RESUMABLE:
            raise SettingError(
                f"run {run_id} is {row.state}: only a run that was interrupted or cancelled can "
                "be resumed; start another one"
            )
        known = [_as_ended(one) for one in self._states.sessions([run_id]).get(run_id, ())]
        run = LiveRun(kept, self._at, started_at=row.started_at, known=known)
        take = partial(
            self._states.take, kept, row.state, owner=self._owner.name, now=self._at.clock()
        )
        # Where somebody else was quicker, it is theirs.
        return run.board.status() if self._launch(run, take) else self.status(run_id)

    def beat(self) -> None:
        """Keep how this process's runs are, and end those that others want ended."""
        with self._lock:
            live = dict(self._live)
        if not live:
            return
        for run in live.values():
            run.board.write()
        for run_id in self._states.seen(self._owner.name, list(live), self._at.clock()):
            self._stop(live[run_id], "cancelled", _DRAIN_S)

    def close(self) -> None:
        """End this process's runs as interrupted; waits for answers in flight, but not for long.

        Closing twice is harmless.
        """
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            live = tuple(self._live.values())
        for run in live:
            self._stop(run, "interrupted", _CLOSING_S)
        for run in live:
            run.ended.wait(2 * _CLOSING_S)
        if self._heart is not None:
            self._heart.join(_CLOSING_S)
        self._owner.release()

    # -- inside ----------------------------------------------------------------------

    def _launch(self, run: LiveRun, claim: Callable[[], bool]) -> bool:
        """Have the run go on and wait a little for its sessions; False: it could not be claimed."""
        with self._lock:
            if self._closed.is_set():
                raise TooManyRunsError("the service is ending; ask again when it is up")
            if run.run_id in self._live:
                return False
            if len(self._live) >= self._most:
                raise TooManyRunsError(
                    f"runs that go on or wait: {self._most}, which is the most; ask again later, "
                    "or cancel some"
                )
            # Before it is claimed: a run of ours that is not live is one that broke.
            self._live[run.run_id] = run
            if self._heart is None:
                name = "sessioneval-runs"
                self._heart = threading.Thread(target=self._beats, name=name, daemon=True)
                self._heart.start()
        claimed = False
        try:
            claimed = claim()
        finally:
            if not claimed:
                self._drop(run)
        if claimed:
            name = f"sessioneval-run-{run.run_id}"
            threading.Thread(target=self._work, args=(run,), name=name, daemon=True).start()
            run.found.wait(_FIND_S)
        return claimed

    def _work(self, run: LiveRun) -> None:
        try:
            with self._turns.taken(run.stopping):
                run.work()
        finally:
            self._drop(run)
            run.ended.set()

    def _drop(self, run: LiveRun) -> None:
        with self._lock:
            if self._live.get(run.run_id) is run:
                del self._live[run.run_id]

    def _stop(self, run: LiveRun, state: Stopped, drain_s: float) -> None:
        run.stop(state, drain_s=drain_s)
        self._turns.stopped()

    def _beats(self) -> None:
        while not self._closed.wait(_BEAT_S):
            try:
                self.beat()
            except StoreError:
                continue  # the runs meet it, too, and say so; the next beat may do better

    def _row(self, run_id: str) -> RunRow | None:
        row = self._store.run(run_id) if RUN_ID.fullmatch(run_id) else None
        return row and self._as_it_is(row, self._states.of([run_id]).get(run_id))

    def _end_if_abandoned(self, kept: BackgroundRun) -> bool:
        if kept.run_id in self._live:
            return False
        abandoned = kept.owner == self._owner.name or is_abandoned(kept, self._at.clock())
        if abandoned:
            self._states.end_abandoned(kept)
        return abandoned

    def _of_background(self, row: RunRow, done: str) -> BackgroundRun:
        kept = self._states.of([row.run_id]).get(row.run_id)
        if kept is None:
            raise SettingError(
                f"run {row.run_id} was made by pytest or a command: it cannot be {done} here"
            )
        return kept

    def _statuses(self, rows: Sequence[RunRow]) -> tuple[RunStatus, ...]:
        ids = [row.run_id for row in rows if row.run_id not in self._live]
        kept = self._states.of(ids)
        sessions = self._states.sessions(list(kept))
        sessions |= self._states.judged([run_id for run_id in ids if run_id not in kept])
        found = []
        for row in rows:
            live = self._live.get(row.run_id)
            if live is not None:
                found.append(live.board.status())
                continue
            background = kept.get(row.run_id)
            placed = sessions.get(row.run_id, ())
            found.append(run_status(self._as_it_is(row, background), background, placed))
        return tuple(found)

    def _as_it_is(self, row: RunRow, kept: BackgroundRun | None) -> RunRow:
        """Return the run's row, after noting that it was broken off where that is so."""
        if kept is None or row.state != "running" or not self._end_if_abandoned(kept):
            return row
        return self._store.run(row.run_id) or row


def run_status(
    row: RunRow, kept: BackgroundRun | None, sessions: Sequence[PlacedSession]
) -> RunStatus:
    """Return the status of a run as it is kept; ``kept`` is None for one of pytest or a command.

    Nothing is running in a run that has ended: what was is pending again.
    """
    suites = row.summary.suites if row.summary is not None else ()
    axes = {one.suite: tuple(mean.axis for mean in one.means) for one in suites}
    shown = [_with_axes(one, axes.get(one.suite, ())) for one in sessions]
    if row.state != "running":
        shown = [one if one.state != "running" else _pending(one) for one in shown]
    return RunStatus(
        run_id=row.run_id,
        state=row.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        judge_model=kept.judge_model if kept else named(one.judge_model for one in suites),
        judge_version=kept.judge_version if kept else named(one.judge_version for one in suites),
        rubric_version=kept.rubric_version if kept else named(one.rubric_version for one in suites),
        sessions=tuple(shown),
    )


def _with_axes(placed: PlacedSession, axes: Sequence[str]) -> RunSession:
    """Return the session with an average, or none, for every axis of its suite."""
    now = placed.now
    if now.avg is None:
        return now
    return now.model_copy(update={"avg": dict.fromkeys(axes) | dict(now.avg)})


def _as_ended(placed: PlacedSession) -> PlacedSession:
    """Return a session of a run to be resumed: judged, or yet to be."""
    if placed.now.state == "ok":
        return placed
    return PlacedSession(placed.suite, placed.key, _pending(placed.now))


def _pending(session: RunSession) -> RunSession:
    return RunSession(session_id=session.session_id, state="pending")
