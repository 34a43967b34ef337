"""Canaries in a run: frozen sessions that a judge is asked about each time, and that never count.

What a person could change about the suite is not shown with them (profiles,
expectations, thumbs), so that nothing but the judge can move their scores.
Their answers are never taken from the store nor kept in it: a provider that
changes a model under the same name changes no verdict key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.plan import Plan, SuitePlan
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.gate.model import Versions
from pytest_sessioneval.judging.answering import Ticket
from pytest_sessioneval.judging.dispatch import Dispatcher, Progress
from pytest_sessioneval.judging.panel import SCORING_VERSION, Panel, Question, combine
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.verdicts.model import Opinion
from pytest_sessioneval.verdicts.run import SessionResult

__all__ = ["CanaryWatch", "CanaryWatches"]


class CanaryWatch:
    """The canaries of one suite's part of a run; ``results`` is empty until they are collected."""

    def __init__(self, plan: SuitePlan, panel: Panel) -> None:
        settings = plan.suite.settings.model_copy(update={"expect": ()})
        bare = plan.suite.model_copy(update={"profiles": {}, "settings": settings})
        self._panel = replace(panel, suite=bare, feedback={})
        self._asked: tuple[tuple[Member, tuple[Question, ...]], ...] = tuple(
            (member, self._panel.questions(member.session)) for member in plan.canaries
        )
        self.results: tuple[SessionResult, ...] = ()
        """How each was judged, in file order."""

    @classmethod
    def of(cls, plan: SuitePlan, panel: Panel, *, for_baseline: bool) -> CanaryWatch | None:
        """Return the suite's canaries; None where nothing would be made of their scores.

        That is without any, and where neither a baseline is written nor one can be
        compared with.
        """
        if not plan.canaries:
            return None
        today = Versions(rubric=panel.rubric_version, judge=panel.version, scoring=SCORING_VERSION)
        comparable = any(
            baseline.canaries and baseline.versions == today for baseline in plan.baselines.values()
        )
        return cls(plan, panel) if for_baseline or comparable else None

    def __len__(self) -> int:
        """Return how many canaries there are."""
        return len(self._asked)

    @property
    def asked(self) -> tuple[tuple[Panel, Member, tuple[Question, ...]], ...]:
        """What is asked about each, and by whom."""
        return tuple((self._panel, member, questions) for member, questions in self._asked)

    @property
    def ticket_ids(self) -> tuple[str, ...]:
        """What names them to the dispatcher; no session of the suite has such a name."""
        return tuple(_ticket_id(member) for member, _ in self._asked)

    def tickets(self, source: TranscriptSource) -> tuple[Ticket, ...]:
        """Return what the dispatcher is to ask."""
        return tuple(
            Ticket(
                id=_ticket_id(member),
                session_id=member.session.session_id,
                digest=member.session.summary.digest,
                panel=self._panel,
                questions=asked,
                load=partial(source.load, member, self._panel.suite.redaction),
            )
            for member, asked in self._asked
        )

    def collect(self, wait: Callable[[str], Sequence[Opinion]]) -> None:
        """Fill ``results``; ``wait`` returns a ticket's opinions once they have arrived."""
        self.results = tuple(
            SessionResult(
                session=member.session,
                state="passed",
                verdict=combine(
                    self._panel.suite.rubric,
                    member.session,
                    wait(_ticket_id(member)),
                    from_store=False,
                ),
            )
            for member, _ in self._asked
        )


class CanaryWatches:
    """The canaries of all suites of a run that are judged in it."""

    def __init__(self, watches: Mapping[str, CanaryWatch] | None = None) -> None:
        self._watches = dict(watches or {})

    @classmethod
    def of(
        cls, plan: Plan, panel: Callable[[Suite], Panel], *, for_baseline: bool
    ) -> CanaryWatches:
        """Return the canaries that ``CanaryWatch.of`` finds worth asking about."""
        found = {
            one.suite.name: CanaryWatch.of(one, panel(one.suite), for_baseline=for_baseline)
            for one in plan.suites
        }
        return cls({name: watch for name, watch in found.items() if watch is not None})

    def __len__(self) -> int:
        """Return how many canaries there are in all."""
        return sum(map(len, self._watches.values()))

    @property
    def asked(self) -> tuple[tuple[Panel, Member, tuple[Question, ...]], ...]:
        """What is asked about each of all, and by whom."""
        return tuple(one for watch in self._watches.values() for one in watch.asked)

    def submit(self, dispatcher: Callable[[], Dispatcher], source: TranscriptSource) -> None:
        """Have them judged; ``dispatcher`` is asked for only where there are some."""
        for watch in self._watches.values():
            dispatcher().submit(watch.tickets(source), first=True)
            for ticket in watch.ticket_ids:
                dispatcher().consumed(ticket)  # no item waits for them

    def collect(
        self,
        dispatcher: Dispatcher | None,
        suite: str | None = None,
        tick: Callable[[Progress], None] | None = None,
    ) -> None:
        """Wait for the canaries of one suite, or of all; ``tick`` as for ``Dispatcher.wait``."""
        for name, watch in self._watches.items():
            if suite in (None, name) and not watch.results and dispatcher is not None:
                with suppress(StoreError):  # the session that could not be kept says so
                    watch.collect(partial(dispatcher.wait, tick=tick))

    def results(self, suite: str) -> tuple[SessionResult, ...]:
        """Return how a suite's canaries were judged, once they were collected."""
        watch = self._watches.get(suite)
        return () if watch is None else watch.results

    def ticket_ids(self, suite: str) -> tuple[str, ...]:
        """Return what names a suite's canaries to the dispatcher."""
        watch = self._watches.get(suite)
        return () if watch is None else watch.ticket_ids


def _ticket_id(member: Member) -> str:
    return f"{member.session.suite}\n\n{member.id}"
