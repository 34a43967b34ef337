"""How many calls a run may make; reserved before each, so that the cap holds."""

from __future__ import annotations

import threading

from pytest_sessioneval.errors import JudgeError

__all__ = ["BudgetSpentError", "CallBudget"]


class BudgetSpentError(JudgeError):
    """The run's calls are spent: the session is skipped, the run incomplete."""


class CallBudget:
    """Hands out calls, from any thread, until the limit; ``limit`` None: without end."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._made = 0

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
                    "raise --sessioneval-max-calls, or run again: what was judged is kept"
                )
            self._made += 1
