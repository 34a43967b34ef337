"""Writes the reports of scoring sessions beside scoring: once for all rows that came meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pytest_sessioneval.evaluation.sample_reports import SampleReports

__all__ = ["ReportWriter"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Due:
    """A session whose report lacks rows."""

    run_id: str
    then: list[Callable[[], None]] = field(default_factory=list)
    """Called once the report has been written, or could not be."""


class ReportWriter:
    """One thread that brings reports up to date.

    A report is written whole. While one is, rows go on being added; the next
    writing holds them all, so that a thousand calls cost few writings. A report
    that cannot be written is tried again with its next row, or on ``retry``.
    """

    def __init__(self, reports: SampleReports) -> None:
        self._reports = reports
        self._turn = threading.Condition()
        self._due: dict[str, _Due] = {}
        self._behind: dict[str, str] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="sessioneval-report", daemon=True)
        self._thread.start()

    def add(self, session_id: str, run_id: str, then: Callable[[], None]) -> None:
        """Have the session's report hold the rows that there are; ``then`` says that it does."""
        with self._turn:
            self._due.setdefault(session_id, _Due(run_id)).then.append(then)
            self._turn.notify()

    def rebuild(self, run_ids: Mapping[str, str]) -> None:
        """Return when each session's report, by its run, holds what the store does.

        Those that cannot be written are tried again later.
        """
        for session_id, run_id in run_ids.items():
            self._bring(session_id, run_id)

    def retry(self) -> None:
        """Try the reports again that could not be written."""
        with self._turn:
            for session_id, run_id in self._behind.items():
                self._due.setdefault(session_id, _Due(run_id))
            self._behind.clear()
            self._turn.notify()

    def close(self, timeout_s: float) -> None:
        """Write what is due, as far as the time allows; a later start writes the rest."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        self._thread.join(timeout_s)

    def _write(self) -> None:
        while due := self._taken():
            for session_id, one in due.items():
                try:
                    self._bring(session_id, one.run_id)
                finally:
                    for tell in one.then:
                        tell()

    def _bring(self, session_id: str, run_id: str) -> None:
        # The boundary around a report: what was scored is in the store, only the files are behind.
        try:
            self._reports.bring_up_to_date(session_id, run_id)
        except Exception as error:  # noqa: BLE001
            _log.warning("%s", error)
            with self._turn:
                self._behind[session_id] = run_id

    def _taken(self) -> dict[str, _Due]:
        """Return all that is due, once something is; nothing once closed."""
        with self._turn:
            while not self._due and not self._closed:
                self._turn.wait()
            taken, self._due = self._due, {}
            return taken
