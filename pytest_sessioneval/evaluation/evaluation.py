"""One evaluation: verdicts from the store, the rest from judges, and the run they add up to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce
from itertools import count
from pathlib import Path
from typing import Literal

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.evaluation.assembling import SuiteTally, assemble_run, assemble_suite
from pytest_sessioneval.evaluation.canaries import CanaryWatch
from pytest_sessioneval.evaluation.early_stopping import EarlyStopping
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.panels import JudgeOpener, Panels
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.results import left_out_result, result_of
from pytest_sessioneval.garbage import paused
from pytest_sessioneval.gate.people import People
from pytest_sessioneval.gate.sequential import ReachedLook
from pytest_sessioneval.judging.budget import CallBudget
from pytest_sessioneval.judging.dispatch import Dispatcher, Progress, Ticket
from pytest_sessioneval.judging.panel import EMBEDDED, Panel, Question, combine
from pytest_sessioneval.stores.protocol import SessionStatus, Store, StoredOpinion
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import CallCount, Opinion, Unscored, Verdict
from pytest_sessioneval.verdicts.run import Provenance, Run, SessionResult, Sources, SuiteRun

__all__ = ["Evaluation", "EvaluationSettings", "PlannedCalls"]

_CLOSING_S = 10.0
_NO_SOURCES = Sources()


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How an evaluation goes about it; none of it moves a score."""

    concurrency: int = 32
    """Most questions in flight."""
    lookahead: int | None = None
    """Most sessions started and not yet consumed; default: eight times the concurrency."""
    max_calls: int | None = None
    """Most requests to judges; None: without end."""
    offline: bool = False
    """Ask nobody: what the store does not know is not scored."""
    for_baseline: bool = False
    """Ask each expert as often as a baseline wants it."""


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """What a run is about to ask, retries and repairs not counted."""

    sessions: int
    """Sessions of the plan."""
    unjudged: int
    """Those whose verdict is not in the store."""
    calls: int
    """Requests to judges outside of this process."""
    judges: tuple[str, ...]
    """Who will be asked."""
    embedded: bool
    """Every judge is the embedded one: nobody is asked."""
    at_most: bool = False
    """Early stopping may make them fewer."""
    canaries: int = 0
    """Frozen sessions that are judged again; their calls count, they do not."""


@dataclass(slots=True)
class _Entry:
    """A planned session under way."""

    plan: SuitePlan
    panel: Panel
    planned: PlannedSession
    questions: tuple[Question, ...]
    stored: dict[str, Opinion]
    status: SessionStatus
    ticket: str | None = None
    result: SessionResult | None = None


class Evaluation:
    """Evaluates a plan; pytest, the command line and the service use it alike.

    ``clock`` and ``secret`` are what makes a run different from the last one;
    everything else follows from plan, store and judges.
    """

    def __init__(
        self,
        *,
        settings: EvaluationSettings,
        store: Store,
        source: TranscriptSource,
        open_judge: JudgeOpener,
        run_id: str,
        root: Path,
        clock: Callable[[], datetime],
        secret: bytes,
    ) -> None:
        self.run_id = run_id
        self._root = root
        self._settings = settings
        self._store = store
        self._source = source
        self._clock = clock
        self._secret = secret
        self._stop = threading.Event()
        self._panels = Panels(
            open_judge,
            CallBudget(settings.max_calls),
            self._stop,
            for_baseline=settings.for_baseline,
        )
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._stopping: dict[str, EarlyStopping] = {}
        self._canaries: dict[str, CanaryWatch] = {}
        self.plan = Plan()
        self._dispatcher: Dispatcher | None = None
        self._started_at = clock()
        self._opening = threading.RLock()
        self._asking: dict[str, threading.Lock] = {}
        self._numbers = count()
        self.running = False

    # -- before anything is asked ------------------------------------------------

    def panel(self, suite: Suite) -> Panel:
        """Return the suite's panel, its judges opened.

        Raises ``SettingError`` when a judge cannot be opened and ``SuiteError``
        when a threshold or the gate names an axis nobody can score.
        """
        return self._panels.of(suite)

    def evaluated(self, suite: Suite, members: Sequence[Member]) -> frozenset[str]:
        """Return the keys of the members whose verdict is in the store, under today's versions."""
        panel = self.panel(suite)
        expected = {
            member.session.key: [question.key for question in panel.questions(member.session)]
            for member in members
        }
        found = self._store.statuses(suite.name, expected)
        return frozenset(key for key, status in found.items() if status == "evaluated")

    # -- judging -----------------------------------------------------------------

    def start(self, plan: Plan, announce: Callable[[PlannedCalls], None] | None = None) -> None:
        """Look up every verdict in bulk and begin to judge the rest, in the plan's order.

        ``announce`` hears what is about to be asked before the first call.
        """
        self.plan = plan
        self._begin()
        with paused(sum(len(suite_plan.sessions) for suite_plan in plan.suites)):
            entries = [
                self._entry(suite_plan, planned)
                for suite_plan in plan.suites
                for planned in suite_plan.sessions
            ]
            stored = self._store.opinions([q.key for entry in entries for q in entry.questions])
            for entry in entries:
                entry.stored = {q.key: stored[q.key] for q in entry.questions if q.key in stored}
                self._entries[entry.plan.suite.name, entry.planned.member.id] = entry
        if not self._settings.for_baseline:
            found = {one.suite.name: EarlyStopping.of(one) for one in plan.suites}
            self._stopping = {name: one for name, one in found.items() if one is not None}
        self._canaries = self._watched(plan)
        self._set_statuses(entries)
        missing = [entry for entry in entries if len(entry.stored) < len(entry.questions)]
        if announce is not None and entries:
            announce(self._planned_calls(entries, missing))
        self._submit_canaries()
        self._submit([e for e in missing if e.plan.suite.name not in self._stopping])
        for name, stopping in self._stopping.items():
            self._submit_part(name, stopping.first)

    def result(
        self, suite: str, member_id: str, tick: Callable[[Progress], None] | None = None
    ) -> SessionResult:
        """Return how a planned session ended, waiting for its verdict where it is being judged.

        Raises ``StoreError`` when verdicts cannot be kept.
        """
        entry = self._entries[suite, member_id]
        stopping = self._stopping.get(suite)
        if stopping is not None and member_id in stopping:
            plan = entry.plan
            stopping.settle(
                lambda members: self._judge_part(suite, members, tick),
                lambda: plan.candidate(self._so_far(plan), partial=self.plan.partial),
            )
            if entry.result is None:
                entry.result = left_out_result(
                    plan.suite,
                    entry.planned.member.session,
                    stopping.reached,
                    nodeid=entry.planned.nodeid,
                    status=entry.status,
                )
        return self._result(entry, tick)

    @property
    def looks(self) -> dict[str, ReachedLook]:
        """How far the suites went that are judged look by look, by name."""
        return {name: stopping.reached for name, stopping in self._stopping.items()}

    def consumed(self, suite: str, member_id: str) -> None:
        """Note that the session's item has reported: judging may go further ahead."""
        entry = self._entries[suite, member_id]
        if entry.ticket is not None and self._dispatcher is not None:
            self._dispatcher.consumed(entry.ticket)

    def judge(self, suite: Suite, member: Member, transcript: Transcript) -> SessionResult:
        """Return how a session that is in no file ended: judged now, kept like any other.

        From several threads: the same session is asked about once.
        """
        self._begin()
        with self._opening:
            alone = self._asking.setdefault(member.session.summary.digest, threading.Lock())
            member = member.model_copy(update={"id": f"{member.id}@{next(self._numbers)}"})
        planned = PlannedSession(member=member)
        plan = SuitePlan(suite=suite, sessions=(planned,), sources=_NO_SOURCES)
        with alone:
            entry = self._entry(plan, planned)
            entry.stored = dict(self._store.opinions([q.key for q in entry.questions]))
            self._entries[suite.name, member.id] = entry
            if len(entry.stored) < len(entry.questions):
                self._submit(
                    [entry], load=lambda: self._source.redact(transcript, suite=suite.name)
                )
            return self.result(suite.name, member.id)

    def stop(self, reason: str) -> None:
        """Ask no further question; what is in flight is kept if it arrives. Never waits."""
        self._stop.set()
        if self._dispatcher is not None:
            self._dispatcher.stop(reason)

    # -- the end -----------------------------------------------------------------

    def finish(
        self,
        *,
        provenance: Provenance,
        reported: Callable[[str, str], bool],
        interrupted: bool = False,
    ) -> Run:
        """Return the run, not kept yet; ``reported`` says whether a session's item ran."""
        if not interrupted:
            self._collect_canaries(self._canaries)
        self.stop("the run ended before its turn")
        if self._dispatcher is not None:
            self._dispatcher.close(_CLOSING_S)
        return assemble_run(
            run_id=self.run_id,
            started_at=self._started_at,
            finished_at=self._clock(),
            provenance=provenance,
            root=self._root,
            tallies=[self._tally(suite_plan, reported) for suite_plan in self.plan.suites],
            partial=self.plan.partial,
            interrupted=interrupted,
        )

    def people(self) -> People:
        """Return people's labels of the plan's sessions and of what they are held against."""
        gated = [suite for suite in self.plan.suites if suite.suite.settings.gate is not None]
        queues = self._store.label_queues() if gated else ()
        if not queues:
            return People()
        digests = [one.member.session.summary.digest for suite in gated for one in suite.sessions]
        for suite in gated:
            for baseline in suite.baselines.values():
                digests += [session.digest for session in baseline.sessions]
        return People(labels=self._store.labels(digests), queues=queues)

    def keep(self, run: Run) -> None:
        """Keep a finished run in the store; raises ``StoreError``."""
        if self.running:
            self._store.finish_run(run, state="interrupted" if run.interrupted else "done")

    def judge_noise(self, suite: SuiteRun) -> dict[str, float]:
        """Return the judge's own spread in points by axis, where it was measured on the suite."""
        return self._store.noise(suite.suite, suite.rubric_version, suite.judge.version)

    def close(self) -> None:
        """Release judges and store."""
        self._stop.set()
        self._panels.close()
        self._store.close()

    # -- inside ------------------------------------------------------------------

    def _result(self, entry: _Entry, tick: Callable[[Progress], None] | None) -> SessionResult:
        if entry.result is None:
            entry.result = result_of(
                entry.plan.suite,
                entry.planned.member.session,
                self._verdict(entry, tick),
                nodeid=entry.planned.nodeid,
                status=entry.status,
            )
        return entry.result

    def _judge_part(
        self, suite: str, members: Sequence[str], tick: Callable[[Progress], None] | None
    ) -> None:
        """Have a part of a suite judged, and wait for all of it."""
        for entry in self._submit_part(suite, members):
            self._result(entry, tick)
            if entry.ticket is not None and self._dispatcher is not None:
                self._dispatcher.consumed(entry.ticket)  # its item may be the last to ask

    def _submit_part(self, suite: str, members: Sequence[str]) -> list[_Entry]:
        """Have a part of a suite judged, unless that was begun already; return its sessions."""
        entries = [self._entries[suite, member_id] for member_id in members]
        self._submit([e for e in entries if e.ticket is None and len(e.stored) < len(e.questions)])
        return entries

    def _so_far(self, plan: SuitePlan) -> SuiteRun:
        """Return a suite's part of the run as it is while it is under way."""
        self._collect_canaries([plan.suite.name])
        return assemble_suite(self._tally(plan, lambda _suite, _member: True), root=self._root)

    def _begin(self) -> None:
        with self._opening:
            if not self.running:
                self.running = True
                self._started_at = self._clock()
                self._store.start_run(self.run_id, self._started_at)

    def _planned_calls(self, entries: Sequence[_Entry], missing: Sequence[_Entry]) -> PlannedCalls:
        asked = [q for entry in missing for q in entry.questions if q.key not in entry.stored]
        asked += [q for watch in self._canaries.values() for q in watch.questions]
        outside = [q.seat.judge.name for q in asked if q.seat.judge.name != EMBEDDED]
        return PlannedCalls(
            sessions=len(entries),
            unjudged=len(missing),
            calls=0 if self._settings.offline else len(outside),
            judges=tuple(dict.fromkeys(outside)),
            embedded=self._is_embedded,
            at_most=bool(self._stopping),
            canaries=sum(
                len(one.canaries) for one in self.plan.suites if one.suite.name in self._canaries
            ),
        )

    def _entry(self, plan: SuitePlan, planned: PlannedSession) -> _Entry:
        panel = self.panel(plan.suite)
        return _Entry(plan, panel, planned, panel.questions(planned.member.session), {}, "pending")

    def _set_statuses(self, entries: Sequence[_Entry]) -> None:
        """Set whether each session was evaluated, pending or stale when the run began."""
        unknown: dict[str, dict[str, list[str]]] = {}
        for entry in entries:
            if entry.questions and len(entry.stored) == len(entry.questions):
                entry.status = "evaluated"
                continue
            expected = unknown.setdefault(entry.plan.suite.name, {})
            expected[entry.planned.member.session.key] = [q.key for q in entry.questions]
        for suite, expected in unknown.items():
            found = self._store.statuses(suite, expected)
            for entry in entries:
                key = entry.planned.member.session.key
                if entry.plan.suite.name == suite and key in expected:
                    entry.status = found.get(key, "pending")

    def _submit(
        self, entries: Sequence[_Entry], load: Callable[[], Transcript] | None = None
    ) -> None:
        if not entries or self._settings.offline:
            return
        self._store.put_sessions([entry.planned.member.session for entry in entries])
        tickets = []
        for entry in entries:
            member = entry.planned.member
            entry.ticket = f"{entry.plan.suite.name}\n{member.id}"
            tickets.append(
                Ticket(
                    id=entry.ticket,
                    session_id=member.session.session_id,
                    digest=member.session.summary.digest,
                    panel=entry.panel,
                    questions=tuple(q for q in entry.questions if q.key not in entry.stored),
                    load=load or partial(self._source.load, member),
                )
            )
        self._opened_dispatcher().submit(tickets)

    def _opened_dispatcher(self) -> Dispatcher:
        with self._opening:
            if self._dispatcher is None:
                self._dispatcher = self._new_dispatcher()
            return self._dispatcher

    def _watched(self, plan: Plan) -> dict[str, CanaryWatch]:
        """Return the suites whose canaries are judged in this run, by name."""
        if self._settings.offline:
            return {}
        baseline = self._settings.for_baseline
        found = {
            one.suite.name: CanaryWatch.of(one, self.panel(one.suite), for_baseline=baseline)
            for one in plan.suites
        }
        return {name: watch for name, watch in found.items() if watch is not None}

    def _submit_canaries(self) -> None:
        """Have canaries judged first: no budget or early stop may come before the check."""
        for watch in self._canaries.values():
            dispatcher = self._opened_dispatcher()
            dispatcher.submit(watch.tickets(self._source))
            for ticket in watch.ticket_ids:
                dispatcher.consumed(ticket)  # no item waits for them

    def _collect_canaries(self, suites: Iterable[str]) -> None:
        """Wait for the canaries of these suites."""
        for name in suites:
            watch = self._canaries.get(name)
            if watch is not None and not watch.results and self._dispatcher is not None:
                with suppress(StoreError):  # the session that could not be kept says so
                    watch.collect(self._dispatcher.wait)

    @property
    def waits_for_others(self) -> bool:
        """Whether judging is waiting rather than computing, and something was asked."""
        return self._dispatcher is not None and not self._is_embedded

    @property
    def _is_embedded(self) -> bool:
        return self._panels.are_embedded

    def _new_dispatcher(self) -> Dispatcher:
        # The embedded judge computes: more threads would only contend for the interpreter.
        concurrency = 1 if self._is_embedded else self._settings.concurrency
        return Dispatcher(
            concurrency=concurrency,
            lookahead=self._settings.lookahead or 8 * concurrency,
            keep=self._keep,
            clock=self._clock,
            secret=self._secret,
            stop=self._stop,
        )

    def _keep(self, batch: Sequence[tuple[Ticket, Opinion]]) -> None:
        rows = []
        for ticket, opinion in batch:
            suite, _, member_id = ticket.id.partition("\n")
            entry = self._entries.get((suite, member_id))
            if entry is None:  # a canary: what it scored is the run's and the baseline's
                continue
            key = entry.planned.member.session.key
            rows.append(StoredOpinion(suite, key, ticket.session_id, ticket.digest, opinion))
        self._store.put_opinions(self.run_id, rows)

    def _verdict(self, entry: _Entry, tick: Callable[[Progress], None] | None) -> Verdict:
        answered = dict(entry.stored)
        if entry.ticket is not None and self._dispatcher is not None:
            arrived = self._dispatcher.wait(entry.ticket, tick)
            answered |= {opinion.key: opinion for opinion in arrived}
        opinions = [
            answered.get(question.key) or self._offline(entry.panel, question)
            for question in entry.questions
        ]
        return combine(
            entry.panel.suite.rubric,
            entry.planned.member.session,
            opinions,
            from_store=len(entry.stored) == len(entry.questions),
        )

    def _offline(self, panel: Panel, question: Question) -> Opinion:
        detail = "--sessioneval-offline: its verdict is not in the store; run once without it"
        unscored = Unscored(reason="skipped", detail=detail)
        return Opinion(
            key=question.key,
            expert_id=question.seat.expert.id,
            repeat=question.repeat,
            axes={axis.name: unscored for axis in question.axes},
            judge_model=question.seat.judge.name,
            judge_version=panel.version,
            rubric_version=panel.rubric_version,
            judged_at=self._clock(),
        )

    def _spent(self, plan: SuitePlan) -> CallCount:
        """Return what was asked about the suite's sessions, whether or not they reported."""
        dispatcher = self._dispatcher
        if dispatcher is None:
            return CallCount()
        entries = (self._entries.get((plan.suite.name, one.member.id)) for one in plan.sessions)
        tickets = [entry.ticket for entry in entries if entry is not None and entry.ticket]
        watch = self._canaries.get(plan.suite.name)
        tickets += [] if watch is None else watch.ticket_ids
        return reduce(CallCount.__add__, map(dispatcher.spent, tickets), CallCount())

    def _tally(self, plan: SuitePlan, reported: Callable[[str, str], bool]) -> SuiteTally:
        results = []
        for planned in plan.sessions:
            member = planned.member
            entry = self._entries.get((plan.suite.name, member.id))
            result = entry.result if entry is not None else None
            if result is not None and reported(plan.suite.name, member.id):
                results.append(result)
                continue
            state: Literal["not_run"] = "not_run"
            results.append(
                SessionResult(
                    session=member.session,
                    nodeid=planned.nodeid,
                    state=state,
                    status=entry.status if entry is not None else "pending",
                )
            )
        watch = self._canaries.get(plan.suite.name)
        return SuiteTally(
            plan=plan,
            canaries=() if watch is None else watch.results,
            panel=self.panel(plan.suite),
            results=tuple(results),
            spent=self._spent(plan),
            redacted=self._source.redacted(plan.suite.name),
            readers=self._source.readers,
        )
