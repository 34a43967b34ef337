"""One session as its page shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pytest_sessioneval.reports.wording import counted, short_axes
from pytest_sessioneval.server.pages.links import run_url
from pytest_sessioneval.server.pages.opinions_view import (
    EvaluationView,
    evaluation_view,
    latest_opinions,
)
from pytest_sessioneval.server.pages.transcript_view import TranscriptView, transcript_view
from pytest_sessioneval.stores.listings import EvaluationRow, ListedSession, SessionDetail
from pytest_sessioneval.stores.protocol import KeptOpinion, SessionStatus
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.transcripts.model import Transcript

__all__ = ["HISTORY", "HistoryRow", "Recorded", "SessionView", "session_view"]

HISTORY = 100
"""Evaluations listed on a session's page."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A session's transcript, where it can be had."""

    transcript: Transcript | None
    digest: str
    """Its digest as recorded; empty without a transcript."""
    gone: str = ""
    """Why there is none, and what to do; empty: there is one."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One expert's evaluation."""

    at: datetime
    expert: str
    judge: str
    rubric: str
    run_id: str
    run_url: str
    scores: tuple[int | None, ...]
    """As ``SessionView.history_axes``."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session."""

    session_id: str
    name: str | None
    status: SessionStatus
    facts: tuple[str, ...]
    last_active: datetime | None
    evaluation: EvaluationView | None
    """Its latest evaluation; None: nobody judged it."""
    changed: bool
    """The transcript is another one than was judged."""
    transcript: TranscriptView | None
    gone: str
    """Why there is no transcript; empty: there is one."""
    feedback: tuple[FeedbackEntry, ...]
    history: tuple[HistoryRow, ...]
    history_axes: tuple[tuple[str, str], ...]
    older_evaluations: int
    """Evaluations beyond those listed."""


def session_view(
    detail: SessionDetail,
    listed: ListedSession,
    opinions: Sequence[KeptOpinion],
    recorded: Recorded,
    *,
    axes: Sequence[str] = (),
    start: int = 0,
    agent: str | None = None,
) -> SessionView:
    """Return the session's page, its transcript from that message on.

    ``listed`` says how the session stands, ``opinions`` is every one there is
    of it, ``axes`` the order in which axes are shown; ``agent`` is the sub-agent
    whose messages are shown.
    """
    evaluation = evaluation_view(
        latest_opinions(opinions),
        session_id=detail.session_id,
        axes=axes,
        transcript=recorded.transcript,
    )
    shown = detail.evaluations[:HISTORY]
    answered = {axis for row in shown for axis in row.scores}
    heads = short_axes([*(axis for axis in axes if axis in answered), *sorted(answered)])
    transcript = None
    if recorded.transcript is not None:
        transcript = transcript_view(
            recorded.transcript,
            cited=evaluation.cited if evaluation is not None else (),
            feedback=detail.feedback,
            start=start,
            agent=agent,
        )
    return SessionView(
        session_id=detail.session_id,
        name=detail.name,
        status=listed.overview.eval_status,
        facts=tuple(_facts(detail, listed, recorded.transcript)),
        last_active=detail.last_active,
        evaluation=evaluation,
        changed=evaluation is not None and recorded.digest not in {"", evaluation.digest},
        transcript=transcript,
        gone=recorded.gone,
        feedback=detail.feedback,
        history=tuple(_history(row, tuple(heads)) for row in shown),
        history_axes=tuple(heads.items()),
        older_evaluations=len(detail.evaluations) - len(shown),
    )


def _facts(
    detail: SessionDetail, listed: ListedSession, transcript: Transcript | None
) -> Iterator[str]:
    yield f"suite {listed.suite}"
    yield counted(detail.msg_count, "message")
    if transcript is not None and transcript.subsessions:
        yield counted(len(transcript.subsessions), "sub-agent")
    if detail.profile_id:
        yield f"profile {detail.profile_id}"
    overview = listed.overview
    if overview.likes or overview.dislikes:
        yield f"thumbs: {overview.likes} up, {overview.dislikes} down"


def _history(row: EvaluationRow, axes: Sequence[str]) -> HistoryRow:
    return HistoryRow(
        at=row.eval_date,
        expert=row.expert_id,
        judge=f"{row.judge_model} {row.judge_version}",
        rubric=row.rubric_version,
        run_id=row.eval_run_id,
        run_url=run_url(row.eval_run_id),
        scores=tuple(row.scores.get(axis) for axis in axes),
    )
