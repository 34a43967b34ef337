"""The dispatcher of one evaluation, made when somebody is first asked; it keeps every answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from pytest_sessioneval.evaluation.entries import Entry
from pytest_sessioneval.evaluation.panels import Panels
from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.judging.allowance import Slots
from pytest_sessioneval.judging.answering import Ticket
from pytest_sessioneval.judging.dispatch import Dispatcher, Progress
from pytest_sessioneval.stores.protocol import Store, StoredOpinion
from pytest_sessioneval.verdicts.model import CallCount, Opinion

__all__ = ["DispatchTerms", "Dispatching"]

_CLOSING_S = 10.0


@dataclass(frozen=True, slots=True)
class DispatchTerms:
    """How an evaluation asks."""

    run_id: str
    settings: EvaluationSettings
    store: Store
    clock: Callable[[], datetime]
    secret: bytes
    stop: threading.Event
    slots: Slots
    panels: Panels
    """Whose judges are asked."""
    ended: Callable[[str, str], None] | None = None
    """Hears suite and member id of each session that need not be waited for any more."""


class Dispatching:
    """Asks about sessions; ``entries`` are those of the evaluation, by suite and member id."""

    def __init__(self, entries: Mapping[tuple[str, str], Entry], terms: DispatchTerms) -> None:
        self._entries = entries
        self._terms = terms
        self._opening = threading.Lock()
        self.dispatcher: Dispatcher | None = None
        """None: nobody was asked yet."""

    @property
    def runs_others_code(self) -> bool:
        """Whether Python judges of somebody else's are being asked."""
        return self.dispatcher is not None and self._terms.panels.run_others_code

    def opened(self) -> Dispatcher:
        """Return the dispatcher; from any thread it is made once."""
        with self._opening:
            if self.dispatcher is None:
                self.dispatcher = self._made()
            return self.dispatcher

    def consumed(self, entry: Entry) -> None:
        """Note that the session's item has reported: judging may go further ahead."""
        if entry.ticket is not None and self.dispatcher is not None:
            self.dispatcher.consumed(entry.ticket)

    def arrived(self, entry: Entry, tick: Callable[[Progress], None] | None) -> tuple[Opinion, ...]:
        """Return what was answered about the session in this run, waiting for it."""
        if entry.ticket is None or self.dispatcher is None:
            return ()
        return self.dispatcher.wait(entry.ticket, tick)

    def spent(self, ticket_ids: Iterable[str]) -> CallCount:
        """Return what these tickets took, whether or not somebody waited for them."""
        if self.dispatcher is None:
            return CallCount()
        return reduce(CallCount.__add__, map(self.dispatcher.spent, ticket_ids), CallCount())

    def stop(self, reason: str) -> None:
        """Ask no further question; never waits."""
        self._terms.stop.set()
        if self.dispatcher is not None:
            self.dispatcher.stop(reason)

    def close(self, *, drain_s: float = 0.0) -> None:
        """Keep what has arrived, after waiting that long for what is in flight."""
        if self.dispatcher is not None:
            self.dispatcher.drain(drain_s)
            self.dispatcher.close(_CLOSING_S)

    def _made(self) -> Dispatcher:
        terms, settings = self._terms, self._terms.settings
        # The embedded judge computes: more threads would only contend for the interpreter.
        concurrency = 1 if terms.panels.are_embedded else settings.concurrency
        return Dispatcher(
            concurrency=concurrency,
            lookahead=settings.lookahead or 8 * concurrency,
            keep=self._keep,
            clock=terms.clock,
            secret=terms.secret,
            stop=terms.stop,
            slots=terms.slots,
            ended=self._tell_ended,
        )

    def _tell_ended(self, ticket_id: str) -> None:
        suite, _, member_id = ticket_id.partition("\n")
        if self._terms.ended is not None and (suite, member_id) in self._entries:
            self._terms.ended(suite, member_id)

    def _keep(self, batch: Sequence[tuple[Ticket, Opinion]]) -> None:
        rows = []
        for ticket, opinion in batch:
            suite, _, member_id = ticket.id.partition("\n")
            entry = self._entries.get((suite, member_id))
            if entry is None:  # a canary: what it scored is the run's and the baseline's
                continue
            key = entry.planned.member.session.key
            rows.append(StoredOpinion(suite, key, ticket.session_id, ticket.digest, opinion))
        self._terms.store.put_opinions(self._terms.run_id, rows)
