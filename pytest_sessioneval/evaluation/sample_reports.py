"""The files of scoring sessions: derived from the store, whole or not at all, never stale.

The lock of a session's folder is held from reading the rows to the last file,
so whoever writes last has read last. ``metadata.json`` is written after the
others: while it names fewer rows than the store, the files are behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.evaluation.file_locks import exclusive
from pytest_sessioneval.evaluation.scoring_sessions import metric_means
from pytest_sessioneval.reports.advice.rows import AdvisedRow, advice_for_rows
from pytest_sessioneval.reports.sample_scores import (
    FORMAT,
    SampleReport,
    SampleReportMetadata,
    advised,
    render_metadata,
    render_samples_csv,
    render_samples_summary,
)
from pytest_sessioneval.reports.writing import make_run_folder, replace_file
from pytest_sessioneval.stores.job_values import JobStore

__all__ = [
    "ADVICE_FILE",
    "METADATA_FILE",
    "SCORES_FILE",
    "SUMMARY_FILE",
    "Advisor",
    "SampleReports",
]

SCORES_FILE = "scores.csv"
SUMMARY_FILE = "summary.md"
ADVICE_FILE = "optimization_advice.md"
METADATA_FILE = "metadata.json"
_LOCK = ".lock"

Advisor = Callable[[Sequence[AdvisedRow]], str]
"""Returns advice on rows as Markdown."""


@dataclass(frozen=True, slots=True)
class SampleReports:
    """Writes the files of sessions beneath ``out/runs/``."""

    jobs: JobStore
    out: Path
    advisor: Advisor = advice_for_rows

    def bring_up_to_date(self, session_id: str, run_id: str) -> None:
        """Return when the session's files hold every row that the store had when it was called.

        Raises ``StoreError`` where rows cannot be read or files cannot be written.
        """
        folder = make_run_folder(self.out, run_id)
        try:
            with exclusive(folder / _LOCK):
                if _written(folder) != self.jobs.last_row(session_id):
                    self._write(folder, session_id, run_id)
        except OSError as error:
            raise StoreError(
                f"{folder}: the report cannot be written: {error.strerror or error}; what was "
                "scored is in the store"
            ) from error

    def _write(self, folder: Path, session_id: str, run_id: str) -> None:
        rows = self.jobs.rows(session_id)
        report = SampleReport(
            session_id=session_id,
            run_id=run_id,
            started_at=self.jobs.first_call(session_id) or rows[0].created_at,
            rows=rows,
            means=metric_means(row.result for row in rows),
        )
        replace_file(folder / SCORES_FILE, [render_samples_csv(report)])
        replace_file(folder / SUMMARY_FILE, [render_samples_summary(report)])
        replace_file(folder / ADVICE_FILE, [self._advice(report)])
        replace_file(folder / METADATA_FILE, [render_metadata(report)])

    def _advice(self, report: SampleReport) -> str:
        # The boundary around the advisor: what it cannot say never costs a score.
        try:
            return self.advisor(advised(report))
        except Exception as error:  # noqa: BLE001
            return f"# Advice\n\nNone could be made of these rows ({type(error).__name__}).\n"


def _written(folder: Path) -> tuple[int, str] | None:
    """Return how many rows the files hold, and the job of the last one; None: nobody knows."""
    try:
        text = (folder / METADATA_FILE).read_text(encoding="utf-8")
        metadata = SampleReportMetadata.model_validate_json(text)
    except (OSError, UnicodeDecodeError, ValidationError):
        return None
    others = (folder / name for name in (SCORES_FILE, SUMMARY_FILE, ADVICE_FILE))
    if metadata.format != FORMAT or not all(file.is_file() for file in others):
        return None
    return metadata.rows, metadata.last_job_id
