"""The report of a session of scoring calls: a row per completed call, as CSV, Markdown and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.reports.advice.rows import AdvisedRow
from pytest_sessioneval.reports.json_file import escaped
from pytest_sessioneval.reports.neutralise import csv_cell, markdown_text
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.stores.job_values import ReportRow
from pytest_sessioneval.transcripts.samples import SEPARATOR

__all__ = [
    "FORMAT",
    "SampleReport",
    "SampleReportMetadata",
    "advised",
    "metadata_of",
    "metrics_of",
    "render_metadata",
    "render_samples_csv",
    "render_samples_summary",
    "sample_id",
]

FORMAT = 1
"""Raised when a file of the report is made differently."""

_LOWEST = 10
_TEXT = 100


@dataclass(frozen=True, slots=True)
class SampleReport:
    """All that the files of a session's report are made of."""

    session_id: str
    run_id: str
    started_at: datetime
    """When the first call was made."""
    rows: Sequence[ReportRow]
    """By number, at least one."""
    means: Mapping[str, float | None]
    """By metric: every metric seen, in the order of columns."""


class SampleReportMetadata(Frozen):
    """What ``metadata.json`` holds."""

    session_id: str
    """The session's id."""
    run_id: str
    """Its run: the folder's name."""
    started_at: datetime
    """When its first call was made, UTC."""
    finished_at: datetime
    """When its last row was finished, UTC."""
    rows: int
    """Rows of scores.csv."""
    last_job_id: str
    """The job that the last of them is."""
    metrics: tuple[str, ...]
    """The metrics of scores.csv, in the order of its columns."""
    metric_means: dict[str, float | None]
    """Means over the rows, 0–1, four decimals; null: no row has a value."""
    judge_models: tuple[str, ...]
    """Who was asked, sorted."""
    embedding_models: tuple[str, ...]
    """Whose embeddings were compared, sorted."""
    format: int = FORMAT
    """Version of how these files are written; those of another one are written anew."""


def sample_id(number: int) -> str:
    """Return what a row is called."""
    return f"session-score-{number}"


def metrics_of(report: SampleReport) -> tuple[str, ...]:
    """Return every metric that a row has, in the order of columns."""
    return tuple(report.means)


def render_samples_csv(report: SampleReport) -> str:
    """Return a row per completed call, in the order they were completed, after a row of names.

    Contexts stand in one cell, joined as a call may send them. A metric's cell
    is 0–1, empty where the row has no score. ``error`` says why a metric that
    was not skipped has none. Text that a spreadsheet would take for a formula is
    led by ``'``.
    """
    metrics = metrics_of(report)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    names = ("sample_id", "question", "answer", "contexts", "ground_truth", "error", *metrics)
    writer.writerow(names)
    for row in report.rows:
        asked, scores = row.request, row.result.scores
        truth = asked.ground_truth
        writer.writerow(
            (
                sample_id(row.number),
                csv_cell(asked.question),
                csv_cell(asked.answer),
                csv_cell(SEPARATOR.join(asked.contexts)),
                None if truth is None else csv_cell(truth),
                csv_cell(_unproven(row)),
                *(scores.get(metric) for metric in metrics),
            )
        )
    return text.getvalue()


def render_samples_summary(report: SampleReport) -> str:
    """Return the report as GitHub-flavoured Markdown, ending in a line feed.

    Nothing that a caller, an answer or a judge wrote is Markdown, HTML, a link or a mention.
    """
    return "\n".join(_lines(report)) + "\n"


def metadata_of(report: SampleReport) -> SampleReportMetadata:
    """Return what ``metadata.json`` holds."""
    asked = [row.request for row in report.rows]
    return SampleReportMetadata(
        session_id=report.session_id,
        run_id=report.run_id,
        started_at=report.started_at,
        finished_at=max(row.finished_at for row in report.rows),
        rows=len(report.rows),
        last_job_id=report.rows[-1].job_id,
        metrics=metrics_of(report),
        metric_means=dict(report.means),
        judge_models=tuple(sorted({one.judge_model for one in asked})),
        embedding_models=tuple(
            sorted({one.embedding_model for one in asked if one.embedding_model is not None})
        ),
    )


def render_metadata(report: SampleReport) -> str:
    """Return ``metadata.json``, ending in a line feed."""
    return escaped(metadata_of(report).model_dump_json(indent=2)) + "\n"


def advised(report: SampleReport) -> list[AdvisedRow]:
    """Return the rows as advice is made of them."""
    metrics = metrics_of(report)
    return [
        AdvisedRow(
            sample_id=sample_id(row.number),
            scores={metric: row.result.scores.get(metric) for metric in metrics},
            question=row.request.question,
            answer=row.request.answer,
        )
        for row in report.rows
    ]


def _lines(report: SampleReport) -> Iterator[str]:
    meta = metadata_of(report)
    yield f"# Scores of session {markdown_text(report.session_id, _TEXT)}"
    yield ""
    judges = ", ".join(meta.judge_models)
    yield (
        f"{counted(meta.rows, 'call')} scored from {_at(meta.started_at)} to "
        f"{_at(meta.finished_at)} UTC"
    )
    yield f"· run {markdown_text(report.run_id)} · judged by {markdown_text(judges, _TEXT)}"
    yield ""
    yield from _means(report)
    yield from _lowest(report)
    yield "Every row: [scores.csv](scores.csv). What to look at first:"
    yield "[optimization_advice.md](optimization_advice.md)."


def _means(report: SampleReport) -> Iterator[str]:
    if not report.means:
        yield "No metric was asked for."
        yield ""
        return
    yield "| metric | mean | lowest | scored | without a score |"
    yield "|---|---:|---:|---:|---:|"
    for metric, mean in report.means.items():
        given = [row.result.scores.get(metric) for row in report.rows]
        scored = [score for score in given if score is not None]
        low = _number(min(scored, default=None))
        name = markdown_text(metric)
        without = len(given) - len(scored)
        yield f"| {name} | {_number(mean)} | {low} | {len(scored)} | {without} |"
    yield ""
    yield "Scores are 0–1, 1 is best."
    yield ""


def _lowest(report: SampleReport) -> Iterator[str]:
    """Yield the rows whose scores are lowest on average, lowest first."""
    averages = []
    for row in report.rows:
        scored = [score for score in row.result.scores.values() if score is not None]
        if scored and fmean(scored) < 1:
            averages.append((fmean(scored), row))
    if not averages:
        return
    averages.sort(key=lambda one: (one[0], one[1].number))
    yield "## Lowest rows"
    yield ""
    yield "| row | average | question | answer |"
    yield "|---|---:|---|---|"
    for average, row in averages[:_LOWEST]:
        question = markdown_text(row.request.question, _TEXT)
        answer = markdown_text(row.request.answer, _TEXT)
        yield f"| {sample_id(row.number)} | {average:.4f} | {question} | {answer} |"
    yield ""


def _unproven(row: ReportRow) -> str:
    return "; ".join(f"{metric}: {why}" for metric, why in row.result.unproven.items())


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _at(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
