"""One run in the background while it goes on: its sessions as they are now, and its thread."""

from __future__ import annotations

import logging
import queue
import secrets
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from pytest_sessioneval.errors import SessionEvalError, StoreError, UsageError
from pytest_sessioneval.evaluation.advising import with_advice
from pytest_sessioneval.evaluation.cards import standings
from pytest_sessioneval.evaluation.choosing import (
    Choice,
    choose,
    judged_by,
    not_evaluated,
    plan_of,
)
from pytest_sessioneval.evaluation.direct import judge_opener
from pytest_sessioneval.evaluation.evaluation import Evaluation
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.evaluation.provenance import provenance
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.run_outcomes import described, ended, failed, is_answered
from pytest_sessioneval.evaluation.run_request import RunRequest
from pytest_sessioneval.evaluation.session_source import ServedSuite, SessionSource
from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.judging.allowance import Allowance
from pytest_sessioneval.judging.panel import Panel
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.writing import write_reports
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.run_statuses import (
    BackgroundRun,
    PlacedSession,
    RunSession,
    RunStatus,
    named,
)
from pytest_sessioneval.stores.summary import RunState
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.redaction import SECRETS
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers
from pytest_sessioneval.verdicts.run import Run

__all__ = ["LiveRun", "Workplace"]

_STOPPED = "the run was ended"

_Place = tuple[str, str]
"""Suite and member id."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What all runs in the background work with."""

    store: Store
    sessions: SessionSource
    settings: EvaluationSettings
    """How judging goes about it; its limits are of all runs together."""
    allowance: Allowance
    """What runs that go on at once share."""
    environ: Mapping[str, str]
    """Where judges' addresses and keys come from."""
    home: Path
    """What reports name suites' folders relative to."""
    out: Path
    """Where reports are written."""
    clock: Callable[[], datetime]


class LiveRun:
    """A run that goes on; ``work`` is its thread, what is above it any thread may call."""

    def __init__(
        self,
        kept: BackgroundRun,
        workplace: Workplace,
        *,
        started_at: datetime,
        known: Sequence[PlacedSession] = (),
    ) -> None:
        self.found = threading.Event()
        """Set once it is known which sessions the run has, and who judges them."""
        self.ended = threading.Event()
        """Set once nothing of the run goes on any more, and all of it is kept."""
        self.stopping = threading.Event()
        """Set once somebody ended it."""
        self._kept = kept
        self._request = RunRequest.model_validate_json(kept.request)
        self._at = workplace
        self._started_at = started_at
        self._finished_at: datetime | None = None
        self._state: RunState = "running"
        self._known = known
        self._sessions = list(known)
        self._unwritten: set[int] = set()
        self._changing = threading.Condition()
        self._writing = threading.Lock()
        self._positions: dict[_Place, int] = {}
        self._unreadable: dict[_Place, str] = {}
        self._events: queue.SimpleQueue[_Place | None] = queue.SimpleQueue()
        self._evaluation: Evaluation | None = None
        self._concluding = False
        self._drain_s = 0.0

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._kept.run_id

    def status(self) -> RunStatus:
        """Return how the run is now."""
        with self._changing:
            return self._status()

    def wait(self, until: Callable[[RunStatus], bool], timeout_s: float) -> bool:
        """Return whether the run came to be so in time."""
        with self._changing:
            return self._changing.wait_for(lambda: until(self._status()), timeout_s)

    def stop(self, state: Literal["cancelled", "interrupted"], *, drain_s: float) -> None:
        """Ask nothing new, and wait that long for what is in flight; returns at once.

        A run that is ending by itself goes on.
        """
        with self._changing:
            if self._state != "running" or self._concluding:
                return
            self._state = state
            self._drain_s = drain_s
            self.stopping.set()
            evaluation = self._evaluation
        self._events.put(None)
        self._at.allowance.slots.stopped()
        if evaluation is not None:
            evaluation.stop(_STOPPED)

    def write(self) -> None:
        """Keep how sessions are that changed since the last time; raises ``StoreError``."""
        with self._writing:  # no older state may be written after a newer one
            with self._changing:
                changed = [(at, self._sessions[at]) for at in sorted(self._unwritten)]
                self._unwritten.clear()
            self._at.store.run_states.put_sessions(self.run_id, changed)

    # -- the run's own thread ------------------------------------------------------

    def work(self) -> None:
        """Evaluate the run's sessions and keep what comes of it; never raises."""
        try:
            self._work()
        # The boundary around a run in the background: nobody waits for its thread, so
        # whatever breaks is what its status says.
        except Exception as error:
            logging.getLogger(__name__).exception("run %s broke", self.run_id)
            self._break(described(error))
        finally:
            self.found.set()
            self.ended.set()

    def _work(self) -> None:
        try:
            chosen = choose(self._request, self._at.sessions, self._at.store, self._known)
        except SessionEvalError as error:
            entry = failed(self._request.session_id or "", described(error))
            self._set_sessions([PlacedSession("", "", entry)])
            self._end("failed")
            return
        self._set_sessions([one.placed for one in chosen])
        self._positions = {one.place: at for at, one in enumerate(chosen) if one.member}
        evaluation = Evaluation(
            settings=self._at.settings,
            store=self._at.store,
            source=_WatchedSource(self._began, self._could_not_read),
            open_judge=judge_opener(self._at.environ, self._at.settings.concurrency),
            run_id=self.run_id,
            root=self._at.home,
            clock=self._at.clock,
            secret=secrets.token_bytes(16),
            allowance=self._at.allowance,
            ended=lambda suite, member_id: self._events.put((suite, member_id)),
        )
        with self._changing:
            self._evaluation = evaluation
        try:
            self._evaluate(evaluation, chosen)
        finally:
            evaluation.close_judges()

    def _evaluate(self, evaluation: Evaluation, chosen: Sequence[Choice]) -> None:
        own = {one.served.suite.name: one.served for one in chosen if one.served is not None}
        served = tuple(own.values()) or self._at.sessions.now()
        try:
            suites = [judged_by(self._request, one) for one in served]
            panels = [evaluation.panel(one.suite) for one in suites]
        except UsageError as error:
            self._refuse(str(error), served)
            return
        self._set_judge(panels)
        self.write()
        self.found.set()
        anew: frozenset[_Place] = frozenset()
        if self._request.scope == "unevaluated" and all(map(_is_current, suites, panels)):
            anew = not_evaluated(chosen, self._at.store)
        plan = plan_of(chosen, suites if own else ())
        settled = self._judge(evaluation, plan, anew)
        self._conclude(evaluation, plan, settled)

    def _judge(
        self, evaluation: Evaluation, plan: Plan, anew: Collection[_Place]
    ) -> frozenset[_Place]:
        """Judge the sessions; return those that had their turn."""
        if self.stopping.is_set():
            return frozenset()
        evaluation.start(plan, anew=anew)
        waiting = set(evaluation.asked)
        settled = [place for place in self._positions if place not in waiting]
        for place in settled:
            self._settle(place, evaluation)
        # Once it was ended, what was not asked has ended, too: that is no failure.
        while waiting and not self.stopping.is_set():
            event = self._events.get()
            if event is not None and event in waiting and not self.stopping.is_set():
                waiting.remove(event)
                settled.append(event)
                self._settle(event, evaluation)
                evaluation.consumed(*event)
        if waiting:
            evaluation.stop(_STOPPED)
            evaluation.drain(self._drain_s)
            for place in waiting:
                if is_answered(evaluation.result(*place)):
                    settled.append(place)
                    self._settle(place, evaluation)
                else:
                    self._set(place, "pending")
        return frozenset(settled)

    def _conclude(self, evaluation: Evaluation, plan: Plan, settled: Collection[_Place]) -> None:
        with self._changing:
            self._concluding = True
            state = self._state
        run = evaluation.finish(
            provenance=provenance(self._at.home),
            reported=lambda suite, member_id: (suite, member_id) in settled,
            interrupted=state != "running",
        )
        if state == "running" and run.suites:
            self._report(run, plan)
        self.write()
        self._at.store.finish_run(run, state="done" if state == "running" else state)
        self._ended("done" if state == "running" else state, run.finished_at)

    def _report(self, run: Run, plan: Plan) -> None:
        out = self._at.out
        report = build_report(run, {}, standings(run, plan, out=out))
        try:
            report = with_advice(report, plan, self._at.store)
            write_reports(report, out, root=self._at.home)
        except SessionEvalError as error:
            # The verdicts are kept, and `sessioneval score --offline` writes it again.
            logging.getLogger(__name__).warning("run %s: no report: %s", self.run_id, error)

    def _refuse(self, why: str, served: Sequence[ServedSuite]) -> None:
        """End a run whose judge cannot be asked at all."""
        asked = ":".join(filter(None, (self._request.backend, self._request.model)))
        model = asked or named(one.suite.settings.judge.model for one in served)
        self._kept = replace(self._kept, judge_model=model)
        self._at.store.run_states.put(self._kept)
        with self._changing:
            sessions = self._sessions or [
                PlacedSession("", "", RunSession(session_id="", state="pending"))
            ]
        error = f"backend not available: {why}"
        self._set_sessions(
            [replace(one, now=failed(one.now.session_id, error)) for one in sessions]
        )
        self._end("failed")

    def _break(self, error: str) -> None:
        """End a run that cannot go on; what is kept of it may be older."""
        with self._changing:
            for at, placed in enumerate(self._sessions):
                if placed.now.state in {"pending", "running"}:
                    now = failed(placed.now.session_id, error)
                    self._sessions[at] = replace(placed, now=now)
                    self._unwritten.add(at)
        try:
            self._end("failed")
        except StoreError as unkept:
            logging.getLogger(__name__).warning("run %s: not kept: %s", self.run_id, unkept)
            self._ended("failed", self._at.clock())

    def _end(self, state: RunState) -> None:
        """Keep that the run ended without a summary."""
        now = self._at.clock()
        self.write()
        self._at.store.run_states.end(self.run_id, state, now)
        self._ended(state, now)

    def _ended(self, state: RunState, at: datetime) -> None:
        with self._changing:
            self._state = state
            self._finished_at = at
            self._changing.notify_all()

    # -- how it is ---------------------------------------------------------------------

    def _status(self) -> RunStatus:
        return RunStatus(
            run_id=self.run_id,
            state=self._state,
            started_at=self._started_at,
            finished_at=self._finished_at,
            judge_model=self._kept.judge_model,
            judge_version=self._kept.judge_version,
            rubric_version=self._kept.rubric_version,
            sessions=tuple(placed.now for placed in self._sessions),
        )

    def _set_sessions(self, sessions: Sequence[PlacedSession]) -> None:
        with self._changing:
            self._sessions = list(sessions)
            self._unwritten = set(range(len(sessions)))
            self._changing.notify_all()

    def _set_judge(self, panels: Sequence[Panel]) -> None:
        kept = replace(
            self._kept,
            judge_model=named(panel.suite.settings.judge.model for panel in panels),
            judge_version=named(panel.version for panel in panels),
            rubric_version=named(panel.rubric_version for panel in panels),
        )
        self._at.store.run_states.put(kept)
        with self._changing:
            self._kept = kept

    def _settle(self, place: _Place, evaluation: Evaluation) -> None:
        now = ended(evaluation.result(*place), unreadable=self._unreadable.get(place))
        with self._changing:
            self._put(place, now)

    def _set(self, place: _Place, state: Literal["pending", "running"]) -> None:
        with self._changing:
            before = self._sessions[self._positions[place]].now
            self._put(place, RunSession(session_id=before.session_id, state=state))

    def _put(self, place: _Place, now: RunSession) -> None:
        at = self._positions[place]
        self._sessions[at] = replace(self._sessions[at], now=now)
        self._unwritten.add(at)
        self._changing.notify_all()

    def _began(self, place: _Place) -> None:
        self._set(place, "running")

    def _could_not_read(self, place: _Place, error: Exception) -> None:
        self._unreadable[place] = described(error)


class _WatchedSource(TranscriptSource):
    """Gives transcripts as any source does, and tells when a session's turn has come."""

    def __init__(
        self, began: Callable[[_Place], None], broke: Callable[[_Place, Exception], None]
    ) -> None:
        super().__init__(Registry(builtin_readers()))
        self._began = began
        self._broke = broke

    def load(self, member: Member, policy: RedactionPolicy = SECRETS) -> Transcript:
        """Return the member's transcript; raises as reading it does."""
        place = (member.session.suite, member.id)
        self._began(place)
        try:
            return super().load(member, policy)
        except Exception as error:
            self._broke(place, error)
            raise


def _is_current(served: ServedSuite, panel: Panel) -> bool:
    """Whether the panel is the one by which listings say what is evaluated."""
    versions = served.versions
    return versions is not None and (versions.judge_version, versions.rubric_version) == (
        panel.version,
        panel.rubric_version,
    )
