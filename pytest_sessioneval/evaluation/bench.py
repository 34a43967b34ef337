"""Judging on behalf of an exam: sessions of a suite, and sessions that are in no file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pytest_sessioneval.evaluation.evaluation import Evaluation
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.panels import JudgeOpener
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.evaluation.provenance import new_run_id, provenance
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.settings import EvaluationSettings, PlannedCalls
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.redaction import SECRETS
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.transcripts.registry import Registry
from pytest_sessioneval.verdicts.model import CallCount, Verdict
from pytest_sessioneval.verdicts.run import JudgeIdentity, Sources

__all__ = ["Bench", "MadeSource", "Part"]


class MadeSource(TranscriptSource):
    """Gives transcripts that were made rather than read, by member id; redacted already."""

    def __init__(self, registry: Registry, made: Mapping[str, Transcript]) -> None:
        super().__init__(registry)
        self._made = made

    def load(self, member: Member, policy: RedactionPolicy = SECRETS) -> Transcript:  # noqa: ARG002
        """Return the member's transcript, as it was made."""
        return self._made[member.id]


@dataclass(frozen=True, slots=True)
class Part:
    """Sessions to be judged by one suite's panel."""

    suite: Suite
    members: Sequence[Member]


@dataclass(slots=True)
class Bench:
    """Judges parts one after another, within one budget of calls."""

    open_judge: JudgeOpener
    root: Path
    clock: Callable[[], datetime]
    announce: Callable[[PlannedCalls], None]
    settings: EvaluationSettings
    """How to go about it; ``max_calls`` is the budget of all parts together."""
    spent: CallCount = field(default_factory=CallCount)

    def identity(self, suite: Suite, store: Store, source: TranscriptSource) -> JudgeIdentity:
        """Return who judges the suite; nothing is asked. Closes the store."""
        evaluation = self._evaluation(store, source)
        try:
            return evaluation.panel(suite).identity()
        finally:
            evaluation.close()

    def verdicts(
        self, parts: Sequence[Part], store: Store, source: TranscriptSource
    ) -> dict[tuple[str, str], Verdict]:
        """Return the verdicts by suite's name and member's id, from the store or judged now.

        Closes the store. What a budget did not reach is *skipped* in them.
        """
        evaluation = self._evaluation(store, source)
        plans = tuple(
            SuitePlan(
                suite=part.suite,
                sessions=tuple(PlannedSession(member=member) for member in part.members),
                sources=Sources(sessions=len(part.members)),
            )
            for part in parts
        )
        found: dict[tuple[str, str], Verdict] = {}
        try:
            evaluation.start(Plan(suites=plans, partial="judge-check"), self.announce)
            for plan in plans:
                for planned in plan.sessions:
                    name, member = plan.suite.name, planned.member.id
                    verdict = evaluation.result(name, member).verdict
                    evaluation.consumed(name, member)
                    if verdict is not None:
                        found[name, member] = verdict
            run = evaluation.finish(
                provenance=provenance(self.root), reported=lambda _suite, _member: True
            )
            evaluation.keep(run)
            for suite in run.suites:
                self.spent += suite.spent
        finally:
            evaluation.stop("judge-check was broken off")
            evaluation.close()
        return found

    def _evaluation(self, store: Store, source: TranscriptSource) -> Evaluation:
        now = self.clock()
        most = self.settings.max_calls
        left = None if most is None else max(most - self.spent.calls, 0)
        return Evaluation(
            settings=replace(self.settings, max_calls=left),
            store=store,
            source=source,
            open_judge=self.open_judge,
            run_id=new_run_id(now),
            root=self.root,
            clock=self.clock,
            secret=secrets.token_bytes(16),
        )
