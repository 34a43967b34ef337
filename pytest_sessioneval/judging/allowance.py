"""What several dispatchers may take together: questions in flight, calls and money."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_sessioneval.judging.budget import CallBudget

__all__ = ["Allowance", "Slots"]


class Slots:
    """At most ``count`` questions in flight, from any thread of any number of dispatchers."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, stop: threading.Event) -> Iterator[bool]:
        """Hold a slot while the block runs, waiting for one; False: ``stop`` was set meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._free > 0 or stop.is_set())
            granted = not stop.is_set()
            self._free -= granted
        try:
            yield granted
        finally:
            with self._changed:
                self._free += granted
                self._changed.notify()

    def stopped(self) -> None:
        """Let those who wait look at their ``stop`` again."""
        with self._changed:
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What runs that go on at once share."""

    slots: Slots
    budget: CallBudget
