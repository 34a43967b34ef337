"""Says that this process is at its jobs, and looks after those that processes left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.evaluation.process_locks import Owner, is_gone
from pytest_sessioneval.reports.writing import prepare_folder
from pytest_sessioneval.stores.job_values import INTERRUPTED, JobStore

__all__ = ["JobWatch"]

_log = logging.getLogger(__name__)
_JOIN_S = 2.0


class JobWatch:
    """Looks once when it is made, and then now and then in a thread of its own.

    A job whose process has ended fails as ``interrupted``. Raises ``StoreError``.
    """

    def __init__(self, jobs: JobStore, out: Path, clock: Callable[[], datetime]) -> None:
        self._jobs = jobs
        self._clock = clock
        self._lost: dict[str, str] = {}
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        prepare_folder(out)
        self._owner = Owner(out / "processes")
        try:
            self._look()
        except BaseException:
            self._owner.release()
            raise

    @property
    def owner(self) -> str:
        """What the store calls this process."""
        return self._owner.name

    def start(self, every_s: float, then: Callable[[], None]) -> None:
        """Look every so often from now on, and call ``then`` each time."""
        self._thread = threading.Thread(
            target=self._keep_looking, args=(every_s, then), name="sessioneval-alive", daemon=True
        )
        self._thread.start()

    def give_up(self, job_id: str, error: str) -> None:
        """Note why a job failed; where the store cannot be written, when it can again."""
        try:
            self._jobs.fail([job_id], error, self._clock())
        except StoreError as broken:
            if not self._closed.is_set():
                _log.warning("%s", broken)
                self._lost[job_id] = error

    def stop(self) -> None:
        """Look no more."""
        self._closed.set()

    def leave(self) -> list[str]:
        """Interrupt what this process has not finished, and say that it is gone; return its jobs.

        Raises ``StoreError``, and is gone all the same.
        """
        self.stop()
        try:
            mine = [job.job_id for job in self._jobs.unfinished() if job.owner == self.owner]
            self._jobs.fail(mine, INTERRUPTED, self._clock())
            if self._thread is not None:
                self._thread.join(_JOIN_S)
        finally:
            self._owner.release()
        return mine

    def _keep_looking(self, every_s: float, then: Callable[[], None]) -> None:
        while not self._closed.wait(every_s):
            try:
                self._look()
                then()
            except StoreError as error:
                _log.warning("%s", error)

    def _look(self) -> None:
        """Say that this process lives, and bring in order what it or others left."""
        now = self._clock()
        unfinished = self._jobs.unfinished()
        if any(job.owner == self.owner for job in unfinished):
            self._jobs.seen(self.owner, now)
        heard: dict[str, datetime] = {}
        for job in unfinished:
            if job.owner != self.owner:
                heard[job.owner] = max(job.seen_at, heard.get(job.owner, job.seen_at))
        gone = {owner for owner, at in heard.items() if is_gone(owner, at, now)}
        self._jobs.fail([job.job_id for job in unfinished if job.owner in gone], INTERRUPTED, now)
        for job_id, error in list(self._lost.items()):
            self._jobs.fail([job_id], error, now)
            del self._lost[job_id]
