"""Dispatch: questions judged ahead of the items that wait for them.

Threads with synchronous clients: on 500 calls at 50 ms with 32 in flight a
bare pool of threads measured 1.10 s and an asynchronous client 1.42 s
(docs/decisions/0002-threads.md). Threads are daemons: leaving never waits for
a judge.

The life of a ticket (one session): *queued* until it enters the look-ahead
window or an item waits for it; its questions are then answered by the workers;
the writer keeps the opinions in batches, and only then is the ticket *done*,
so that an item never reports what a crash could lose.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce

from pytest_sessioneval.judging.allowance import Slots
from pytest_sessioneval.judging.answering import Answering, Ticket, is_answer
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import CallCount, Opinion

__all__ = ["Dispatcher", "Progress"]

_BATCH = 50
_TICK_S = 0.1
_STOPPED = "the run was stopped"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far judging is, at one moment; counts of sessions."""

    total: int
    done: int
    in_flight: int
    retried: int
    """Requests repeated so far, by the opinions that have arrived."""


@dataclass(slots=True)
class _Job:
    """A ticket under way."""

    ticket: Ticket
    done: threading.Event = field(default_factory=threading.Event)
    opinions: list[Opinion | None] = field(default_factory=list)
    missing: int = 0
    started: bool = False
    consumed: bool = False
    skipped: str = ""
    waiting: dict[int, list[int]] = field(default_factory=dict)
    """Questions that wait for the first one of the same judge, by the judge's identity."""
    reading: threading.Lock = field(default_factory=threading.Lock)
    transcript: Transcript | None = None
    unreadable: BaseException | None = None

    @classmethod
    def of(cls, ticket: Ticket) -> _Job:
        """Return the ticket's job, nothing answered yet."""
        count = len(ticket.questions)
        return cls(ticket, opinions=[None] * count, missing=count)

    def leaders(self) -> list[int]:
        """Return the questions to ask at once; the others wait for one of their judge's.

        What a session's experts are shown begins alike, and a provider reads it
        from its cache once it has answered about it. So the first question goes
        ahead, where the judge gains by that.
        """
        first: list[int] = []
        for position, question in enumerate(self.ticket.questions):
            judge = question.seat.judge
            if judge.shares_prefix and id(judge) in self.waiting:
                self.waiting[id(judge)].append(position)
            else:
                self.waiting[id(judge)] = []
                first.append(position)
        return first

    def followers(self, position: int) -> list[int]:
        """Return the questions that waited for this one to be answered, or to fail."""
        return self.waiting.pop(id(self.ticket.questions[position].seat.judge), [])

    def read(self) -> Transcript:
        """Return the transcript; raises what reading it raised, without reading it again."""
        with self.reading:
            if self.unreadable is not None:
                raise self.unreadable
            if self.transcript is None:
                try:
                    self.transcript = self.ticket.load()
                except BaseException as error:
                    self.unreadable = error
                    raise
            return self.transcript


class Dispatcher:
    """Answers tickets with at most ``concurrency`` questions in flight.

    ``keep`` makes a batch of (ticket, opinion) durable and is called from one
    thread only; when it raises, every wait raises the same error. Opinions that
    are no answer (failed, declined, skipped) are not kept: the next run asks
    again. ``lookahead`` bounds how many sessions may be started and not yet
    consumed. ``slots`` are shared with other dispatchers; None: it has its own.
    ``ended`` hears, from any thread, the id of each ticket that need not be
    waited for any more; of one that was stopped it may hear twice.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        lookahead: int,
        keep: Callable[[Sequence[tuple[Ticket, Opinion]]], None],
        clock: Callable[[], datetime],
        secret: bytes,
        stop: threading.Event,
        slots: Slots | None = None,
        ended: Callable[[str], None] = lambda _ticket_id: None,
    ) -> None:
        self._concurrency = concurrency
        self._slots = slots or Slots(concurrency)
        self._ended = ended
        self._lookahead = max(lookahead, 1)
        self._keep = keep
        self._answering = Answering(clock=clock, secret=secret, stop=stop)
        self._stop = stop
        self._turn = threading.Condition()
        self._jobs: dict[str, _Job] = {}
        self._queued: deque[_Job] = deque()
        self._urgent: deque[_Job] = deque()
        self._open: deque[tuple[_Job, int]] = deque()
        self._answered: queue.SimpleQueue[tuple[_Job, int, Opinion] | None] = queue.SimpleQueue()
        self._workers: list[threading.Thread] = []
        self._ahead = 0
        self._done = 0
        self._in_flight = 0
        self._retried = 0
        self._stopped_for = ""
        self._broken: BaseException | None = None
        self._writer = threading.Thread(
            target=self._keep_answers, name="sessioneval-writer", daemon=True
        )
        self._writer.start()

    def submit(self, tickets: Iterable[Ticket], *, first: bool = False) -> None:
        """Queue tickets, in the order their items will ask for them; once stopped, skip them.

        ``first``: before any that an item comes to wait for.
        """
        ended = []
        with self._turn:
            for ticket in tickets:
                self._jobs[ticket.id] = job = _Job.of(ticket)
                if not job.missing:
                    self._done += 1
                    job.done.set()
                elif self._stop.is_set():
                    job.skipped = self._stopped_for or _STOPPED
                    job.done.set()
                else:
                    self._queued.append(job)
                    if first:
                        self._urgent.append(job)
                    continue
                ended.append(ticket.id)
            self._turn.notify_all()
        self._tell(ended)
        self._hire()

    def wait(
        self, ticket_id: str, tick: Callable[[Progress], None] | None = None
    ) -> tuple[Opinion, ...]:
        """Return the ticket's opinions, in the order of its questions, once they are kept.

        ``tick`` is called a few times a second while there is something to wait
        for. A stopped dispatcher answers with opinions that say *skipped*.
        Raises what ``keep`` raised.
        """
        job = self._jobs[ticket_id]
        with self._turn:
            if not job.started and not job.done.is_set():
                self._urgent.append(job)
                self._turn.notify_all()
        while not job.done.wait(None if tick is None else _TICK_S):
            if tick is not None:
                tick(self.progress())
        if self._broken is not None:
            raise self._broken
        return tuple(
            opinion or self._answering.skipped(job.ticket, position, job.skipped)
            for position, opinion in enumerate(job.opinions)
        )

    def consumed(self, ticket_id: str) -> None:
        """Note that the ticket's item has reported: the window moves on."""
        with self._turn:
            job = self._jobs[ticket_id]
            if not job.consumed:
                job.consumed = True
                if job.started:
                    self._ahead -= 1
                    self._turn.notify()

    def stop(self, reason: str) -> None:
        """Start no new question; what is in flight is kept if it arrives. Never waits."""
        self._stop.set()
        ended = []
        with self._turn:
            self._stopped_for = self._stopped_for or reason
            for job in self._jobs.values():
                if not job.done.is_set():
                    job.skipped = reason
                    job.done.set()
                    ended.append(job.ticket.id)
            self._queued.clear()
            self._urgent.clear()
            self._open.clear()
            self._turn.notify_all()
        self._slots.stopped()
        self._tell(ended)

    def drain(self, timeout_s: float) -> None:
        """Wait, once stopped, for the questions in flight; what they gave is kept at the close."""
        deadline = time.monotonic() + timeout_s
        with self._turn:
            workers = tuple(self._workers)
        for worker in workers:
            worker.join(max(deadline - time.monotonic(), 0))

    def close(self, timeout_s: float) -> None:
        """Let the writer keep what has arrived; waits for it, but for no judge."""
        self._stop.set()
        with self._turn:
            self._turn.notify_all()
        self._answered.put(None)
        self._writer.join(timeout_s)

    def progress(self) -> Progress:
        """Return how far judging is."""
        with self._turn:
            return Progress(len(self._jobs), self._done, self._in_flight, self._retried)

    def spent(self, ticket_id: str) -> CallCount:
        """Return what the ticket's opinions that have arrived took, whoever waited for them."""
        with self._turn:
            arrived = [opinion.spent for opinion in self._jobs[ticket_id].opinions if opinion]
        return reduce(CallCount.__add__, arrived, CallCount())

    # -- workers ---------------------------------------------------------------

    def _hire(self) -> None:
        """Start as many workers as the questions can use, up to the limit."""
        with self._turn:
            queued = sum(len(job.ticket.questions) for job in self._queued)
            wanted = queued + len(self._open) + self._in_flight
            lacking = min(self._concurrency, wanted) - len(self._workers)
            hired = [
                threading.Thread(target=self._work, name=f"sessioneval-judge-{n}", daemon=True)
                for n in range(max(lacking, 0))
            ]
            self._workers.extend(hired)
            # Within their turn: one that judged already would hold up the start of the next.
            for worker in hired:
                worker.start()

    def _work(self) -> None:
        while (claim := self._claim()) is not None:
            job, position = claim
            with self._slots.taken(self._stop) as granted:
                if granted:
                    opinion = self._answering.opinion(job.ticket, position, job.read)
                else:
                    why = self._stopped_for or _STOPPED
                    opinion = self._answering.skipped(job.ticket, position, why)
            with self._turn:
                self._in_flight -= 1
                followers = job.followers(position)
                if followers and not self._stop.is_set():
                    # Ahead of other sessions: a provider's cache forgets in minutes.
                    self._open.extendleft((job, each) for each in reversed(followers))
                    self._turn.notify(len(followers))
            self._answered.put((job, position, opinion))

    def _claim(self) -> tuple[_Job, int] | None:
        with self._turn:
            while not self._stop.is_set():
                if self._open or self._admit():
                    self._in_flight += 1
                    return self._open.popleft()
                self._turn.wait()
            return None

    def _admit(self) -> bool:
        """Open the next session's questions: one an item waits for, else the next in the window."""
        while self._urgent or (self._queued and self._ahead < self._lookahead):
            job = self._urgent.popleft() if self._urgent else self._queued.popleft()
            if job.started:
                continue
            job.started = True
            if not job.consumed:
                self._ahead += 1
            first = job.leaders()
            self._open.extend((job, position) for position in first)
            self._turn.notify(len(first))
            return True
        return False

    # -- writer ----------------------------------------------------------------

    def _keep_answers(self) -> None:
        while (first := self._answered.get()) is not None:
            batch, last = [first], False
            while len(batch) < _BATCH and not self._answered.empty():
                following = self._answered.get()
                if following is None:
                    last = True
                    break
                batch.append(following)
            if not self._keep_batch(batch) or last:
                return

    def _keep_batch(self, batch: Sequence[tuple[_Job, int, Opinion]]) -> bool:
        try:
            kept = [(job.ticket, opinion) for job, _, opinion in batch if is_answer(opinion)]
            if kept:
                self._keep(kept)
        # The boundary around the store: it is broken for every item, so every
        # wait must raise it instead of hanging in a thread nobody joins.
        except Exception as error:  # noqa: BLE001
            self._break(error)
            return False
        ended = []
        with self._turn:
            for job, position, opinion in batch:
                job.opinions[position] = opinion
                job.missing -= 1
                self._retried += opinion.spent.retries
                if job.missing == 0:
                    job.transcript = None
                    self._done += 1
                    job.done.set()
                    ended.append(job.ticket.id)
        self._tell(ended)
        return True

    def _tell(self, ticket_ids: Iterable[str]) -> None:
        for ticket_id in ticket_ids:
            self._ended(ticket_id)

    def _break(self, error: BaseException) -> None:
        self._broken = error
        self.stop("the store is broken")
