"""How one run in the background is now: written to by its thread, read by any."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pytest_sessioneval.evaluation.run_outcomes import failed
from pytest_sessioneval.judging.panel import Panel
from pytest_sessioneval.stores.run_statuses import (
    BackgroundRun,
    PlacedSession,
    RunSession,
    RunStates,
    RunStatus,
    named,
)
from pytest_sessioneval.stores.summary import RunState

__all__ = ["RunBoard", "Stopped"]

Stopped = Literal["cancelled", "interrupted"]
"""How a run ends that does not end by itself."""


class RunBoard:
    """A run's state and its sessions'; any thread may call any method.

    What changed goes to the store when ``write`` is called, and who judges at
    once; both raise ``StoreError``.
    """

    def __init__(
        self,
        kept: BackgroundRun,
        states: RunStates,
        *,
        started_at: datetime,
        known: Sequence[PlacedSession] = (),
    ) -> None:
        self._kept = kept
        self._states = states
        self._started_at = started_at
        self._finished_at: datetime | None = None
        self._state: RunState = "running"
        self._concluding = False
        self._sessions = list(known)
        self._unwritten: set[int] = set()
        self._changing = threading.Condition()
        self._writing = threading.Lock()

    def status(self) -> RunStatus:
        """Return how the run is now."""
        with self._changing:
            return self._status()

    def wait(self, until: Callable[[RunStatus], bool], timeout_s: float) -> bool:
        """Return whether the run came to be so in time."""
        with self._changing:
            return self._changing.wait_for(lambda: until(self._status()), timeout_s)

    def write(self) -> None:
        """Keep how sessions are that changed since the last time."""
        with self._writing:  # no older state may be written after a newer one
            with self._changing:
                changed = {at: self._sessions[at] for at in sorted(self._unwritten)}
                self._unwritten.clear()
            try:
                self._states.put_sessions(self._kept.run_id, changed.items())
            except BaseException:
                with self._changing:
                    self._unwritten.update(changed)
                raise

    # -- the run -------------------------------------------------------------------

    def stop(self, state: Stopped) -> bool:
        """Return whether the run was going on; it is in that state then."""
        with self._changing:
            if self._state != "running" or self._concluding:
                return False
            self._change(state)
            return True

    def conclude(self) -> Stopped | None:
        """Return how the run was stopped; None: it was not, and cannot be any more."""
        with self._changing:
            self._concluding = True
            if self._state == "cancelled" or self._state == "interrupted":  # noqa: PLR1714
                return self._state
            return None

    def end(self, state: RunState, at: datetime) -> None:
        """Note how and when the run ended."""
        with self._changing:
            self._finished_at = at
            self._change(state)

    def set_judge(self, panels: Sequence[Panel]) -> None:
        """Note who judges."""
        self._keep(
            replace(
                self._kept,
                judge_model=named(panel.suite.settings.judge.model for panel in panels),
                judge_version=named(panel.version for panel in panels),
                rubric_version=named(panel.rubric_version for panel in panels),
            )
        )

    def set_judge_model(self, model: str | None) -> None:
        """Note who was to judge, and cannot be asked."""
        self._keep(replace(self._kept, judge_model=model))

    # -- its sessions ----------------------------------------------------------------

    def set_sessions(self, sessions: Sequence[PlacedSession]) -> None:
        """Note which sessions the run has, and how they are."""
        with self._changing:
            self._sessions = list(sessions)
            self._unwritten = set(range(len(sessions)))
            self._changing.notify_all()

    def set_session(self, at: int, now: RunSession) -> None:
        """Note how the session at that place is."""
        with self._changing:
            self._put(at, now)

    def set_state(self, at: int, state: Literal["pending", "running"]) -> None:
        """Note that the session at that place waits, or is being judged."""
        with self._changing:
            session_id = self._sessions[at].now.session_id
            self._put(at, RunSession(session_id=session_id, state=state))

    def fail(self, error: str, *, all_of_them: bool = False) -> None:
        """Note that sessions failed for this reason: those that had not ended, or all.

        A run that has none gets one entry that says so.
        """
        with self._changing:
            if all_of_them and not self._sessions:
                nobody = RunSession(session_id="", state="pending")
                self._sessions.append(PlacedSession("", "", nobody))
            for at, placed in enumerate(self._sessions):
                if all_of_them or placed.now.state in {"pending", "running"}:
                    self._put(at, failed(placed.now.session_id, error))

    # -- inside ----------------------------------------------------------------------

    def _keep(self, kept: BackgroundRun) -> None:
        self._states.put(kept)
        with self._changing:
            self._kept = kept

    # -- inside; the lock is held ------------------------------------------------------

    def _status(self) -> RunStatus:
        return RunStatus(
            run_id=self._kept.run_id,
            state=self._state,
            started_at=self._started_at,
            finished_at=self._finished_at,
            judge_model=self._kept.judge_model,
            judge_version=self._kept.judge_version,
            rubric_version=self._kept.rubric_version,
            sessions=tuple(placed.now for placed in self._sessions),
        )

    def _change(self, state: RunState) -> None:
        self._state = state
        self._changing.notify_all()

    def _put(self, at: int, now: RunSession) -> None:
        self._sessions[at] = replace(self._sessions[at], now=now)
        self._unwritten.add(at)
        self._changing.notify_all()
