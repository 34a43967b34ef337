"""How many calls a run may make, and for how much; taken before each, so that the caps hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_sessioneval.errors import JudgeError

__all__ = ["Bill", "BudgetSpentError", "CallBudget", "CostBudget"]


class BudgetSpentError(JudgeError):
    """The run's calls or money are spent: the session is skipped, the run incomplete."""


@dataclass(slots=True)
class Bill:
    """What a call turned out to cost."""

    paid: float = 0.0
    """US dollars; 0 until it is known, and where the call failed."""


class CostBudget:
    """Sets money aside for calls, from any thread, until the limit; None: without end."""

    def __init__(self, limit_usd: float | None = None) -> None:
        self._limit = limit_usd
        self._changed = threading.Condition()
        self._paid = self._set_aside = 0.0
        self._calls = 0

    @property
    def is_limited(self) -> bool:
        """Whether there is a cap at all."""
        return self._limit is not None

    @property
    def paid(self) -> float:
        """US dollars that finished calls took."""
        return self._paid

    @contextmanager
    def reserved(self, at_most: float) -> Iterator[Bill]:
        """Set aside the most that a call can cost while it is made; then count what it did cost.

        Where that is more than is left, waits for calls under way, which seldom
        take all that was set aside for them; raises ``BudgetSpentError`` when it
        is more than is left all the same.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._fits(at_most) or not self._calls)
            if not self._fits(at_most):
                # No amounts that differ from call to call: reports group by this sentence.
                raise BudgetSpentError(
                    f"the budget of ${self._limit:g} is spent but for less than another call may "
                    "cost; raise it (--sessioneval-max-cost, or --max-cost of a command), or run "
                    "again: what was judged is kept"
                )
            self._set_aside += at_most
            self._calls += 1
        bill = Bill()
        try:
            yield bill
        finally:
            with self._changed:
                self._calls -= 1
                self._set_aside = self._set_aside - at_most if self._calls else 0.0
                self._paid += bill.paid
                self._changed.notify_all()

    def _fits(self, at_most: float) -> bool:
        return self._limit is None or self._paid + self._set_aside + at_most <= self._limit


class CallBudget:
    """Hands out calls, from any thread, until the limit; ``limit`` None: without end."""

    def __init__(self, limit: int | None = None, cost: CostBudget | None = None) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._made = 0
        self.cost = cost or CostBudget()
        """What they may cost."""

    @property
    def made(self) -> int:
        """Calls handed out so far."""
        return self._made

    def reserve(self) -> None:
        """Take one call; raises ``BudgetSpentError`` when none is left."""
        with self._lock:
            if self._limit is not None and self._made >= self._limit:
                raise BudgetSpentError(
                    f"the budget of {self._limit} judge calls is spent; "
                    "raise it (--sessioneval-max-calls, or --max-calls of a command), or run "
                    "again: what was judged is kept"
                )
            self._made += 1
