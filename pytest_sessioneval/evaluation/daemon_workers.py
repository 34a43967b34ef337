"""A few threads that work off a queue, and that never keep the process from ending."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["DaemonWorkers"]

_T = TypeVar("_T")
_Task = tuple[Future[Any], Callable[[], Any]]
_URGENT, _ORDINARY = 0, 1


class DaemonWorkers:
    """Runs what is submitted in the order it came, at most ``count`` at once; the urgent first.

    The standard library's executor waits for its threads when the process ends:
    a judge that does not answer would hold it for minutes.
    """

    def __init__(self, count: int, *, name: str) -> None:
        self._tasks: queue.PriorityQueue[tuple[int, int, _Task | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._closing = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many wait for their turn, about."""
        return self._tasks.qsize()

    def submit(self, task: Callable[[], _T], *, urgent: bool = False) -> Future[_T]:
        """Return what the task will give; cancelled where the workers are closed.

        What is urgent comes before all that waits and is not.
        """
        future: Future[_T] = Future()
        with self._closing:
            if self._closed:
                future.cancel()
            else:
                place = _URGENT if urgent else _ORDINARY
                self._tasks.put((place, next(self._numbers), (future, task)))
        return future

    def close(self, timeout_s: float) -> bool:
        """Cancel what waits; return whether what was running has ended within the time."""
        with self._closing:
            self._closed = True
            with suppress(queue.Empty):
                while (waiting := self._tasks.get_nowait()[2]) is not None:
                    waiting[0].cancel()
            for _ in self._threads:
                self._tasks.put((_ORDINARY, next(self._numbers), None))
        for thread in self._threads:
            thread.join(timeout_s / len(self._threads))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (taken := self._tasks.get()[2]) is not None:
            future, task = taken
            if not future.set_running_or_notify_cancel():
                continue
            # The boundary around a task: whoever waits for it gets what it raised.
            try:
                future.set_result(task())
            except BaseException as error:  # noqa: BLE001
                future.set_exception(error)
