"""One run in the background while it goes on."""

from __future__ import annotations

import logging
import queue
import secrets
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

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
from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.evaluation.provenance import provenance
from pytest_sessioneval.evaluation.run_board import RunBoard, Stopped
from pytest_sessioneval.evaluation.run_outcomes import described, ended, failed, is_answered
from pytest_sessioneval.evaluation.run_request import RunRequest
from pytest_sessioneval.evaluation.session_source import SessionSource
from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.evaluation.watched_folder import ServedSuite
from pytest_sessioneval.evaluation.watched_source import Place, WatchedSource
from pytest_sessioneval.judging.allowance import Allowance
from pytest_sessioneval.judging.panel import Panel
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.writing import write_reports
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.run_statuses import BackgroundRun, PlacedSession, named
from pytest_sessioneval.stores.summary import RunState
from pytest_sessioneval.verdicts.run import Run

__all__ = ["LiveRun", "Workplace"]

_STOPPED = "the run was ended"


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
    """A run that goes on in the thread that calls ``work``."""

    def __init__(
        self,
        kept: BackgroundRun,
        workplace: Workplace,
        *,
        started_at: datetime,
        known: Sequence[PlacedSession] = (),
    ) -> None:
        self.run_id = kept.run_id
        self.board = RunBoard(kept, workplace.store.run_states, started_at=started_at, known=known)
        """How it is now."""
        self.found = threading.Event()
        """Set once it is known which sessions the run has, and who judges them."""
        self.ended = threading.Event()
        """To be set once nothing of the run goes on any more."""
        self.stopping = threading.Event()
        """Set once somebody ended it."""
        self._request = RunRequest.model_validate_json(kept.request)
        self._at = workplace
        self._known = known
        self._positions: dict[Place, int] = {}
        self._unreadable: dict[Place, str] = {}
        self._events: queue.SimpleQueue[Place | None] = queue.SimpleQueue()
        self._evaluation: Evaluation | None = None
        self._drain_s = 0.0

    def stop(self, state: Stopped, *, drain_s: float) -> None:
        """Ask nothing new, and wait that long for what is in flight; returns at once.

        From any thread. A run that is ending by itself goes on.
        """
        if not self.board.stop(state):
            return
        self._drain_s = drain_s
        self.stopping.set()
        self._events.put(None)
        # After the event: an evaluation that is not there yet finds it set.
        evaluation = self._evaluation
        if evaluation is not None:
            evaluation.stop(_STOPPED)

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

    def _work(self) -> None:
        try:
            chosen = choose(self._request, self._at.sessions, self._at.store, self._known)
        except SessionEvalError as error:
            entry = failed(self._request.session_id or "", described(error))
            self.board.set_sessions([PlacedSession("", "", entry)])
            self._end("failed")
            return
        self.board.set_sessions([one.placed for one in chosen])
        self._positions = {one.place: at for at, one in enumerate(chosen) if one.member}
        self._evaluation = evaluation = Evaluation(
            settings=self._at.settings,
            store=self._at.store,
            source=WatchedSource(self._began, self._could_not_read),
            open_judge=judge_opener(self._at.environ, self._at.settings.concurrency),
            run_id=self.run_id,
            root=self._at.home,
            clock=self._at.clock,
            secret=secrets.token_bytes(16),
            allowance=self._at.allowance,
            ended=lambda suite, member_id: self._events.put((suite, member_id)),
        )
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
            asked = ":".join(filter(None, (self._request.backend, self._request.model)))
            own_judges = named(one.suite.settings.judge.model for one in served)
            self.board.set_judge_model(asked or own_judges)
            self.board.fail(f"backend not available: {error}", all_of_them=True)
            self._end("failed")
            return
        self.board.set_judge(panels)
        self.board.write()
        self.found.set()
        anew: frozenset[Place] = frozenset()
        if self._request.scope == "unevaluated" and all(map(_is_current, suites, panels)):
            anew = not_evaluated(chosen, self._at.store)
        plan = plan_of(chosen, suites if own else ())
        settled = self._judge(evaluation, plan, anew)
        self._conclude(evaluation, plan, settled)

    def _judge(
        self, evaluation: Evaluation, plan: Plan, anew: Collection[Place]
    ) -> frozenset[Place]:
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
                    self.board.set_state(self._positions[place], "pending")
        return frozenset(settled)

    def _conclude(self, evaluation: Evaluation, plan: Plan, settled: Collection[Place]) -> None:
        stopped = self.board.conclude()
        run = evaluation.finish(
            provenance=provenance(self._at.home),
            reported=lambda suite, member_id: (suite, member_id) in settled,
            interrupted=stopped is not None,
        )
        if stopped is None and run.suites:
            self._report(run, plan)
        self.board.write()
        self._at.store.finish_run(run, state=stopped or "done")
        self.board.end(stopped or "done", run.finished_at)

    def _report(self, run: Run, plan: Plan) -> None:
        out = self._at.out
        report = build_report(run, {}, standings(run, plan, out=out))
        try:
            report = with_advice(report, plan, self._at.store)
            write_reports(report, out, root=self._at.home)
        except SessionEvalError as error:
            # The verdicts are kept, and `sessioneval score --offline` writes it again.
            logging.getLogger(__name__).warning("run %s: no report: %s", self.run_id, error)

    def _break(self, error: str) -> None:
        """End a run that cannot go on; what is kept of it may be older."""
        self.board.fail(error)
        try:
            self._end("failed")
        except StoreError as unkept:
            logging.getLogger(__name__).warning("run %s: not kept: %s", self.run_id, unkept)
            self.board.end("failed", self._at.clock())

    def _end(self, state: RunState) -> None:
        """Keep that the run ended without a summary."""
        now = self._at.clock()
        self.board.write()
        self._at.store.run_states.end(self.run_id, state, now)
        self.board.end(state, now)

    def _settle(self, place: Place, evaluation: Evaluation) -> None:
        now = ended(evaluation.result(*place), unreadable=self._unreadable.get(place))
        self.board.set_session(self._positions[place], now)

    def _began(self, place: Place) -> None:
        self.board.set_state(self._positions[place], "running")

    def _could_not_read(self, place: Place, error: Exception) -> None:
        self._unreadable[place] = described(error)


def _is_current(served: ServedSuite, panel: Panel) -> bool:
    """Whether the panel is the one by which listings say what is evaluated."""
    versions = served.versions
    return versions is not None and (versions.judge_version, versions.rubric_version) == (
        panel.version,
        panel.rubric_version,
    )
