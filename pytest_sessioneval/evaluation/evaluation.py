"""One evaluation: verdicts from the store, the rest from judges, and the run they add up to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path

from pytest_sessioneval.evaluation.assembling import SuiteTally, assemble_run, assemble_suite
from pytest_sessioneval.evaluation.canaries import CanaryWatches
from pytest_sessioneval.evaluation.deciding import labels_of
from pytest_sessioneval.evaluation.dispatching import Dispatching, DispatchTerms
from pytest_sessioneval.evaluation.early_stopping import EarlyStopping
from pytest_sessioneval.evaluation.entries import Entry, look_up, looked_up, set_statuses
from pytest_sessioneval.evaluation.estimating import planned_with_estimate
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.panels import JudgeOpener, Panels
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.results import left_out_result, not_run_result, result_of
from pytest_sessioneval.evaluation.settings import EvaluationSettings, PlannedCalls, allowance_of
from pytest_sessioneval.garbage import paused
from pytest_sessioneval.gate.people import People
from pytest_sessioneval.gate.sequential import ReachedLook
from pytest_sessioneval.judging.allowance import Allowance
from pytest_sessioneval.judging.dispatch import Progress
from pytest_sessioneval.judging.panel import Panel
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import CallCount
from pytest_sessioneval.verdicts.run import Provenance, Run, SessionResult, Sources, SuiteRun

__all__ = ["Evaluation"]

_MEASURED = 50
"""Sessions that are measured to say beforehand what a run is likely to cost."""

_NO_SOURCES = Sources()


class Evaluation:
    """Evaluates a plan; pytest, the command line and the service use it alike.

    ``clock`` and ``secret`` are what makes a run different from the last one;
    everything else follows from plan, store and judges. ``allowance`` is what it
    shares with other runs; None: the settings' limits are its own. ``ended``
    hears, from any thread, suite and member id of each session that was asked
    about once its result can be had at once.
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
        allowance: Allowance | None = None,
        ended: Callable[[str, str], None] | None = None,
    ) -> None:
        self.run_id = run_id
        allowance = allowance or allowance_of(settings)
        self._root = root
        self._settings = settings
        self._store = store
        self._source = source
        self._clock = clock
        self._stop = threading.Event()
        self._panels = Panels(
            open_judge,
            allowance.budget,
            self._stop,
            for_baseline=settings.for_baseline,
            context_tokens=settings.context_tokens,
            embedding_model=settings.embedding_model,
            models=settings.models,
        )
        self._entries: dict[tuple[str, str], Entry] = {}
        self._stopping: dict[str, EarlyStopping] = {}
        self._canaries = CanaryWatches()
        self.plan = Plan()
        terms = DispatchTerms(
            run_id=run_id,
            settings=settings,
            store=store,
            clock=clock,
            secret=secret,
            panels=self._panels,
            stop=self._stop,
            slots=allowance.slots,
            ended=ended,
        )
        self._dispatching = Dispatching(self._entries, terms)
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

    def start(
        self,
        plan: Plan,
        announce: Callable[[PlannedCalls], None] | None = None,
        *,
        anew: Collection[tuple[str, str]] = (),
    ) -> None:
        """Look up every verdict in bulk and begin to judge the rest, in the plan's order.

        ``announce`` hears what is about to be asked before the first call. ``anew``
        holds suite and member id of sessions to ask about again where their
        verdict is stored whole.
        """
        self.plan = plan
        self._begin()
        with paused(sum(len(one.sessions) for one in plan.suites)):
            self._start(announce, anew)

    def _start(
        self,
        announce: Callable[[PlannedCalls], None] | None,
        anew: Collection[tuple[str, str]],
    ) -> None:
        entries = self._looked_up(self.plan)
        for entry in entries:
            if entry.place in anew and entry.is_stored:
                entry.stored = {}
            self._entries[entry.place] = entry
        set_statuses(entries, self._store)
        if announce is not None and (entries or len(self._canaries)):
            announce(self._planned(entries, most=_MEASURED))
        # First: no budget and no early stop may come before the check.
        self._canaries.submit(self._dispatching.opened, self._source)
        self._submit([e for e in entries if e.plan.suite.name not in self._stopping])
        for name, stopping in self._stopping.items():
            self._submit_part(name, stopping.first)

    def estimate(self, plan: Plan) -> PlannedCalls:
        """Return what judging the plan would ask and take; nobody is asked and nothing kept."""
        return self._planned(self._looked_up(plan), most=None)

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
    def asked(self) -> frozenset[tuple[str, str]]:
        """Suite and member id of the sessions that somebody is asked about."""
        return frozenset(place for place, entry in self._entries.items() if entry.ticket)

    @property
    def runs_others_code(self) -> bool:
        """Whether Python judges of somebody else's are being asked."""
        return self._dispatching.runs_others_code

    @property
    def looks(self) -> dict[str, ReachedLook]:
        """How far the suites went that are judged look by look, by name."""
        return {name: stopping.reached for name, stopping in self._stopping.items()}

    def consumed(self, suite: str, member_id: str) -> None:
        """Note that the session's item has reported: judging may go further ahead."""
        self._dispatching.consumed(self._entries[suite, member_id])

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
            entry = Entry.of(plan, planned, self.panel(suite))
            look_up([entry], self._store)
            self._entries[suite.name, member.id] = entry
            redacted = partial(
                self._source.redact, transcript, suite=suite.name, policy=suite.redaction
            )
            self._submit([entry], load=redacted)
            return self.result(suite.name, member.id)

    def wait_for_canaries(self, tick: Callable[[Progress], None] | None = None) -> None:
        """Return once every canary was judged: no item waits for them."""
        self._canaries.collect(self._dispatching.dispatcher, tick=tick)

    def stop(self, reason: str) -> None:
        """Ask no further question; what is in flight is kept if it arrives. Never waits."""
        self._dispatching.stop(reason)

    def drain(self, timeout_s: float) -> None:
        """Wait, once stopped, for what is in flight; results had before say *skipped* still."""
        self._dispatching.close(drain_s=timeout_s)

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
            self._canaries.collect(self._dispatching.dispatcher)
        self.stop("the run ended before its turn")
        self._dispatching.close()
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
        return labels_of(self.plan, self._store)

    def keep(self, run: Run) -> None:
        """Keep a finished run in the store; raises ``StoreError``."""
        if self.running:
            self._store.finish_run(run, state="interrupted" if run.interrupted else "done")

    def judge_noise(self, suite: SuiteRun) -> dict[str, float]:
        """Return the judge's own spread in points by axis, where it was measured on the suite."""
        return self._store.noise(suite.suite, suite.rubric_version, suite.judge.version)

    def close_judges(self) -> None:
        """Release the judges; the store stays open."""
        self._stop.set()
        self._panels.close()

    def close(self) -> None:
        """Release judges and store."""
        self.close_judges()
        self._store.close()

    # -- inside ------------------------------------------------------------------

    def _result(self, entry: Entry, tick: Callable[[Progress], None] | None) -> SessionResult:
        if entry.result is None:
            entry.result = result_of(
                entry.plan.suite,
                entry.planned.member.session,
                entry.verdict(self._dispatching.arrived(entry, tick), self._clock()),
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
            self._dispatching.consumed(entry)  # its item may be the last to ask

    def _submit_part(self, suite: str, members: Sequence[str]) -> list[Entry]:
        """Have a part of a suite judged, unless that was begun already; return its sessions."""
        entries = [self._entries[suite, member_id] for member_id in members]
        self._submit([entry for entry in entries if entry.ticket is None])
        return entries

    def _so_far(self, plan: SuitePlan) -> SuiteRun:
        """Return a suite's part of the run as it is while it is under way."""
        self._canaries.collect(self._dispatching.dispatcher, plan.suite.name)
        return assemble_suite(self._tally(plan, lambda _suite, _member: True), root=self._root)

    def _looked_up(self, plan: Plan) -> list[Entry]:
        """Return the plan's sessions with what is stored of them, and how they are judged."""
        store = None if self._settings.fresh else self._store
        entries = looked_up(plan, self.panel, store)
        if not self._settings.for_baseline:
            found = {one.suite.name: EarlyStopping.of(one) for one in plan.suites}
            self._stopping = {name: one for name, one in found.items() if one is not None}
        if not self._settings.offline:
            self._canaries = CanaryWatches.of(
                plan, self.panel, for_baseline=self._settings.for_baseline
            )
        return entries

    def _planned(self, entries: Sequence[Entry], *, most: int | None) -> PlannedCalls:
        return planned_with_estimate(
            entries,
            self._settings,
            self._source.peek,
            embedded=self._panels.are_embedded,
            at_most=bool(self._stopping),
            canaries=self._canaries,
            most=most,
        )

    def _begin(self) -> None:
        with self._opening:
            if not self.running:
                self.running = True
                self._started_at = self._clock()
                self._store.start_run(self.run_id, self._started_at)

    def _submit(
        self, entries: Sequence[Entry], load: Callable[[], Transcript] | None = None
    ) -> None:
        """Have judged what of the entries is not stored."""
        entries = [] if self._settings.offline else [e for e in entries if not e.is_stored]
        if not entries:
            return
        self._store.put_sessions([entry.planned.member.session for entry in entries])
        read = self._source.load
        tickets = [
            entry.ask(load or partial(read, entry.planned.member, entry.redaction))
            for entry in entries
        ]
        self._dispatching.opened().submit(tickets)

    def _spent(self, plan: SuitePlan) -> CallCount:
        """Return what was asked about the suite's sessions, whether or not they reported."""
        entries = (self._entries.get((plan.suite.name, one.member.id)) for one in plan.sessions)
        tickets = [entry.ticket for entry in entries if entry is not None and entry.ticket]
        return self._dispatching.spent([*tickets, *self._canaries.ticket_ids(plan.suite.name)])

    def _tally(self, plan: SuitePlan, reported: Callable[[str, str], bool]) -> SuiteTally:
        results = []
        for planned in plan.sessions:
            member = planned.member
            entry = self._entries.get((plan.suite.name, member.id))
            result = entry.result if entry is not None else None
            if result is None or not reported(plan.suite.name, member.id):
                status = "pending" if entry is None else entry.status
                result = not_run_result(member.session, nodeid=planned.nodeid, status=status)
            results.append(result)
        return SuiteTally(
            plan=plan,
            canaries=self._canaries.results(plan.suite.name),
            panel=self.panel(plan.suite),
            results=tuple(results),
            spent=self._spent(plan),
            redacted=self._source.redacted(plan.suite.name),
            readers=self._source.readers,
        )
