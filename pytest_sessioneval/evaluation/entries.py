"""A planned session under way: what is stored of it, what is asked, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pytest_sessioneval.evaluation.canaries import CanaryWatches
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.evaluation.settings import PlannedCalls
from pytest_sessioneval.garbage import paused
from pytest_sessioneval.judging.answering import Ticket
from pytest_sessioneval.judging.panel import EMBEDDED, Panel, Question, combine
from pytest_sessioneval.stores.protocol import SessionStatus, Store
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.verdicts.model import Opinion, Unscored, Verdict
from pytest_sessioneval.verdicts.run import SessionResult

__all__ = ["Entry", "look_up", "looked_up", "planned_calls", "set_statuses"]


@dataclass(slots=True)
class Entry:
    """A planned session under way."""

    plan: SuitePlan
    panel: Panel
    planned: PlannedSession
    questions: tuple[Question, ...]
    stored: dict[str, Opinion]
    """Opinions that were there when the run began, by key."""
    status: SessionStatus
    """Whether it was evaluated, pending or stale then."""
    ticket: str | None = None
    """What the dispatcher knows it by; null: nobody is asked about it."""
    result: SessionResult | None = None
    """How it ended, once somebody has waited for it."""

    @classmethod
    def of(cls, plan: SuitePlan, planned: PlannedSession, panel: Panel) -> Entry:
        """Return the session's entry, nothing looked up yet."""
        return cls(plan, panel, planned, panel.questions(planned.member.session), {}, "pending")

    @property
    def place(self) -> tuple[str, str]:
        """What tells it from the others: suite and member id."""
        return self.plan.suite.name, self.planned.member.id

    @property
    def unanswered(self) -> tuple[Question, ...]:
        """The questions whose answer was not stored."""
        return tuple(question for question in self.questions if question.key not in self.stored)

    @property
    def is_stored(self) -> bool:
        """Whether nobody need be asked."""
        return len(self.stored) == len(self.questions)

    @property
    def redaction(self) -> RedactionPolicy:
        """What is replaced before a judge sees the session."""
        return self.plan.suite.redaction

    def ask(self, load: Callable[[], Transcript]) -> Ticket:
        """Return what the dispatcher is to ask; ``load`` reads the transcript, redacted."""
        member = self.planned.member
        self.ticket = f"{self.plan.suite.name}\n{member.id}"
        return Ticket(
            id=self.ticket,
            session_id=member.session.session_id,
            digest=member.session.summary.digest,
            panel=self.panel,
            questions=self.unanswered,
            load=load,
        )

    def verdict(self, arrived: Iterable[Opinion], now: datetime) -> Verdict:
        """Return the panel's verdict from what was stored and what has arrived since.

        A question that nobody answered was not asked: the run is offline.
        """
        answered = self.stored | {opinion.key: opinion for opinion in arrived}
        opinions = [
            answered.get(question.key) or self._not_asked(question, now)
            for question in self.questions
        ]
        return combine(
            self.panel.suite.rubric,
            self.planned.member.session,
            opinions,
            from_store=self.is_stored,
        )

    def _not_asked(self, question: Question, now: datetime) -> Opinion:
        detail = "--sessioneval-offline: its verdict is not in the store; run once without it"
        unscored = Unscored(reason="skipped", detail=detail)
        return Opinion(
            key=question.key,
            expert_id=question.seat.expert.id,
            repeat=question.repeat,
            axes={axis.name: unscored for axis in question.axes},
            judge_model=question.seat.judge.name,
            judge_version=self.panel.version,
            rubric_version=self.panel.rubric_version,
            judged_at=now,
        )


def look_up(entries: Sequence[Entry], store: Store) -> None:
    """Set what is stored of each entry; one bulk question."""
    stored = store.opinions([question.key for entry in entries for question in entry.questions])
    for entry in entries:
        entry.stored = {q.key: stored[q.key] for q in entry.questions if q.key in stored}


def looked_up(plan: Plan, panel: Callable[[Suite], Panel], store: Store | None) -> list[Entry]:
    """Return the plan's sessions, in its order, with what is stored of them; None: nothing."""
    with paused(sum(len(suite_plan.sessions) for suite_plan in plan.suites)):
        entries = [
            Entry.of(suite_plan, planned, seated)
            for suite_plan, seated in [(one, panel(one.suite)) for one in plan.suites]
            for planned in suite_plan.sessions
        ]
        if store is not None:
            look_up(entries, store)
    return entries


def set_statuses(entries: Sequence[Entry], store: Store) -> None:
    """Set whether each session was evaluated, pending or stale; after ``look_up``."""
    unknown: dict[str, dict[str, list[str]]] = {}
    for entry in entries:
        if entry.questions and entry.is_stored:
            entry.status = "evaluated"
            continue
        expected = unknown.setdefault(entry.plan.suite.name, {})
        expected[entry.planned.member.session.key] = [q.key for q in entry.questions]
    for suite, expected in unknown.items():
        found = store.statuses(suite, expected)
        for entry in entries:
            key = entry.planned.member.session.key
            if entry.plan.suite.name == suite and key in expected:
                entry.status = found.get(key, "pending")


def planned_calls(
    entries: Sequence[Entry],
    *,
    offline: bool,
    embedded: bool,
    at_most: bool,
    canaries: CanaryWatches,
) -> PlannedCalls:
    """Return what is about to be asked; after ``look_up``."""
    missing = [entry for entry in entries if not entry.is_stored]
    suites = [entry.plan.suite for entry in missing]
    suites += [panel.suite for panel, _, _ in canaries.asked]
    asked = [question for entry in missing for question in entry.unanswered]
    asked += [question for _, _, questions in canaries.asked for question in questions]
    names = [question.seat.judge.name for question in asked]
    outside = [name for name in names if name != EMBEDDED]
    return PlannedCalls(
        sessions=len(entries),
        unjudged=len(missing),
        calls=0 if offline else len(outside),
        judges=tuple(dict.fromkeys(outside)),
        embedded=embedded,
        at_most=at_most,
        canaries=len(canaries),
        unredacted="off" in {suite.redaction.what for suite in suites},
    )
