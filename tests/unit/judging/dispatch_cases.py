"""A dispatcher under test: tickets, a judge that a test holds back, and what was kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from judging_cases import SESSION
from panel_cases import NOW, OUTCOME, panel, session, suite
from scripted_judge import PATIENCE_S, HeldJudge, ScriptedJudge

from pytest_sessioneval.judging.allowance import Slots
from pytest_sessioneval.judging.answering import Ticket
from pytest_sessioneval.judging.dispatch import Dispatcher
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.verdicts.model import Opinion, Unscored

ResultT = TypeVar("ResultT")


@dataclass
class Kept:
    """What a dispatcher made durable; ``keep`` can be held back and can be made to fail."""

    batches: list[list[tuple[str, Opinion]]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    error: Exception | None = None
    entered: threading.Event = field(default_factory=threading.Event)
    """Set when something is being kept."""
    proceed: threading.Event = field(default_factory=threading.Event)
    """Keeping waits for it; set from the beginning."""
    arrived: threading.Event = field(default_factory=threading.Event)
    """Set when something has been kept."""

    def __post_init__(self) -> None:
        self.proceed.set()

    def __call__(self, batch: Sequence[tuple[Ticket, Opinion]]) -> None:
        """Keep a batch."""
        self.entered.set()
        assert self.proceed.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        self.threads.add(threading.current_thread().name)
        self.batches.append([(ticket.id, opinion) for ticket, opinion in batch])
        self.arrived.set()

    @property
    def sessions(self) -> list[str]:
        """The tickets whose opinions were kept, once per opinion, sorted."""
        return sorted(name for batch in self.batches for name, _ in batch)


@contextmanager
def dispatching(
    judge: ScriptedJudge,
    *,
    concurrency: int = 4,
    lookahead: int = 100,
    kept: Kept | None = None,
    stop: threading.Event | None = None,
    slots: Slots | None = None,
    ended: Callable[[str], None] = lambda _ticket_id: None,
) -> Iterator[Dispatcher]:
    """Give a dispatcher; at the end nothing is left running."""
    keeping = kept or Kept()
    dispatcher = Dispatcher(
        concurrency=concurrency,
        lookahead=lookahead,
        keep=keeping,
        clock=lambda: NOW,
        secret=b"secret",
        stop=stop or threading.Event(),
        slots=slots,
        ended=ended,
    )
    try:
        yield dispatcher
    finally:
        if isinstance(judge, HeldJudge):
            judge.release()
        keeping.proceed.set()
        dispatcher.stop("the test is over")
        dispatcher.close(PATIENCE_S)
        for worker in dispatcher._workers:
            worker.join(PATIENCE_S)
            assert not worker.is_alive()


def tickets(
    judge: ScriptedJudge,
    names: Sequence[str],
    *,
    of: Suite | None = None,
    repeats: int = 1,
    **changes: Any,
) -> list[Ticket]:
    """Return a ticket per session, named like it, with all its questions."""
    asked = panel(of or suite(OUTCOME), judge, repeats=repeats)
    return [
        Ticket(
            **{
                "id": name,
                "session_id": name,
                "digest": f"digest of {name}",
                "panel": asked,
                "questions": asked.questions(session(name)),
                "load": lambda: SESSION,
                **changes,
            }
        )
        for name in names
    ]


def one_opinion(answer: Callable[[Case], Answer], **changes: Any) -> Opinion:
    """Return the opinion that this answer becomes."""
    judge = ScriptedJudge(answer)
    with dispatching(judge) as dispatcher:
        dispatcher.submit(tickets(judge, ["s1"], **changes))
        (opinion,) = in_time(dispatcher.wait, "s1")
    return opinion


def in_time(function: Callable[..., ResultT], *arguments: Any) -> ResultT:
    """Return what the function returns; fail instead of hanging for ever."""
    return started(function, *arguments).result(PATIENCE_S)


def started(function: Callable[..., ResultT], *arguments: Any) -> Future[ResultT]:
    """Begin to run the function in a thread of its own."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(function, *arguments)
    pool.shutdown(wait=False)
    return future


def reasons_of(opinions: tuple[Opinion, ...]) -> set[str]:
    """Return the reasons, with their detail, that opinions without any score give."""
    return {
        f"{axis.reason}: {axis.detail}" if isinstance(axis, Unscored) else "scored"
        for opinion in opinions
        for axis in opinion.axes.values()
    }
