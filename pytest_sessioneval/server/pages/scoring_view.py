"""The run of a session of scoring calls as its page shows it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pytest_sessioneval.evaluation.scoring_calls import Job, ScoringSession
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.server.pages.links import run_url

__all__ = ["JOBS", "JobLine", "MetricRow", "ScoringView", "scoring_view"]

JOBS = 100
"""Calls on one page."""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric over the calls."""

    name: str
    mean: float | None
    """0–1; None: no call has a score."""
    scored: int


@dataclass(frozen=True, slots=True)
class JobLine:
    """One call."""

    job_id: str
    status: str
    at: datetime
    question: str
    answer: str
    scores: tuple[float | None, ...]
    """As ``ScoringView.metrics``; empty: it has none yet."""
    skipped: str
    latency: str
    error: str


@dataclass(frozen=True, slots=True)
class ScoringView:
    """All calls of one session."""

    run_id: str
    session_id: str
    progress: str
    """How many calls there are in which state."""
    is_live: bool
    metrics: tuple[MetricRow, ...]
    judges: tuple[str, ...]
    jobs: tuple[JobLine, ...]
    """Newest first."""
    told: str
    newer: str | None
    older: str | None
    files: tuple[tuple[str, str], ...]


def scoring_view(
    session: ScoringSession, *, start: int = 0, has_advice: bool = False
) -> ScoringView:
    """Return the page of a session's calls, from that one on, the newest first."""
    jobs = tuple(reversed(session.jobs))
    first = start if start < len(jobs) else 0
    shown = jobs[first : first + JOBS]
    metrics = tuple(session.metric_means)
    states: Counter[str] = Counter(job.status for job in jobs)
    order = ("running", "queued", "failed", "completed")
    counts = ", ".join(f"{states[state]:,} {state}" for state in order if states[state])
    last = first + len(shown)
    before = run_url(session.run_id, start=max(0, first - JOBS))
    return ScoringView(
        run_id=session.run_id,
        session_id=session.session_id,
        progress=f"{counted(session.call_count, 'call')}: {counts}",
        is_live=bool(states["running"] or states["queued"]),
        metrics=tuple(
            MetricRow(name, mean, _scored(jobs, name))
            for name, mean in session.metric_means.items()
        ),
        judges=tuple(sorted({job.request_summary.judge_model for job in jobs})),
        jobs=tuple(_line(job, metrics) for job in shown),
        told=f"calls {first + 1:,}–{last:,} of {len(jobs):,}",
        newer=before if first else None,
        older=run_url(session.run_id, start=last) if last < len(jobs) else None,
        files=(("Advice", run_url(session.run_id, part="advice")),) if has_advice else (),
    )


def _scored(jobs: Sequence[Job], metric: str) -> int:
    return sum(1 for job in jobs if job.scores and job.scores.get(metric) is not None)


def _line(job: Job, metrics: Sequence[str]) -> JobLine:
    summary = job.request_summary
    return JobLine(
        job_id=job.job_id,
        status=job.status,
        at=job.created_at,
        question=summary.question,
        answer=summary.answer,
        scores=tuple(job.scores.get(name) for name in metrics) if job.scores else (),
        skipped=", ".join(job.skipped_metrics),
        latency="" if job.latency_ms is None else f"{job.latency_ms:,.0f} ms",
        error=job.error or "",
    )
